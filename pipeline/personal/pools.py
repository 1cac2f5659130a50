"""Pools of made-up words: fixed lists of a language without whatever occurs in real values.

The lists are those of Faker (first names, last names, common words); they are read when fakes are fitted and never
later, so made-up values do not depend on Faker's version. Where the real values leave too few words, the beginnings
and ends of listed words are put together anew, and at last syllables. A pool is a random part of what remains: that
a word is not in it does not tell that it was real.
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
    """Words of a fixed list, sorted; empty where there is none for the language."""
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
    """`size` different words that `real` frees, sorted.

    Args:
        kind: Which list to begin with.
        language: The language of the words.
        size: How many words.
        real: The words of the real values.
        random: What is taken of the list.
        plain: Whether words are folded, and none begins with another.
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
    """The beginning of a listed word with the end of another, made of folded letters."""
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
