"""Texts without case and accents, and the words that occur in a column.

Two words are the same if they *fold* to the same text: lower case, no accents, ß as ss. `Words` holds the folded words
of all real values while fakes are fitted, to say which made-up words are free. It is never saved.
"""

import hashlib
import unicodedata
from bisect import bisect_left

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.randomness import stream

_CHUNK = 100_000
_SECRET = 10_000
_LONG = 5
_ALONE = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}


def folded(values: pa.Array) -> pa.Array:
    """The values in lower case and without accents."""
    values = pc.replace_substring_regex(
        pc.utf8_normalize(pc.utf8_lower(values), "NFKD"), pattern=r"\p{M}+", replacement=""
    )
    for letter, plain in _ALONE.items():
        values = pc.replace_substring(values, pattern=letter, replacement=plain)
    return values


def fold(text: str) -> str:
    """One text in lower case and without accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return "".join(_ALONE.get(c, c) for c in plain)


class Words:
    """The folded words (runs of letters) of all values of a column, and the words `besides`."""

    def __init__(self, values: pa.Array, besides: "Words | None" = None) -> None:
        self._besides = besides
        parts = []
        for start in range(0, len(values), _CHUNK):
            runs = pc.split_pattern_regex(folded(values.slice(start, _CHUNK).unique()), pattern=r"[^\p{L}]+")
            parts.append(pc.list_flatten(runs).unique())
        words = pa.chunked_array(parts, pa.string()).unique() if parts else pa.array([], pa.string())
        self._sorted: list[str] = sorted(words.to_pylist())
        self._all = set(self._sorted)

    def holds(self, word: str) -> bool:
        """Whether the folded `word` occurs."""
        return word in self._all or (self._besides is not None and self._besides.holds(word))

    def begins(self, word: str) -> bool:
        """Whether any occurring word equals the folded `word` or begins with it."""
        place = bisect_left(self._sorted, word)
        return place < len(self._sorted) and self._sorted[place].startswith(word)

    def frees(self, word: str) -> bool:
        """Whether no occurring word begins with the folded `word`, and none of five letters or more lies inside it."""
        if self._besides is not None and not self._besides.frees(word):
            return False
        ends = range(_LONG, len(word) + 1)
        inside = any(word[start:end] in self._all for end in ends for start in range(end - _LONG + 1))
        return not inside and not self.begins(word)


def secret(values: pa.Array, name: str) -> np.random.Generator:
    """A random stream that is a function of the real values and cannot be guessed without them.

    So the words that such a stream leaves out of a list do not reveal the real values.
    """
    places = np.linspace(0, max(len(values) - 1, 0), min(len(values), _SECRET)).astype(np.int64)
    text = "\x1f".join([str(len(values)), *values.take(pa.array(places)).to_pylist()])
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return stream(int.from_bytes(digest, "little"), "personal", name)
