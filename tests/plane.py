"""A kind of column from outside: points in the plane, with a measure of their own."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel
from pipeline.columns.variables import Variable
from pipeline.measures import Effect, Features, Measure, Resampled, Side, Values
from pipeline.schema import Column
from pipeline.statistics import chance
from pipeline.statistics.sketches import Sketch

TYPE = pa.list_(pa.float64(), 2)


def points(array: Any) -> NDArray[np.float64]:
    """Points as [rows, 2], NaN for null."""
    return np.array([(np.nan, np.nan) if point is None else point for point in array.to_pylist()]).reshape(-1, 2)


def array(xy: NDArray[np.float64]) -> pa.Array:
    """The inverse of `points`."""
    return pa.array([None if np.isnan(point).any() else point.tolist() for point in xy], TYPE)


class Cloud(Sketch):
    """Sums of the coordinates and of their squares."""

    count: int
    x: float
    y: float
    squares: float

    @classmethod
    def of(cls, xy: NDArray[np.float64]) -> Self:
        """The summary of points without null."""
        x, y = xy.sum(axis=0)
        return cls(count=len(xy), x=x, y=y, squares=float((xy**2).sum()))

    @property
    def rows(self) -> int:
        """Points."""
        return self.count

    @property
    def centre(self) -> NDArray[np.float64]:
        """The mean point."""
        return np.array([self.x, self.y]) / self.count

    @property
    def spread(self) -> float:
        """Root mean squared distance to the centre."""
        return float(np.sqrt(max(self.squares / self.count - (self.centre**2).sum(), 1e-12)))

    def merge(self, other: Self) -> Self:
        """See `Sketch.merge`."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        return type(self)(**sums)


def moved(mine: Cloud, theirs: Cloud) -> tuple[float, chance.Noise]:
    """Distance of the centres in units of the spread, from 0 to 1, and what chance explains of it."""
    apart = float(np.linalg.norm(mine.centre - theirs.centre)) / mine.spread
    return apart / (1 + apart), chance.mean(1 / mine.count + 1 / theirs.count)


class Divided(Resampled):
    """Columns of points in a sample."""

    def __init__(self, columns: Sequence[NDArray[np.float64]]) -> None:
        self.columns = columns
        self.nulls = np.column_stack([np.isnan(xy).any(axis=1) for xy in columns])

    def levels(self, batch: NDArray[np.int64]) -> dict[str, float]:
        """See `Resampled.levels`."""
        inside = np.zeros(len(self.nulls), bool)
        inside[batch] = True
        found = []
        for xy, null in zip(self.columns, self.nulls.T, strict=True):
            size, noise = moved(*(Cloud.of(xy[side & ~null]) for side in (inside, ~inside)))
            found.append(float(noise.level(size)))
        return {"clouds": max(found)}


class Coordinates(Features):
    """Standardised coordinates."""

    width = 2

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def of(self, array: Any) -> NDArray[np.float64]:
        """See `Features.of`."""
        return (points(array) - self.cloud.centre) / self.cloud.spread

    def traits(self, most: int) -> range:
        """Both."""
        return range(min(most, 2))


class Plane(Measure[Cloud]):
    """Points are compared by the distance of their centres."""

    sketch = Cloud
    families: ClassVar = {"clouds": 1}

    def summary(self, array: Any) -> Cloud | None:
        """See `Measure.summary`."""
        xy = points(array)
        present = xy[~np.isnan(xy).any(axis=1)]
        return Cloud.of(present) if len(present) else None

    def features(self, summary: Cloud | None, rate: float, most: int) -> Features | None:
        """See `Measure.features`."""
        return Coordinates(summary) if summary is not None else None

    def effects(self, mine: Cloud, theirs: Cloud) -> Iterator[Effect]:
        """The move of the centre."""
        size, noise = moved(mine, theirs)
        yield Effect("centre", "clouds", size, noise, f"the centre moved by {size:.3f}")

    def resampled(self, summaries: Sequence[Cloud], arrays: Sequence[Any]) -> Divided:
        """See `Measure.resampled`."""
        return Divided([points(array) for array in arrays])

    def views(self, columns: Sequence[Any]) -> list[Values]:
        """Coordinates."""
        return [Values(points(column)) for column in columns]

    def error(self, real: Values, other: Values) -> float:
        """Distance of the centres, from 0 to 1."""
        mine, theirs = (Cloud.of(side.array[~np.isnan(side.array).any(axis=1)]) for side in (real, other))
        return moved(mine, theirs)[0]

    def inputs(self, values: Values) -> NDArray[np.float64]:
        """Coordinates."""
        return values.array

    def groups(self, values: Values, most: int) -> NDArray[np.int64]:
        """Quadrants."""
        return ((values.array[:, 0] > 0) + 2 * (values.array[:, 1] > 0)).astype(np.int64)

    def draw(self, axes: Any, real: Any, other: Any, least_rows: int) -> None:
        """Two clouds."""
        for side in (real, other):
            axes.scatter(*points(side).T)

    def draw_change(self, axes: Any, mine: Side, theirs: Side, least_rows: int) -> None:
        """Two centres."""
        for side in (mine, theirs):
            axes.plot(*side.summary.centre, "o")


class Bare(Measure[Cloud]):
    """What has to be said and nothing else: all other answers are those of any measure."""

    sketch = Cloud
    summary = Plane.summary
    views = Plane.views
    error = Plane.error


class Place(Codec):
    """A kind that draws the points it has seen, and needs no network."""

    kind: ClassVar[str] = "place"
    measure: ClassVar = Plane()

    def __init__(self, seen: NDArray[np.float64]) -> None:
        self.seen = seen

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Pairs of numbers."""
        return bool(arrow == TYPE)

    @classmethod
    def claim(cls, array: Any, name: str, least_rows: int) -> str | None:
        """Every column of that type."""
        return "pairs of numbers" if cls.supports(array.type) else None

    @classmethod
    def fit(cls, array: Any, column: Column, beside: Beside = ALONE) -> Self:
        """See `Codec.fit`."""
        return cls(points(array))

    def extend(self, array: Any, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:
        """See `Codec.extend`."""
        return Extension(type(self)(np.concatenate([self.seen, points(array)])), ())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None."""
        return ()

    def encode(self, array: Any) -> Encoded:
        """See `Codec.encode`."""
        return Encoded((), points(array))

    def draw(self, values: Any, random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`."""
        return self.seen[random.integers(len(self.seen), size=len(index))]

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`."""
        return array(encoded.rest)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return {}, {"x": self.seen[:, 0].copy(), "y": self.seen[:, 1].copy()}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        return cls(np.column_stack([arrays["x"], arrays["y"]]))


class Somewhere(Place):
    """The same with a measure that says as little as it may."""

    kind: ClassVar[str] = "somewhere"
    measure: ClassVar = Bare()

    @classmethod
    def claim(cls, array: Any, name: str, least_rows: int) -> str | None:
        """No column."""
        return None
