"""Numbers and points in time: values that have an order, compared by their distribution functions."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, combined, numbers
from pipeline.arrow.labels import labels
from pipeline.measures import cells, drawing, shares
from pipeline.measures.base import Binned, Codes, Effect, Floats, Measure, Redrawn, Side, Values
from pipeline.measures.cells import Cells
from pipeline.measures.features import NormalScores
from pipeline.measures.shares import Shares
from pipeline.statistics import chance, distances, resampling
from pipeline.statistics.moments import Distribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 10
EIGHTHS = np.linspace(0, 1, 9)[1:-1]


class Ordered(Measure[Distribution]):
    """Values are compared by size, and nulls by their rate."""

    sketch = Distribution
    families: ClassVar = {"numbers": 1}
    orders = True
    sums = True

    def summary(self, array: Array) -> Distribution | None:
        """See `Measure.summary`."""
        present = _present(numbers(array))
        return Distribution.of(present) if len(present) else None

    def constant(self, array: Array) -> bool:
        """See `Measure.constant`."""
        present = combined(array).drop_null()
        if pa.types.is_float16(present.type):  # Arrow does not compare it
            present = present.cast(pa.float32())
        return len(present) > 0 and bool(pc.all(pc.equal(present, present[0])).as_py())

    def texts(self, array: Array) -> list[str | None]:
        """See `Measure.texts`."""
        try:
            return [str(value) for value in array.to_pylist()]
        except (OverflowError, ValueError):  # a time that Python's calendar does not have
            return list(labels(array).cast(pa.string()).to_pylist())

    def places(self, array: Array) -> Floats:
        """Mid-ranks."""
        from scipy.stats import rankdata  # noqa: PLC0415 - a third of the start of a command

        values = numbers(array)
        present = ~np.isnan(values)
        places = np.full(len(values), -1.0)
        places[present] = rankdata(values[present]) / max(present.sum(), 1)
        return places

    def features(self, summary: Distribution | None, rate: float, most: int) -> NormalScores:  # noqa: ARG002
        """See `Measure.features`."""
        return NormalScores(summary.quantiles if summary is not None else None, rate)

    def effects(self, mine: Distribution, theirs: Distribution) -> Iterator[Effect]:
        """The Kolmogorov–Smirnov distance."""
        one, other = mine.quantiles, theirs.quantiles
        points = np.union1d(one.values, other.values)
        distance, text = self._moved(one.below(points), other.below(points))
        sketches = one.error / one.rows + other.error / other.rows
        noise = chance.kolmogorov(1 / one.rows + 1 / other.rows, sketches)
        yield Effect("values", "numbers", distance, noise, f"{text} by {distance:.3f}")

    def _moved(self, before: Floats, after: Floats) -> tuple[float, str]:
        """How far a distribution function moved, and words for this change."""
        return float(distances.kolmogorov(after, before)), "distribution moved"

    def resampled(self, summaries: Sequence[Distribution], arrays: Sequence[Array]) -> Cells:
        """See `Measure.resampled`."""
        codes = []
        for summary, array in zip(summaries, arrays, strict=True):
            values = numbers(array)
            codes.append(np.where(np.isnan(values), -1, summary.quantiles.codes(values)))
        return Cells(codes, lambda batch, rest: {"numbers": cells.largest(cells.kolmogorov(batch, rest))})

    def views(self, columns: Sequence[Array]) -> list[Values]:
        """Values as float64, NaN for null."""
        return [Values(numbers(column)) for column in columns]

    def error(self, real: Values, other: Values) -> float:
        """Kolmogorov–Smirnov distance of the values present, or the difference of null rates if that is larger."""
        null_x, null_y = np.isnan(real.array), np.isnan(other.array)
        nulls = abs(float(null_x.mean()) - float(null_y.mean()))
        if null_x.all() or null_y.all():
            return nulls
        return max(nulls, distances.kolmogorov_of_samples(real.array[~null_x], other.array[~null_y]))

    def errors(self, real: Values, other: Values, w: Floats) -> Floats:
        """See `Measure.errors`."""
        null_x, null_y = np.isnan(real.array), np.isnan(other.array)
        nulls: Floats = np.abs(resampling.means(null_x.astype(np.float64), w) - null_y.mean())
        if null_x.all() or null_y.all():
            return nulls
        distance = resampling.kolmogorov(real.array[~null_x], other.array[~null_y], w[:, ~null_x])
        return np.asarray(np.maximum(nulls, distance))

    def numbers(self, values: Values) -> Floats:
        """The values."""
        return np.asarray(values.array, np.float64)

    def inputs(self, values: Values) -> Floats:
        """The values."""
        return self.numbers(values)[:, None]

    def bins(self, real: Values, other: Values) -> Binned:
        """Ten bins of equal width over the real values, the outer two open, and one bin for null."""
        inner = _edges(real.array)[1:-1]
        return Binned(_digitize(real.array, inner), _digitize(other.array, inner), BINS + 1)

    def own_bins(self, real: Values, other: Values) -> Binned:
        """Bins over each side's own range. The maximum has its own bin, as in the published `numpy.digitize`."""
        x, y = (_digitize(side.array, _edges(side.array)) for side in (real, other))
        return Binned(x, y, BINS + 3)

    def strata(self, real: Values, other: Values) -> Binned:
        """Eighths of the real values, and one bin for null."""
        present = _present(real.array)
        cuts = np.unique(np.quantile(present, EIGHTHS)) if len(present) else np.empty(0)
        x, y = (np.where(np.isnan(x), 0, 1 + np.digitize(x, cuts, right=True)) for x in (real.array, other.array))
        return Binned(x, y, len(cuts) + 2)

    def groups(self, values: Values, most: int) -> Codes:
        """Groups of about equal size, and one group for null."""
        x = values.array
        present = _present(x)
        if not len(present):
            return np.zeros(len(x), np.int64)
        shares = np.linspace(0, 1, most + (len(present) == len(x)))[1:-1]
        inner = np.unique(np.quantile(present, shares, method="lower"))
        return np.where(np.isnan(x), len(inner) + 1, np.searchsorted(inner, x, side="left"))

    def redrawn(self, real: Array, again: Array) -> Redrawn:
        """The mean squared error in units of the variance. None if the values do not vary."""
        x, y = numbers(real), numbers(again)
        both = np.isfinite(x) & np.isfinite(y)
        spread = float(np.var(x[both])) if both.any() else 0.0
        return Redrawn(mse=float(np.mean((x[both] - y[both]) ** 2)) / spread if spread > 0 else None)

    def shares(self, real: Array, other: Array, least_rows: int) -> Shares:  # noqa: ARG002
        """Histograms. No value is named."""
        return shares.binned(real, other)

    def draw_change(self, axes: "Axes", mine: Side, theirs: Side, least_rows: int) -> None:  # noqa: ARG002
        """Distribution functions. No value is named."""
        drawing.steps(axes, [(side.summary.quantiles, side.nulls) for side in (mine, theirs)], mine.type)


class Moving(Ordered):
    """Points in time. Later values in a later table are no drift; earlier values are."""

    sums = False
    moves_on = True

    def _moved(self, before: Floats, after: Floats) -> tuple[float, str]:
        return float(max((after - before).max(), 0.0)), "rows moved back in time"


def _present(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _edges(x: Floats) -> Floats:
    """Edges of ten bins of equal width from the least to the largest value. Empty if all values are null."""
    x = _present(x)
    if not len(x):
        return np.empty(0)
    low, high = float(x.min()), float(x.max())
    return np.linspace(low, high, BINS + 1) if high > low else np.linspace(low - 0.5, low + 0.5, BINS + 1)


def _digitize(x: Floats, edges: NDArray[np.float64]) -> Codes:
    """Bin of each value, from 1; 0 for null."""
    return np.where(np.isnan(x), 0, np.digitize(x, edges) + 1).astype(np.int64)
