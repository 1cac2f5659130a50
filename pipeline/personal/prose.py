"""Made-up texts: sentences of common words of a language, as long as the real ones.

Every text holds words that no real word begins with, so no text is a real one. The other words are the most common
ones of a fixed list. Only the rounded number of words is kept of the real texts.
"""

from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from pipeline.personal.folding import Words, secret
from pipeline.personal.mixing import Ints, below, bits
from pipeline.personal.pools import Language, listed, pool
from pipeline.records import Record

_WORDS, _OWN = 600, 200
_USUAL = (4, 8, 12)
"""Numbers of words if there are too few real texts to tell."""
_SHARES = 21
_MOST = 2_000
_SENTENCE = 9


class Prose(Record):
    """Made-up sentences.

    Attributes:
        words: Common words of the language.
        own: Words that occur in no real value.
        lengths: Rounded quantiles of the number of words in a text.
        stop: Whether most real texts end with a full stop.
    """

    kind: Literal["prose"] = "prose"
    words: tuple[str, ...] = Field(min_length=1)
    own: tuple[str, ...] = Field(min_length=1)
    lengths: tuple[int, ...] = Field(min_length=1)
    stop: bool

    @classmethod
    def fit(cls, values: pa.Array, language: Language, least_rows: int, besides: Words | None) -> Self:
        """Learn the lengths of real texts. None of their words is kept."""
        real, random = Words(values, besides), secret(values, "free text")
        counts = pc.list_value_length(pc.utf8_split_whitespace(values)).to_numpy(zero_copy_only=False)
        shares = min(_SHARES, max(len(values) // (2 * least_rows), 1))
        quantiles = (np.arange(shares) + 0.5) / shares
        lengths = np.quantile(counts, quantiles) if len(values) >= least_rows else np.array(_USUAL)
        common = listed("word", language) or listed("word", "en")
        ends = pc.ends_with(values, pattern=".")
        return cls(
            words=tuple(sorted(random.choice(common, min(_WORDS, len(common)), replace=False).tolist())),
            own=pool("word", language, _OWN, real, random),
            lengths=tuple(_rounded(float(length)) for length in lengths),
            stop=len(values) >= least_rows and 2 * int(pc.sum(ends).as_py() or 0) > len(values),
        )

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up text of each row."""
        lengths = np.asarray(self.lengths)[below(index, len(self.lengths), seed, "length")]
        rows = np.repeat(np.arange(len(index)), lengths)
        ends = np.cumsum(lengths)
        place = np.arange(len(rows)) - np.repeat(ends - lengths, lengths)
        random = (bits(index[rows] * _MOST + place, seed, "word") >> np.uint64(2)).astype(np.int64)
        first = place % _SENTENCE == 0
        own = first | (place % _SENTENCE == _SENTENCE // 2)
        last = np.zeros(len(rows), dtype=bool)
        last[ends - 1] = True
        closing = np.append(first[1:], True) & ~last | last & self.stop
        return self._joined(random, own, first, closing, lengths)

    def _joined(self, random: Ints, own: np.ndarray, first: np.ndarray, closing: np.ndarray, lengths: Ints) -> pa.Array:
        """Texts from the numbers of words, with capitals and full stops."""
        common, free = list(self.words), list(self.own)
        begun = [word[:1].upper() + word[1:] for word in free]
        kinds = [common, [f"{word}." for word in common], free, [f"{word}." for word in free], begun]
        kinds.append([f"{word}." for word in begun])
        starts = np.cumsum([0, *map(len, kinds)])
        kind = np.where(first, 4, np.where(own, 2, 0)) + closing
        sizes = np.array([len(words) for words in kinds])[kind]
        words = pa.array([word for words in kinds for word in words], pa.string())
        taken = words.take(pa.array(starts[kind] + random % sizes))
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
        return pc.binary_join(pa.ListArray.from_arrays(offsets, taken), " ")


def _rounded(words: float) -> int:
    """A number of words, rounded to about a fifth."""
    if words < 5:  # noqa: PLR2004
        return max(round(words), 1)
    step = 2 ** int(np.log2(words / 2.5))
    return int(min(max(round(words / step) * step, 1), _MOST))
