"""How metrics, profiles, drift checks and pictures see a column: its *measure*.

A kind of column names its measure (`pipeline.columns.base.Codec.measure`), and whoever compares columns asks it. So a
new kind with a measure of its own is profiled, compared, evaluated and drawn without a change elsewhere. A kind whose
values say nothing when compared (identifiers, made-up texts) has none.

A measure has to say two things: what it remembers of a column (`summary`), and how far the columns of two tables are
apart (`views`, `error`). Everything else has a default: values are equal or different, and a question that the measure
cannot answer (has it an order, codes, features?) passes the column over.

Three forms of a column occur:

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
        array: One entry a row, [rows] or [rows, …].
        size: Entries are codes from 0 to below this; 0 where they are no codes.
    """

    array: NDArray[Any]
    size: int = 0

    def take(self, rows: NDArray[np.integer]) -> "Values":
        """The values of these rows, in this order."""
        return Values(self.array[rows], self.size)

    def __len__(self) -> int:
        return len(self.array)


class Binned(NamedTuple):
    """A column of two tables in the same bins: `real` and `other` are codes below `size`, [rows]."""

    real: Codes
    other: Codes
    size: int


class Effect(NamedTuple):
    """One way in which a column changed between two tables.

    Attributes:
        what: What changed; names the setting from which on it matters (`pipeline.settings.DriftSettings`, "values"
            for a name that is not there).
        family: The effects that share one law of chance (`Measure.families`).
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
    """How well redrawn values agree with the real ones; None is not asked.

    Attributes:
        mse: Mean squared error in units of the column's variance.
        accuracy: Share of values that are the same.
    """

    mse: float | None = None
    accuracy: float | None = None


class Side(NamedTuple):
    """A column of one table for a picture: its summary, and its rows without a value."""

    summary: Any
    nulls: int


class Resampled(ABC):
    """The columns of one measure in a sample, which is divided in two again and again.

    Attributes:
        nulls: Which values are null, [rows, columns].
    """

    nulls: NDArray[np.bool_]

    @abstractmethod
    def levels(self, batch: Codes) -> Mapping[str, float]:
        """The largest level of chance (`Noise.level`) of any column, by family of effects.

        Args:
            batch: Rows of one part; all others are the other part.
        """


class Measure(ABC, Generic[S]):
    """How columns of one sort are compared. A measure has no state: one object serves all columns.

    Attributes:
        sketch: The class of its summaries.
        families: Families of its effects, and how many effects of each family one column has.
        orders: Whether values are numbers (`pipeline.arrow.arrays.numbers`): extremes are withheld, and nearly equal
            ones are the same.
        labels: Whether values are labels: rare ones are withheld. Where values are neither numbers nor labels,
            nothing is withheld (`pipeline.privacy.disclosure`): what few rows share is left to the kind.
        moves_on: Whether values grow as time goes by, so that a later table has later ones and has not drifted.
    """

    sketch: ClassVar[type[Sketch]]
    families: ClassVar[Mapping[str, int]] = {}
    orders: ClassVar[bool] = False
    labels: ClassVar[bool] = False
    moves_on: ClassVar[bool] = False

    # one table

    @abstractmethod
    def summary(self, array: Array) -> S | None:
        """What is remembered of a column; None where no row has a value."""

    def constant(self, array: Array) -> bool:
        """Whether all rows that have a value have the same."""
        return len(counted(array)[0]) == 1

    def texts(self, array: Array) -> list[str | None]:
        """The values for people."""
        return list(labels(array).dictionary_decode().to_pylist())

    def places(self, array: Array) -> Floats:
        """A number for each value, [rows]: in [0, 1] where values have an order, −1 for null; else equal for equal."""
        return coded([array])[0].astype(np.float64)

    def features(self, summary: S | None, rate: float, most: int) -> Features | None:  # noqa: ARG002
        """How values become points of a space; None: the column takes no part.

        Args:
            summary: Of the table that spans the space; None where no row has a value.
            rate: Share of nulls.
            most: Most labels that may have a dimension of their own.
        """
        return None

    # two tables: their summaries

    def effects(self, mine: S, theirs: S) -> Iterator[Effect]:  # noqa: ARG002
        """How a column changed from one table to another, nulls apart."""
        return iter(())

    def resampled(self, summaries: Sequence[S], arrays: Sequence[Array]) -> Resampled | None:  # noqa: ARG002
        """Columns of a sample, for the law of chance of `effects`; None where the measure has no effects.

        Args:
            summaries: Of the columns in the whole table.
            arrays: The columns in the sample.
        """
        return None

    # two tables: their rows

    @abstractmethod
    def views(self, columns: Sequence[Array]) -> list[Values]:
        """One column of several tables, in a form that means the same in all of them."""

    @abstractmethod
    def error(self, real: Values, other: Values) -> float:
        """How far the distributions of a column in two tables are apart, from 0 (the same) to 1."""

    def errors(self, real: Values, other: Values, w: Floats) -> Floats:
        """The `error` of each resample of the real rows, [resamples].

        Args:
            real: The real rows.
            other: The other rows.
            w: How often each real row occurs in each resample: whole numbers, [resamples, real rows].
        """
        rows = np.arange(len(real))
        drawn = [np.repeat(rows, weights.astype(np.int64)) for weights in w]
        return np.array([self.error(real.take(some), other) if len(some) else 0.0 for some in drawn])

    def unrepeated(self, train: Values, holdout: Values) -> float:  # noqa: ARG002
        """Share of held-out rows whose value nobody could know from the training rows."""
        return 0.0

    def numbers(self, values: Values) -> Floats | None:  # noqa: ARG002
        """One number a row, NaN for null: for correlations, and as a target to be regressed; None if there is none."""
        return None

    def classes(self, values: Values) -> Codes | None:  # noqa: ARG002
        """One code a row, as a target to be classified; None if there is none."""
        return None

    def inputs(self, values: Values) -> Floats:
        """What a model that predicts another column is given, [rows, any number]."""
        return np.empty((len(values), 0))

    def contrast(self, real: Values, other: Values, rng: np.random.Generator) -> Floats:  # noqa: ARG002
        """What a classifier that tells `other` from `real` is given: rows of both, [real + other rows, any number]."""
        return np.concatenate([self.inputs(real), self.inputs(other)])

    def bins(self, real: Values, other: Values) -> Binned | None:  # noqa: ARG002
        """Both in the bins of `real`, for what pairs of columns have in common; None: pairs pass the column over."""
        return None

    def own_bins(self, real: Values, other: Values) -> Binned | None:
        """Each in bins of its own, as published protocols have it; by default the bins are the same."""
        return self.bins(real, other)

    def strata(self, real: Values, other: Values) -> Binned | None:
        """Both in a few bins that hold about equally many real rows, for pictures."""
        return self.bins(real, other)

    def groups(self, values: Values, most: int) -> Codes:  # noqa: ARG002
        """Values in at most `most` groups that hold enough rows, null in one of them; one group shows no dependence."""
        return np.zeros(len(values), np.int64)

    def redrawn(self, real: Array, again: Array) -> Redrawn:
        """How well values that a model drew again agree with the real ones, row by row."""
        before, after = coded([real, again])
        return Redrawn(accuracy=float((before == after).mean()))

    # pictures

    def draw(self, axes: "Axes", real: Array, other: Array) -> None:
        """Draw a column of real rows and of other ones, one beside the other."""
        del real, other
        drawing.nothing(axes, "no picture")

    def draw_change(self, axes: "Axes", mine: Side, theirs: Side) -> None:
        """Draw a column of two tables by their summaries."""
        del mine, theirs
        drawing.nothing(axes, "no picture")
