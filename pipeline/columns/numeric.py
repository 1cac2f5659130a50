"""Numbers: integers, floats and decimals of every width.

Five normal forms, one chosen per column:

- `tokens`: the distinct values cut into an alphabet (`pipeline.columns.alphabet`): exact where few values are
  distinct or where a value repeats, a cell of neighbours elsewhere, in which a leaf comes up at its training rate
  and the place in the leaf is uniform. The likelihood is a discretised one: a softmax over cells.
- `quantile`: the value's rank taken to a normal score; a value that repeats owns an interval of ranks, so that
  inflated values come back exactly. The likelihood is a mixture of Gaussians.
- `zscore`, `minmax`, `robust`: (x − mean)/std, 2(x − min)/(max − min) − 1, (x − median)/IQR, with the same
  likelihood.

Generated values stay within the training range and on the training grid (integers, decimal places). In the token
form a value of fewer than the column's `least_rows` rows never stands alone: it shares a leaf with its neighbours, or,
between values that stand alone, is taken for one of them. A value far from all others is not joined to them: it means
something else (9999-12-31, −999), and nothing lies between.
"""

from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, combined
from pipeline.arrow.domain import Domain, Grid, Line, domain_of, is_number, joined, moved, valid
from pipeline.checks import record
from pipeline.columns import checked
from pipeline.columns.alphabet import Alphabet
from pipeline.columns.base import Codec, Encoded, Extension, Novel, Origin, unrelated
from pipeline.columns.growth import grow_affine, grow_quantile, grow_tokens
from pipeline.columns.variables import Discrete, Real, Variable
from pipeline.errors import SchemaError
from pipeline.measures import ORDERED, Ordered
from pipeline.records import Record
from pipeline.schema import Column

FORMS = ("tokens", "quantile", "zscore", "minmax", "robust")
WIDTH = 128
"""Most cells of the token form."""
LEAVES = 16
"""Most leaves of a cell."""
LEAF_ROWS = 10
"""A leaf of several values holds at least about this many training rows."""
CELL_ROWS = 20
"""A cell of several values holds at least about this many: enough to learn when it comes up."""
MOST_APART = 4
"""Most values that are taken to mean something else than a quantity."""
KNOTS = 1024
"""Most knots of the empirical quantile function."""
REACH = 5
"""Expected number of generated values at either end of the range, per training table's worth of rows."""
_TOP = float(np.nextafter(2.0**64, 0))  # the greatest float that fits uint64
Floats = NDArray[np.float64]


