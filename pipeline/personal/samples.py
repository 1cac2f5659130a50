"""The evidence for recognition: a column's distinct values, their variety, and the known words among them."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import pyarrow as pa

from pipeline.personal.folding import folded
from pipeline.personal.names import Hint, Shape
from pipeline.personal.pools import LANGUAGES, Language, Listed, folded_list

_LETTERS = re.compile(r"[^\W\d_]+")


class Opinion(NamedTuple):
    """What a judge thinks that a column holds."""

    shape: Shape
    reason: str
    language: Language | None = None
    check: str = ""


@dataclass(frozen=True)
class Sample:
    """A sample of a column.

    Attributes:
        texts: Distinct values.
        distinct: Number of distinct values among the sampled rows.
        rows: Number of sampled rows.
        hint: What the column's name says.
        integers: Whether the column holds integers.
    """

    texts: list[str]
    distinct: int
    rows: int
    hint: Hint | None
    integers: bool

    @property
    def variety(self) -> float:
        """Number of distinct values per row."""
        return self.distinct / max(self.rows, 1)

    def hinted(self, *shapes: Shape) -> bool:
        """Whether the column's name hints at one of these shapes."""
        return self.hint is not None and self.hint.shape in shapes

    def share(self, pattern: "re.Pattern[str]") -> float:
        """The share of distinct values that match a pattern as a whole."""
        return sum(bool(pattern.fullmatch(text)) for text in self.texts) / len(self.texts)

    @cached_property
    def compact(self) -> list[str]:
        """The distinct values without spaces, points, hyphens and slashes."""
        return [re.sub(r"[\s.\-/]", "", text).upper() for text in self.texts]

    @cached_property
    def words(self) -> list[list[str]]:
        """The folded words of each distinct value."""
        flat = folded(pa.array(self.texts, pa.string())).to_pylist()
        return [_LETTERS.findall(text) for text in flat]

    @cached_property
    def mean_words(self) -> float:
        """The mean number of words in a distinct value, separated by spaces."""
        return sum(len(text.split()) for text in self.texts) / len(self.texts)

    def hits(self, kind: Listed, place: int | None = None) -> float:
        """The share of distinct values with a word in a list of any language: any word, or the one at `place`."""
        known = _any_language(kind)
        count = 0
        for words in self.words:
            looked = words if place is None else words[place : place + 1]
            count += any(word in known for word in looked)
        return count / len(self.texts)

    @cached_property
    def language(self) -> Language:
        """The language whose lists hold most of the words. The language of the column's name breaks ties."""
        told = self.hint.language if self.hint else None
        kinds: tuple[Listed, ...] = ("word",) if self.mean_words > 4 else ("first", "last")  # noqa: PLR2004
        words = [word for text in self.words for word in text]
        scores = {
            language: sum(word in known for word in words)
            for language in LANGUAGES
            if (known := _known(kinds, language))
        }
        if told in scores:
            scores[told] = scores[told] * 2 + 1
        best = max(LANGUAGES, key=lambda language: scores.get(language, 0))
        return best if scores.get(best) else "en"


@cache
def _known(kinds: tuple[Listed, ...], language: Language) -> frozenset[str]:
    found: set[str] = set()
    for kind in kinds:
        found.update(folded_list(kind, language))
    return frozenset(found)


@cache
def _any_language(kind: Listed) -> frozenset[str]:
    return frozenset(word for language in LANGUAGES for word in folded_list(kind, language))
