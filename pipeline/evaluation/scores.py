"""The records of an evaluation: scores, each beside the value that real rows reach.

A score alone means little. A hold-out of 3,000 rows differs from its own training rows by about one percent per column,
by chance. So every `Score` carries its *ceiling*: the same score of as many real training rows against the same
hold-out. A generator is good if `value` is near `ceiling`, whatever the two numbers are.

A score means nothing if its ceiling is bad beyond chance. The causes are findings of their own: columns in which real
rows cannot be compared are `LeftOut`, and `Evaluation.flaw` says why the remaining scores say nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, Self

from pydantic import (
    FiniteFloat,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from pipeline.errors import NotFoundError
from pipeline.records import Record

Goal = Literal["max", "min"]

NORMAL_95 = 1.959964
"""Normal quantile of a two-sided 95 % confidence interval."""


class Incomputable(Exception):  # noqa: N818 - a reason, not an error: it becomes a note of the evaluation
    """A score has no meaning for this table; the message says why in one clause."""


class Metric(NamedTuple):
    """The definition of a score.

    Attributes:
        goal: Whether large or small values are good.
        meaning: The score in one line.
        worst: The worst possible value. None if there is no bound.
        area: The name of the score's area. It is filled in when the area is registered.
    """

    goal: Goal
    meaning: str
    worst: float | None = None
    area: str = ""


METRICS: dict[str, Metric] = {}
"""All scores, in the order in which an evaluation reports them. `pipeline.evaluation.areas.register` fills it."""
DETAILS: dict[str, type[Record]] = {}
"""The types of the details of an evaluation, by name. `pipeline.evaluation.areas.register` fills it too."""


class Score(Record):
    """One comparison of synthetic rows with held-out real rows, as a number.

    Attributes:
        name: A key of `METRICS`.
        area: The aspect of the data that the score is about.
        value: The score of the synthetic rows.
        ceiling: The score of as many real training rows against the same hold-out, so what chance alone leaves. None
            for a score that real rows do not have.
        goal: Whether large or small values are good.
        low: Lower end of the 95 % confidence interval of `value`, if it is known.
        high: Upper end of this interval.
        replicates: The score on resamples of the held-out rows (`pipeline.evaluation.bootstrap`). The replicates of two
            evaluations on the same rows with the same seed are paired. Empty if there are none.
        meaning: The score in one plain line.

    Example:
        >>> from pipeline import Score
        >>> score = Score.of("shape_error", 0.02, 0.01)
        >>> score.goal, round(score.excess, 3)
        ('min', 0.01)
    """

    name: str
    area: str
    value: FiniteFloat
    ceiling: FiniteFloat | None
    goal: Goal
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    replicates: tuple[FiniteFloat, ...] = ()
    meaning: str

    @classmethod
    def of(
        cls,
        name: str,
        value: float,
        ceiling: float | None = None,
        interval: tuple[float, float] | None = None,
        replicates: Iterable[float] = (),
    ) -> Self:
        """Make the score called `name`, as `METRICS` defines it."""
        low, high = interval if interval is not None else (None, None)
        metric = METRICS[name]
        return cls(
            name=name,
            area=metric.area,
            value=value,
            ceiling=ceiling,
            goal=metric.goal,
            low=low,
            high=high,
            replicates=tuple(replicates),
            meaning=metric.meaning,
        )

    @property
    def excess(self) -> float | None:
        """How much worse than the ceiling the value is. Negative if it is better; None without a ceiling."""
        if self.ceiling is None:
            return None
        return self.value - self.ceiling if self.goal == "min" else self.ceiling - self.value


class ColumnError(Record):
    """The Shape error of one column, and the same error of real rows."""

    name: str
    error: FiniteFloat
    ceiling: FiniteFloat


class PairError(Record):
    """The Trend error of one pair of columns (bins of the real table), and the same error of real rows."""

    first: str
    second: str
    error: FiniteFloat
    ceiling: FiniteFloat


class TotalError(Record):
    """The errors of one column of numbers, as shares of its mean absolute value, and the same errors of real rows.

    Attributes:
        name: The column.
        mean: Error of the mean of the values present.
        total: Error of the total, in which a null adds nothing.
        top: Error of the total of the values beyond the 99th percentile of the training rows.
        mean_ceiling: `mean` of the held-out rows.
        total_ceiling: `total` of the held-out rows.
        top_ceiling: `top` of the held-out rows.
    """

    name: str
    mean: FiniteFloat
    total: FiniteFloat
    top: FiniteFloat
    mean_ceiling: FiniteFloat
    total_ceiling: FiniteFloat
    top_ceiling: FiniteFloat

    @classmethod
    def of(cls, name: str, errors: Iterable[float], ceilings: Iterable[float]) -> Self:
        """The record of a column with these errors, in the order of the fields."""
        fields = ("mean", "total", "top", "mean_ceiling", "total_ceiling", "top_ceiling")
        return cls(name=name, **dict(zip(fields, map(float, (*errors, *ceilings)), strict=True)))


class LeftOut(Record):
    """A column that is left out of Shape, Trend and the classifier, because real rows cannot be compared by it.

    Attributes:
        column: The column.
        reason: "labels" if labels hardly repeat; "real rows" if training rows differ from held-out rows in the column.
        size: For "labels", the share of held-out rows whose label no training row has. For "real rows", the AUC of a
            classifier that sees only this column of training and held-out rows.
    """

    column: str
    reason: Literal["labels", "real rows"]
    size: FiniteFloat

    @property
    def text(self) -> str:
        """The finding as a sentence."""
        if self.reason == "labels":
            why = f"{self.size:.0%} of the held-out rows have a label there that no training row has"
        else:
            why = f"it alone tells training rows from held-out rows (AUC {self.size:.3f})"
        return f"column {self.column!r} is left out of Shape, Trend and the classifier: {why}"


class Dependence(Record):
    """Whether the columns of the real table depend on each other, so that a latent space has something to encode.

    Attributes:
        found: Whether they do, beyond chance and by an amount that matters.
        text: The evidence in a clause.
    """

    found: bool
    text: str


class Evaluation(Record):
    """How near synthetic rows are to real rows that the generator has not seen.

    Attributes:
        rows: Number of synthetic rows that were compared. As many training rows were compared for the ceilings.
        holdout_rows: Number of held-out real rows.
        scores: In the order of `METRICS`. A score that could not be computed is absent and has a note.
        details: Further findings of the areas, by the names in `DETAILS`. In JSON they stand beside the other keys.
        notes: Which scores are missing, and why.
        left_out: Columns in which real rows cannot be compared.
        flaw: Why the scores say nothing of the rows. None if the scores are sound.
        dependence: Whether the real columns depend on each other. None if this was not tested.

    Example:
        >>> import pandas as pd
        >>> from pipeline import evaluate
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25})
        >>> found = evaluate(frame[:40], holdout=frame[40:60], train=frame[60:], areas=["marginals"])
        >>> found["shape_error"].value
        0.0
        >>> [column.name for column in found.columns]
        ['age']
    """

    rows: int
    holdout_rows: int
    scores: tuple[Score, ...]
    details: Mapping[str, tuple[SerializeAsAny[Record], ...]] = {}
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    flaw: str | None = None
    dependence: Dependence | None = None

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: object) -> object:
        """Collect the details of areas from the other keys of the JSON."""
        if not isinstance(given, Mapping):
            return given
        found = dict(given.get("details", {}))
        for name in (name for name in DETAILS if name in given):
            found[name] = tuple(DETAILS[name].model_validate(one) for one in given[name])
        fields = {key: value for key, value in given.items() if key not in DETAILS}
        return {**fields, "details": {name: own for name, own in found.items() if own}}

    @model_serializer(mode="wrap")
    def _spread(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the details of areas beside the other keys of the JSON."""
        spread: dict[str, Any] = {}
        for key, value in handler(self).items():
            spread |= {key: value} if key != "details" else {**dict.fromkeys(DETAILS, ()), **value}
        return spread

    @property
    def columns(self) -> tuple[ColumnError, ...]:
        """Shape error per column, worst first."""
        return tuple(found for found in self.details.get("columns", ()) if isinstance(found, ColumnError))

    @property
    def pairs(self) -> tuple[PairError, ...]:
        """The pairs of columns with the largest Trend error, worst first."""
        return tuple(found for found in self.details.get("pairs", ()) if isinstance(found, PairError))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Everything that a reader of the scores should know, one sentence each."""
        return (*((self.flaw,) if self.flaw else ()), *(found.text for found in self.left_out), *self.notes)

    def __getitem__(self, name: str) -> Score:
        """The score called `name`.

        Raises:
            NotFoundError: The evaluation has no such score.
        """
        for score in self.scores:
            if score.name == name:
                return score
        raise NotFoundError(f"evaluation: expected one of {', '.join(s.name for s in self.scores)}; got '{name}'")

    def __contains__(self, name: object) -> bool:
        return any(score.name == name for score in self.scores)
