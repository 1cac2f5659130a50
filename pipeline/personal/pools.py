"""Pools of made-up words: the fixed lists of a language, without the words of real values.

The lists are Faker's first names, last names and common words. They are read only when fakes are fitted, so generation
does not depend on Faker's version. If the real values leave too few words, beginnings and ends of listed words are
recombined, and at last syllables. A pool is a random part of the remaining words, so a missing word was not necessarily
a real one.
"""

import itertools
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Literal

import numpy as np
import pyarrow as pa

from pipeline.personal.folding import Words, folded

Language = Literal["de", "en", "fr", "es", "it", "nl", "pt", "pl"]
Listed = Literal["first", "last", "word"]
_LOCALES: dict[str, tuple[str, ...]] = {
    "de": ("de_DE",),
    "en": ("en_US", "en_GB"),
    "fr": ("fr_FR",),
    "es": ("es_ES",),
    "it": ("it_IT",),
    "nl": ("nl_NL",),
    "pt": ("pt_PT",),
    "pl": ("pl_PL",),
}
LANGUAGES: tuple[Language, ...] = ("de", "en", "fr", "es", "it", "nl", "pt", "pl")
_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "first": ("person", ("first_names",)),
    "word": ("lorem", ("word_list",)),
}
_FIELDS["last"] = ("person", ("last_names", "unisex_last_names", "male_last_names"))
_WORD = re.compile(r"[^\W\d_]{3,14}")
_VOWELS = "aeiouy"
_CONSONANTS = "bdfglmnprstvz"
_HEAD = re.compile(rf"[^{_VOWELS}]*[{_VOWELS}]+")
_TAIL = re.compile(rf"[^{_VOWELS}]+[{_VOWELS}]+[^{_VOWELS}]*$")
_TRIES = 40
_LONGEST = 10


@cache
def listed(kind: Listed, language: Language) -> tuple[str, ...]:
    """The words of a fixed list, sorted; empty if the language has no such list."""
    provider, fields = _FIELDS[kind]
    found: set[str] = set()
    for locale in _LOCALES[language]:
        try:
            module = import_module(f"faker.providers.{provider}.{locale}")
        except ModuleNotFoundError as error:
            if not str(error.name).startswith(f"faker.providers.{provider}."):
                raise
            continue
        for field in fields:
            found.update(getattr(module.Provider, field, ()))
    return tuple(sorted(word for word in found if _WORD.fullmatch(word)))


@cache
def folded_list(kind: Listed, language: Language) -> tuple[str, ...]:
    """The folded words of `listed`, in its order."""
    return tuple(folded(pa.array(listed(kind, language), pa.string())).to_pylist())


def pool(
    kind: Listed, language: Language, size: int, real: Words, random: np.random.Generator, *, plain: bool = False
) -> tuple[str, ...]:
    """Draw `size` different words that are free of real ones, sorted.

    Args:
        kind: The list to begin with.
        language: The language of the words.
        size: Number of words.
        real: The words of the real values.
        random: The stream that draws from the list.
        plain: Whether words are folded, and no word is the beginning of another.
    """
    pairs = list(zip(listed(kind, language), folded_list(kind, language), strict=True))
    free = [(word, fold) for word, fold in pairs if real.frees(fold)]
    free = [free[place] for place in random.permutation(len(free))[: (len(free) + 1) // 2].tolist()]
    found: dict[str, str] = {}
    for word, fold in itertools.chain(free, _recombined(kind, language, size, random), _syllables()):
        if len(found) == size:
            break
        if fold in found or not real.frees(fold) or (plain and not (fold.isascii() and fold.isalpha())):
            continue
        if plain and any(fold.startswith(other) or other.startswith(fold) for other in found):
            continue
        found[fold] = fold if plain else word
    return tuple(sorted(found.values()))


@cache
def _pieces(kind: Listed, language: Language) -> tuple[list[str], list[str]]:
    """The beginnings of listed words up to their first vowels, and the ends from the consonants before the last."""
    folds = [fold for fold in folded_list(kind, language) if fold.isascii() and fold.isalpha()]
    heads = [match.group() for fold in folds if (match := _HEAD.match(fold))]
    return heads, [match.group() for fold in folds if (match := _TAIL.search(fold))]


def _recombined(kind: Listed, language: Language, size: int, random: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Words made of the beginning of one listed word and the end of another, in folded letters."""
    heads, tails = _pieces(kind, language)
    if heads and tails:
        for head, tail in random.integers(0, (len(heads), len(tails)), (_TRIES * size, 2)).tolist():
            word = heads[head] + tails[tail]
            if len(word) <= _LONGEST:
                yield word.capitalize(), word


def _syllables() -> itertools.chain[tuple[str, str]]:
    """Every word of three syllables, of four, and so on without end."""
    syllables = [consonant + vowel for vowel in _VOWELS for consonant in _CONSONANTS]
    words = itertools.chain.from_iterable(itertools.product(syllables, repeat=n) for n in itertools.count(3))
    return itertools.chain.from_iterable([("".join(word).capitalize(), "".join(word))] for word in words)