class Numbers:
    """The normal form of positions in a domain; shared by the kinds that are numbers underneath.

    Args:
        domain: Where the values live.
        form: One of `FORMS`.
        nulls: Whether nulls were seen in training.
        arrays: Fitted arrays: `ends`, the least and greatest position; `low`, `high`, `cells`, `rows` of the leaves
            for tokens; `knots`, `scores` for quantile and `shift`, `scale` for the affine forms, with `low` and
            `high`, the normal forms of the ends.
    """

    def __init__(self, domain: Domain, form: str, *, nulls: bool, arrays: dict[str, NDArray[Any]]) -> None:
        self.domain, self.form, self.nulls, self.arrays = domain, form, nulls, arrays
        if form == "tokens":
            self.alphabet = Alphabet(np.arange(len(arrays["cells"])), arrays["cells"].astype(np.int64))
            self._base = arrays["low"][self.alphabet.first_leaf] if len(arrays["low"]) else arrays["low"]

    @classmethod
    def fit(cls, domain: Domain, positions: NDArray[Any], form: str, *, nulls: bool, least_rows: int = 1) -> Self:
        """Fit to the non-null `positions` of the training rows; fewer than `least_rows` have no value of their own."""
        distinct, counts = np.unique(positions, return_counts=True)
        if form == "tokens":
            distinct, counts = _without_lone(distinct, counts, least_rows)
            arrays = _fit_tokens(distinct, counts, least_rows=least_rows)
        elif form == "quantile":
            arrays = _fit_quantile(distinct, counts)
        else:
            arrays = _fit_affine(positions, form)
        return cls(
            domain, form, nulls=nulls, arrays={**arrays, "ends": distinct[[0, -1]] if len(distinct) else distinct}
        )

    def extend(self, present: pa.Array, *, nulls: bool, least_rows: int = 1) -> tuple[Self, tuple[Origin, ...]]:
        """This normal form grown to hold further non-null values too, and where its variables come from."""
        nulls, came = nulls or self.nulls, domain_of(present)
        positions = came.positions(present)
        if not len(self.arrays["ends"]):
            fresh = type(self).fit(came, positions, self.form, nulls=nulls, least_rows=least_rows)
            return fresh, unrelated(fresh.variables)
        arrays, domain, cells = self.arrays, self.domain, np.arange(len(self.arrays["low"]))
        if len(positions):
            domain = joined(domain, int(arrays["ends"][-1]), came, int(positions.max()))
            distinct, counts = np.unique(domain.positions(present), return_counts=True)
            arrays, cells = self._grown(domain, distinct, counts, least_rows)
        grown = type(self)(domain, self.form, nulls=nulls, arrays=arrays)
        return grown, self._origins(grown, cells)

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`."""
        rows = self.arrays.get("rows", np.zeros(0, np.int64))
        return 1.0 if self.nulls or not len(rows) else float(rows.max() / rows.sum())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One or two `Discrete` for tokens; a `Real`, after a null flag where needed, for the others."""
        if self.form != "tokens":
            if not len(self.arrays["low"]):
                return ()
            ends = float(self.arrays["low"][0]), float(self.arrays["high"][0])
            if not self.nulls:
                return (Real(*ends),)
            return (Discrete(2, missing=True), Real(*ends, applies=(False, True)))
        if not token_variables(self.alphabet, nulls=self.nulls):
            return ()
        return (Discrete(self.alphabet.size + 1, missing=self.nulls, ordered=True),)

    def encode(self, positions: NDArray[Any], mask: NDArray[np.bool_]) -> Encoded:
        """Variables and rest of the values at `mask`, whose positions are given in order."""
        if self.form == "tokens":
            return self._encode_tokens(positions, mask)
        score = np.zeros(len(mask))
        score[mask] = self._normalize(positions.astype(np.float64))
        values = (mask.astype(np.int64), score) if self.nulls else (score,)
        rest = np.zeros(len(mask), dtype=positions.dtype)
        rest[mask] = positions - self._denormalize(score[mask])  # what rounding loses; modular for grids
        return Encoded(values[: len(self.variables)], rest)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, rows: int) -> NDArray[Any]:
        """A place inside the cell for tokens; for the other forms what keeps the value in the training range."""
        if not len(self.arrays["low"]):
            return np.zeros(rows)
        if self.form != "tokens":
            positions = self._denormalize(np.asarray(values[-1], dtype=np.float64))
            return np.asarray(np.clip(positions, *self.arrays["ends"]) - positions)
        cell = np.maximum(self._cell(values, rows), 0)
        leaf = self._leaf(cell, random.random(rows))
        width = (self.arrays["high"] - self.arrays["low"])[leaf]
        uniform = random.random(rows)
        within = uniform * width
        if self._grid:
            within = np.minimum((uniform * (width.astype(np.float64) + 1)).astype(np.uint64), width)
        positions = self._reach_ends(self.arrays["low"][leaf] + within, cell, random.random(rows))
        rest = np.asarray(positions - self._base[cell])
        if self._grid:
            return rest
        greatest = self.arrays["ends"][-1]  # the sum that `decode` makes may be a rounding error beyond it
        return np.where(self._base[cell] + rest > greatest, rest - np.spacing(np.abs(greatest)), rest)

    def decode(self, encoded: Encoded) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Positions of every row, and which of them hold a value."""
        rows = len(encoded.rest)
        if not len(self.arrays["low"]):
            return np.zeros(rows), np.zeros(rows, dtype=bool)
        if self.form == "tokens":
            cell = self._cell(encoded.values, rows)
            return self._base[cell] + encoded.rest, cell >= 0
        mask = np.asarray(encoded.values[0]) > 0 if self.nulls else np.ones(rows, dtype=bool)
        return self._denormalize(np.asarray(encoded.values[-1], dtype=np.float64)) + encoded.rest, mask

    def _encode_tokens(self, positions: NDArray[Any], mask: NDArray[np.bool_]) -> Encoded:
        low = self.arrays["low"]
        cell = np.full(len(mask), -1, dtype=np.int64)
        rest = np.zeros(len(mask), dtype=low.dtype)
        if len(low):
            # clipping keeps values beyond the training range in the outer bins; the rest may then wrap around,
            # which decode undoes exactly (uint64 arithmetic is modular)
            cell[mask] = np.clip(np.searchsorted(self._base, positions, side="right") - 1, 0, len(self._base) - 1)
            rest[mask] = positions - self._base[cell[mask]]
        return Encoded((cell + 1,)[: len(self.variables)], rest)

    def _grown(
        self, domain: Domain, distinct: NDArray[Any], counts: NDArray[np.int64], least_rows: int
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
        """Arrays in the positions of a wider domain, grown to `distinct`; which cell each cell is, for tokens."""
        arrays, cells = dict(self.arrays), np.zeros(0, np.int64)
        for name in {"ends", "knots", "shift"} | ({"low", "high"} if self.form == "tokens" else set()):
            if name in arrays:
                arrays[name] = moved(arrays[name], self.domain, domain)
        ends = np.append(arrays["ends"], distinct[[0, -1]])
        if self.form == "tokens":
            fit = partial(_fit_tokens, least_rows=least_rows)
            arrays, cells = grow_tokens(
                arrays, distinct, counts, width=WIDTH, few=CELL_ROWS, least_rows=least_rows, fit=fit
            )
            ends = np.append(arrays["low"][:1], arrays["high"][-1:])
        elif self.form == "quantile":
            arrays = grow_quantile(arrays, distinct, counts)
        else:
            # one step of the old grid is as long as this many of the new one
            unit = np.diff(moved(np.array([0.0, 1.0]), self.domain, domain))
            scale = arrays["scale"] * unit
            arrays = grow_affine({**arrays, "scale": np.where(scale > 0, scale, 1.0)}, distinct)  # may underflow
        return {**arrays, "ends": np.array([ends.min(), ends.max()])}, cells

    def _origins(self, grown: Self, cells: NDArray[np.int64]) -> tuple[Origin, ...]:
        if not self.variables:
            return unrelated(grown.variables)
        nothing = np.zeros(0, np.int64)
        if self.form == "tokens":
            null = 0 if self.nulls or not grown.nulls else -1
            return (Origin(0, np.concatenate([[null], np.where(cells < 0, -1, cells + 1)])),)
        if self.nulls:
            return Origin(0, np.arange(2)), Origin(1, nothing)
        return (*unrelated(grown.variables[:-1]), Origin(0, nothing))

    def _cell(self, values: tuple[NDArray[Any], ...], rows: int) -> NDArray[np.int64]:
        """Cell of every row, −1 for null."""
        if values:
            return np.asarray(values[0], dtype=np.int64) - 1
        return np.full(rows, self.alphabet.size - 1, dtype=np.int64)

    def _leaf(self, cell: NDArray[np.int64], uniform: Floats) -> NDArray[np.int64]:
        """A leaf of each cell, at its rate in training."""
        mass = np.concatenate([[0], np.cumsum(self.arrays["rows"])])
        first = self.alphabet.first_leaf
        last = first + self.alphabet.leaves - 1
        place = mass[first[cell]] + uniform * (mass[last[cell] + 1] - mass[first[cell]])
        return np.asarray(np.clip(np.searchsorted(mass, place, side="right") - 1, first[cell], last[cell]))

    def _reach_ends(self, positions: NDArray[Any], cell: NDArray[np.int64], uniform: Floats) -> NDArray[Any]:
        """Let the outermost values come up as often as they would in a resample, and a little more."""
        last = self.alphabet.size - 1
        rows = np.bincount(self.arrays["cells"], self.arrays["rows"])
        lowest = (cell == 0) & (uniform < min(0.5, REACH / rows[0]))
        highest = (cell == last) & (uniform > 1 - min(0.5, REACH / rows[-1]))
        positions = np.where(lowest, self.arrays["low"][0], positions)
        return np.where(highest, self.arrays["high"][-1], positions)

    def _normalize(self, positions: Floats) -> Floats:
        if not len(self.arrays["low"]):
            return np.zeros(len(positions))
        if self.form == "quantile":
            knots, scores = self.arrays["knots"], self.arrays["scores"]
            # a plateau (one value, several ranks) is entered at its middle
            left = np.interp(positions, knots, scores)
            right = -np.interp(-positions, -knots[::-1], -scores[::-1])
            inside = (left + right) / 2
            return np.asarray(inside + _beyond(positions, knots[0], knots[-1]))
        return np.asarray((positions - self.arrays["shift"][0]) / self.arrays["scale"][0])

    def _denormalize(self, scores: Floats) -> NDArray[Any]:
        if not len(self.arrays["low"]):
            values = np.zeros(len(scores))
        elif self.form == "quantile":
            knots, known = self.arrays["knots"], self.arrays["scores"]
            values = np.interp(scores, known, knots) + _beyond(scores, known[0], known[-1])
        else:
            values = scores * self.arrays["scale"][0] + self.arrays["shift"][0]
        return np.asarray(np.rint(np.clip(values, 0, _TOP)).astype(np.uint64) if self._grid else values)

    @property
    def _grid(self) -> bool:
        return isinstance(self.domain, Grid)


def token_variables(alphabet: Alphabet, *, nulls: bool) -> tuple[Variable, ...]:
    """The variables of an alphabet: none where nothing varies, a second one where cells have leaves."""
    if alphabet.size + nulls <= 1 and len(alphabet.cells) <= 1:
        return ()
    first = Discrete(alphabet.size + 1, missing=nulls)
    if len(alphabet.cells) == alphabet.size:
        return (first,)
    spoken = (False, *(bool(leaves > 1) for leaves in alphabet.leaves))
    return (first, Discrete(int(alphabet.leaves.max()) + 1, applies=spoken))


def token_leaf(alphabet: Alphabet, values: tuple[NDArray[Any], ...], rows: int) -> NDArray[np.int64]:
    """Leaf of every row, −1 for null; a column without variables has its only leaf, or none, everywhere."""
    if not values:
        return np.full(rows, len(alphabet.cells) - 1, dtype=np.int64)
    first = np.asarray(values[0], dtype=np.int64)
    second = np.asarray(values[1], dtype=np.int64) if len(values) > 1 else np.zeros_like(first)
    return alphabet.leaf(first, second)


def _extents(distinct: NDArray[Any], apart: NDArray[np.bool_]) -> Floats:
    """Length of the range that each value stands for: half the gap to either neighbour; 0 for values set apart."""
    extents = np.zeros(len(distinct))
    near = distinct[~apart].astype(np.float64)
    gaps = np.diff(near, prepend=near[:1], append=near[-1:])
    extents[~apart] = (gaps[1:] + gaps[:-1]) / 2
    return extents


def isolated(distinct: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of ascending values are farther from all others than these are from each other, at either end."""
    x = distinct.astype(np.float64)
    first, last = 0, len(x) - 1
    apart = np.zeros(len(x), dtype=bool)
    while last - first >= 2:  # noqa: PLR2004 - two values have no range to be far from
        if x[last] - x[last - 1] > x[last - 1] - x[first]:
            apart[last] = True
            last -= 1
        elif x[first + 1] - x[first] > x[last] - x[first + 1]:
            apart[first] = True
            first += 1
        else:
            break
    return apart if apart.sum() <= MOST_APART else np.zeros(len(x), dtype=bool)


def _without_lone(
    distinct: NDArray[Any], counts: NDArray[np.int64], least_rows: int
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The values, without those between two that stand alone which are together too few rows for a leaf.

    Their rows count as those of the nearer neighbour.
    """
    alone = (counts >= least_rows) | isolated(distinct)
    bounds = np.flatnonzero(np.diff(alone, prepend=True, append=True))  # where stretches of the others begin and end
    kept, rows = np.ones(len(distinct), dtype=bool), counts.copy()
    for first, stop in zip(bounds[::2], bounds[1::2], strict=True):
        if rows[first:stop].sum() >= least_rows:
            continue
        kept[first:stop] = False
        beside = np.array([j for j in (first - 1, stop) if 0 <= j < len(distinct)], dtype=np.int64)
        if len(beside):
            gaps = np.abs(distinct[first:stop, None].astype(np.float64) - distinct[beside].astype(np.float64))
            np.add.at(rows, beside[gaps.argmin(axis=1)], counts[first:stop])
    return distinct[kept], rows[kept]


def _fit_tokens(
    distinct: NDArray[Any], counts: NDArray[np.int64], width: int = WIDTH, *, least_rows: int = 1
) -> dict[str, NDArray[Any]]:
    apart = isolated(distinct)
    if len(distinct):
        apart[[0, -1]] |= (counts[[0, -1]] >= least_rows) & (
            least_rows > 1
        )  # a value that many share is an end by rule
    alphabet = Alphabet.fit(
        counts,
        width=width,
        leaves=LEAVES,
        leaf_rows=max(LEAF_ROWS, least_rows),
        cell_rows=CELL_ROWS,
        alone_rows=least_rows,
        extents=_extents(distinct, apart),
        apart=apart,
    )
    starts = alphabet.starts
    ends = np.append(starts[1:], len(distinct)) - 1 if len(starts) else starts
    rows = np.add.reduceat(counts, starts) if len(starts) else counts
    return {"low": distinct[starts], "high": distinct[ends], "cells": alphabet.cells, "rows": rows}


def _fit_quantile(distinct: NDArray[Any], counts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Knots of the quantile function: each kept value with the first and last rank it owns."""
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - a fifth of the start of a command, for this form only

    if not len(distinct):
        return {"knots": np.zeros(0), "scores": np.zeros(0), "low": np.zeros(0), "high": np.zeros(0)}
    n = counts.sum()
    last = np.cumsum(counts)
    first = last - counts
    keep = np.zeros(len(distinct), dtype=bool)
    even = np.linspace(0, 1, KNOTS // 2)
    tails = ndtr(np.linspace(ndtri(0.5 / n), -ndtri(0.5 / n), KNOTS // 2))  # even in scores: the tails need more knots
    ranks = np.clip(np.concatenate([even, tails]) * n, 1, n).astype(int)
    keep[np.searchsorted(last, ranks)] = True
    keep[[0, -1]] = True
    keep |= counts > n / KNOTS
    knots = np.repeat(distinct[keep].astype(np.float64), 2)
    ranks = np.stack([first[keep] + 0.5, last[keep] - 0.5], axis=1).ravel() / n
    scores = ndtri(np.clip(ranks, 0.5 / n, 1 - 0.5 / n))
    return {"knots": knots, "scores": scores, "low": scores[:1], "high": scores[-1:]}


def _fit_affine(positions: NDArray[Any], form: str) -> dict[str, NDArray[Any]]:
    x = positions.astype(np.float64)
    if not len(x):
        return {"shift": np.zeros(1), "scale": np.ones(1), "low": np.zeros(0), "high": np.zeros(0)}
    if form == "zscore":
        shift, scale = x.mean(), x.std()
    elif form == "minmax":
        shift, scale = (x.min() + x.max()) / 2, (x.max() - x.min()) / 2
    else:
        low, shift, high = np.quantile(x, [0.25, 0.5, 0.75])
        scale = high - low
    if not scale > 0:  # a constant, or most values equal: any scale is as good
        scale = x.std() or 1.0
    ends = (np.array([x.min(), x.max()]) - shift) / scale
    return {"shift": np.array([shift]), "scale": np.array([scale]), "low": ends[:1], "high": ends[1:]}


def _beyond(x: Floats, low: float, high: float) -> Floats:
    """How far x lies outside [low, high]: keeps the quantile map invertible beyond the training range."""
    return np.minimum(x - low, 0.0) + np.maximum(x - high, 0.0)


class Numeric(Codec):
    """The kind of columns of numbers."""

    kind: ClassVar[str] = "numeric"
    measure: ClassVar[Ordered] = ORDERED
    forms: ClassVar[tuple[str, ...]] = FORMS

    def __init__(self, numbers: Numbers, arrow: pa.DataType) -> None:
        self.numbers, self.arrow = numbers, arrow

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Integers, floats, decimals."""
        return is_number(arrow)

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:  # noqa: ARG003
        """Every column of a numeric type that is not dictionary encoded."""
        return "numbers" if is_number(array.type) else None

    @classmethod
    def fit(cls, array: Array, column: Column) -> Self:
        """See `Codec.fit`."""
        array = combined(array)
        form = column.normalization or "tokens"
        if form not in FORMS:
            raise SchemaError(f"column {column.name!r}: expected a normalization of {', '.join(FORMS)}, got {form!r}")
        mask = valid(array)
        present = array.filter(pa.array(mask))
        try:
            domain = domain_of(present)
        except SchemaError as error:
            raise SchemaError(f"column {column.name!r}: {error}") from None
        positions = domain.positions(present)
        nulls, least = not mask.all(), column.least_rows
        return cls(Numbers.fit(domain, positions, form, nulls=nulls, least_rows=least), array.type)

    def extend(self, array: Array, column: Column, novel: Novel) -> Extension:  # noqa: ARG002
        """See `Codec.extend`."""
        array = combined(array)
        mask = valid(array)
        present, nulls = array.filter(pa.array(mask)), not mask.all()
        numbers, origins = self.numbers.extend(present, nulls=nulls, least_rows=column.least_rows)
        return Extension(type(self)(numbers, array.type), origins)

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`."""
        return self.numbers.commonest

    @property
    def variables(self) -> tuple[Variable, ...]:
        """See `Numbers.variables`."""
        return self.numbers.variables

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`."""
        array = combined(array)
        mask = valid(array)
        present = array.filter(pa.array(mask)).cast(self.arrow)
        return self.numbers.encode(self.numbers.domain.positions(present), mask)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`."""
        return self.numbers.draw(values, random, len(index))

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`."""
        positions, mask = self.numbers.decode(encoded)
        # where there is no value the position means nothing, and its number may not fit the type
        return masked(self.numbers.domain.values(np.where(mask, positions, 0), self.arrow), mask)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return numbers_state(self.numbers)

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        return cls(load_numbers(json, arrays, arrow), arrow)


def numbers_state(numbers: Numbers) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """JSON values and arrays from which `load_numbers` makes `numbers` again."""
    json = {"domain": numbers.domain.model_dump(), "form": numbers.form, "nulls": numbers.nulls}
    return json, numbers.arrays


class _State(Record):
    """The JSON part of `numbers_state`; a line has no keys."""

    domain: Grid | Line
    form: Literal["tokens", "quantile", "zscore", "minmax", "robust"]
    nulls: bool


def load_numbers(json: object, arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Numbers:
    """The inverse of `numbers_state`, for values of type `arrow`.

    Raises:
        DamagedError: No numbers have such a state.
    """
    state = record(_State, json)
    checked.numbers(state.domain, state.form, arrays, arrow)
    return Numbers(state.domain, state.form, nulls=state.nulls, arrays=arrays)


def masked(array: pa.Array, mask: NDArray[np.bool_]) -> pa.Array:
    """`array` with nulls where `mask` is false."""
    if mask.all():
        return array
    return pc.if_else(pa.array(mask), array, pa.scalar(None, array.type)).cast(
        array.type
    )  # narrow decimals are widened
