"""The base of measures. A `Measure` is how metrics, profiles, drift checks and pictures see a column.

A kind of column names its measure (`pipeline.columns.base.Codec.measure`), and all code that compares columns uses it.
So a new kind with its own measure is profiled, compared, evaluated and drawn without a change elsewhere. A kind whose
values cannot be compared (identifiers, made-up texts) has no measure.

A measure has to define two things: a summary of a column (`summary`), and the distance of the columns of two tables
(`views`, `error`). Everything else has a default: values are equal or different, and a column is skipped where its
measure has no answer (for example, no order, codes or features).

A column occurs in three forms:

- an Arrow array, as it was read;
- a *summary* (`pipeline.statistics.sketches.Sketch`), which holds no row and merges;
- `Values`, the rows of several tables in one numeric form, for comparisons row by row.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array
from pipeline.arrow.labels import coded, counted, labels
from pipeline.measures import drawing
from pipeline.measures.features import Features
from pipeline.measures.shares import NoPicture, Shares
from pipeline.statistics.chance import Noise
from pipeline.statistics.sketches import Sketch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
S = TypeVar("S", bound=Sketch)


@dataclass(frozen=True)
class Values:
    """The rows of one column in the form that its measure compares.

    Attributes:
        array: One entry per row, [rows] or [rows, …].
        size: If entries are codes, they are at least 0 and below `size`. 0 if they are not codes.
    """

    array: NDArray[Any]
    size: int = 0

    def take(self, rows: NDArray[np.integer]) -> "Values":
        """The values of these rows, in this order."""
        return Values(self.array[rows], self.size)

    def __len__(self) -> int:
        return len(self.array)


class Binned(NamedTuple):
    """A column of two tables in the same bins. `real` and `other` are codes below `size`, [rows]."""

    real: Codes
    other: Codes
    size: int


class Effect(NamedTuple):
    """One way in which a column changed between two tables.

    Attributes:
        what: What changed. It names the setting with the least size that matters (`pipeline.settings.DriftSettings`);
            a name without a setting uses "values".
        family: The group of effects that share one law of chance (`Measure.families`).
        size: From 0, no change, to 1, nothing in common.
        noise: The size that chance explains.
        text: The change in words, without any value.
    """

    what: str
    family: str
    size: float
    noise: Noise
    text: str


class Redrawn(NamedTuple):
    """How well redrawn values agree with the real ones. None means that the question does not apply.

    Attributes:
        mse: Mean squared error in units of the column's variance.
        accuracy: Share of values that are equal.
    """

    mse: float | None = None
    accuracy: float | None = None


class Side(NamedTuple):
    """A column of one table for a picture: its summary, its number of nulls, and its Arrow type as text."""

    summary: Any
    nulls: int
    type: str = ""


class Resampled(ABC):
    """The columns of one measure in a sample that is split in two again and again.

    Attributes:
        nulls: Which values are null, [rows, columns].
    """

    nulls: NDArray[np.bool_]

    @abstractmethod
    def levels(self, batch: Codes) -> Mapping[str, float]:
        """The largest level of chance (`Noise.level`) of any column, by family of effects.

        Args:
            batch: Row numbers of one side of the split. All other rows are the other side.
        """


class Measure(ABC, Generic[S]):
    """How columns of one sort are compared. A measure has no state: one object serves all columns.

    Attributes:
        sketch: The class of its summaries.
        families: Its families of effects, and how many effects of each family one column has.
        orders: Whether values are numbers (`pipeline.arrow.arrays.numbers`). If so, extremes are withheld, and nearly
            equal values count as equal.
        labels: Whether values are labels. If so, rare labels are withheld. If values are neither numbers nor labels,
            nothing is withheld (`pipeline.privacy.disclosure`), and the kind has to protect what few rows share.
        sums: Whether values are numbers whose total over rows has a meaning.
        moves_on: Whether values grow with time, so that a later table has later values without drift.
    """

    sketch: ClassVar[type[Sketch]]
    families: ClassVar[Mapping[str, int]] = {}
    orders: ClassVar[bool] = False
    labels: ClassVar[bool] = False
    sums: ClassVar[bool] = False
    moves_on: ClassVar[bool] = False

    # one table

    @abstractmethod
    def summary(self, array: Array) -> S | None:
        """Summarise a column. None if no row has a value."""

    def constant(self, array: Array) -> bool:
        """Whether all values that are not null are equal."""
        return len(counted(array)[0]) == 1

    def texts(self, array: Array) -> list[str | None]:
        """The values as texts for people."""
        return list(labels(array).dictionary_decode().to_pylist())

    def places(self, array: Array) -> Floats:
        """A number per value, [rows]: in [0, 1] if values have an order, else a code for each label. −1 for null."""
        return coded([array])[0].astype(np.float64)

    def features(self, summary: S | None, rate: float, most: int) -> Features | None:  # noqa: ARG002
        """How values become points of a space. None if the column takes no part.

        Args:
            summary: Summary of the table that spans the space. None if no row has a value.
            rate: Share of nulls.
            most: Largest number of labels with a dimension of their own.
        """
        return None

    # two tables: their summaries

    def effects(self, mine: S, theirs: S) -> Iterator[Effect]:  # noqa: ARG002
        """How a column changed from one table to another, apart from nulls."""
        return iter(())

    def resampled(self, summaries: Sequence[S], arrays: Sequence[Array]) -> Resampled | None:  # noqa: ARG002
        """Columns of a sample, for the law of chance of `effects`. None if the measure has no effects.

        Args:
            summaries: Summaries of the columns in the whole table.
            arrays: The columns in the sample.
        """
        return None

    # two tables: their rows

    @abstractmethod
    def views(self, columns: Sequence[Array]) -> list[Values]:
        """Convert one column of several tables to a form in which equal entries have the same meaning in all."""

    @abstractmethod
    def error(self, real: Values, other: Values) -> float:
        """The distance of the distributions of a column in two tables, from 0 (equal) to 1."""

    def errors(self, real: Values, other: Values, w: Floats) -> Floats:
        """The `error` of each resample of the real rows, [resamples].

        Args:
            real: The real rows.
            other: The other rows.
            w: How often each real row occurs in each resample, as whole numbers, [resamples, real rows].
        """
        rows = np.arange(len(real))
        drawn = [np.repeat(rows, weights.astype(np.int64)) for weights in w]
        return np.array([self.error(real.take(some), other) if len(some) else 0.0 for some in drawn])

    def unrepeated(self, train: Values, holdout: Values) -> float:  # noqa: ARG002
        """Share of held-out rows with a value that does not follow from the training rows."""
        return 0.0

    def numbers(self, values: Values) -> Floats | None:  # noqa: ARG002
        """One number per row, NaN for null, for correlations and as a regression target. None if there is none."""
        return None

    def classes(self, values: Values) -> Codes | None:  # noqa: ARG002
        """One code per row, as a classification target. None if there is none."""
        return None

    def inputs(self, values: Values) -> Floats:
        """Features for a model that predicts another column, [rows, any number]."""
        return np.empty((len(values), 0))

    def contrast(self, real: Values, other: Values, rng: np.random.Generator) -> Floats:  # noqa: ARG002
        """Features for a classifier that tells `other` from `real`, [real + other rows, any number]."""
        return np.concatenate([self.inputs(real), self.inputs(other)])

    def bins(self, real: Values, other: Values) -> Binned | None:  # noqa: ARG002
        """Both columns in the bins of `real`, to compare pairs of columns. None if the column is in no pair."""
        return None

    def own_bins(self, real: Values, other: Values) -> Binned | None:
        """Each column in bins of its own, as in published protocols. By default both share the bins of `real`."""
        return self.bins(real, other)

    def strata(self, real: Values, other: Values) -> Binned | None:
        """Both columns in a few bins with about equally many real rows, for pictures."""
        return self.bins(real, other)

    def groups(self, values: Values, most: int) -> Codes:  # noqa: ARG002
        """At most `most` groups with enough rows each, null in one of them. One group shows no dependence."""
        return np.zeros(len(values), np.int64)

    def redrawn(self, real: Array, again: Array) -> Redrawn:
        """How well values that a model drew again agree with the real ones, row by row."""
        before, after = coded([real, again])
        return Redrawn(accuracy=float((before == after).mean()))

    # pictures

    def shares(self, real: Array, other: Array, least_rows: int) -> Shares:
        """A column of real rows and of other rows as shares of rows, from which pictures are drawn.

        Args:
            real: The real rows.
            other: The other rows.
            least_rows: No value that fewer real rows share may be named.
        """
        del real, other, least_rows
        return NoPicture("no picture")

    def draw(self, axes: "Axes", real: Array, other: Array, least_rows: int) -> None:
        """Draw a column of real rows and of other rows in one panel, by default from its `shares`."""
        drawing.painted(axes, self.shares(real, other, least_rows))

    def draw_change(self, axes: "Axes", mine: Side, theirs: Side, least_rows: int) -> None:
        """Draw a column of two tables from their summaries.

        Args:
            axes: The panel.
            mine: The column of the first table.
            theirs: The column of the other table.
            least_rows: No value that fewer rows share in both tables may be named.
        """
        del mine, theirs, least_rows
        drawing.nothing(axes, "no picture")
