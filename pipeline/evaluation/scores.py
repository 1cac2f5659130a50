"""What an evaluation says: scores, each beside the value that real rows reach.

No score means much alone: a hold-out of 3,000 rows differs from its own training rows by about one percent per
column, by chance. So every `Score` carries its *ceiling*, the same score of as many real training rows against
the same hold-out. A generator is good when `value` is near `ceiling`, whatever the two numbers are.

A ceiling that is bad beyond chance makes a score mean nothing. What spoils it is a finding of its own: columns that
real rows cannot be compared by are `LeftOut`, and `Evaluation.flaw` says why the scores that remain say nothing.
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
REAL: Literal["real rows"] = "real rows"
"""The ceiling of most scores: the same score of as many training rows."""

NORMAL_95 = 1.959964
"""Normal quantile of a two-sided 95 % confidence interval."""


class Incomputable(Exception):  # noqa: N818 - a reason, not an error: it becomes a note of the evaluation
    """A score has no meaning for this table; the message says why in one clause."""


class Metric(NamedTuple):
    """What a score measures.

    Attributes:
        goal: Whether a good value is large or small.
        meaning: The score in a line.
        worst: The worst value it can have; None where there is none.
        ceiling: What the best rows reach: what real rows do (`REAL`), the same number for every table, or None where
            nothing can be said.
        area: What aspect of the data it looks at; filled in when its area is registered.
    """

    goal: Goal
    meaning: str
    worst: float | None = None
    ceiling: Literal["real rows"] | float | None = REAL
    area: str = ""


METRICS: dict[str, Metric] = {}
"""Every score there is, in the order in which an evaluation reports them; see `pipeline.evaluation.areas.register`."""
DETAILS: dict[str, type[Record]] = {}
"""What an evaluation carries besides, by name; see there too."""


class Score(Record):
    """One measurement of synthetic rows against held-out real rows.

    Attributes:
        name: a key of `METRICS`.
        area: what aspect of the data it looks at.
        value: of the synthetic rows.
        ceiling: of as many real training rows, against the same hold-out: what chance alone leaves. None for a score
            that real rows do not have.
        goal: whether a good value is large or small.
        low: lower end of the 95 % confidence interval of `value`, where one is known.
        high: upper end of it.
        replicates: of the value on resamples of the held-out rows (`pipeline.evaluation.bootstrap`); those of two
            evaluations on the same rows with the same seed belong together. Empty where there are none.
        meaning: the score in one plain line.

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
        """The score called `name`, described by `METRICS`; a ceiling that every table has need not be given."""
        low, high = interval if interval is not None else (None, None)
        metric = METRICS[name]
        if ceiling is None and metric.ceiling != REAL:
            ceiling = metric.ceiling
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
        """How much worse than the ceiling the value is; negative where it is better; None without a ceiling."""
        if self.ceiling is None:
            return None
        return self.value - self.ceiling if self.goal == "min" else self.ceiling - self.value


class ColumnError(Record):
    """The Shape error of one column, and what real rows have there."""

    name: str
    error: FiniteFloat
    ceiling: FiniteFloat


class PairError(Record):
    """The Trend error of one pair of columns (bins of the real table), and what real rows have there."""

    first: str
    second: str
    error: FiniteFloat
    ceiling: FiniteFloat


class LeftOut(Record):
    """A column that takes no part in Shape, Trend and the classifier, for real rows cannot be compared by it.

    Attributes:
        column: The column.
        reason: "labels": they hardly repeat; "real rows": training rows differ from held-out rows in it.
        size: Share of the held-out rows whose label no training row has; or the AUC of a classifier that is given
            only this column of training and held-out rows.
    """

    column: str
    reason: Literal["labels", "real rows"]
    size: FiniteFloat

    @property
    def text(self) -> str:
        """All of this in a sentence."""
        if self.reason == "labels":
            why = f"{self.size:.0%} of the held-out rows have a label there that no training row has"
        else:
            why = f"it alone tells training rows from held-out rows (AUC {self.size:.3f})"
        return f"column {self.column!r} is left out of Shape, Trend and the classifier: {why}"


class Dependence(Record):
    """Whether the columns of the real table depend on each other: what a latent space could encode.

    Attributes:
        found: Whether they do, beyond chance and by an amount that matters.
        text: The evidence in a clause.
    """

    found: bool
    text: str


class Evaluation(Record):
    """How near synthetic rows are to real rows that the generator has not seen.

    Attributes:
        rows: synthetic rows that were compared, and as many training rows for the ceilings.
        holdout_rows: held-out real rows they were compared with.
        scores: in the order of `METRICS`; what could not be computed is absent and has a note.
        details: what areas found besides, by the names in `DETAILS`; in JSON these stand beside the other keys.
        notes: which scores are missing, and why.
        left_out: columns that real rows cannot be compared by.
        flaw: why the scores say nothing of the rows; None where they do.
        dependence: of the real columns; None where it was not looked for.

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
        """Take what areas found from beside the other keys."""
        if not isinstance(given, Mapping):
            return given
        found = dict(given.get("details", {}))
        for name in (name for name in DETAILS if name in given):
            found[name] = tuple(DETAILS[name].model_validate(one) for one in given[name])
        fields = {key: value for key, value in given.items() if key not in DETAILS}
        return {**fields, "details": {name: own for name, own in found.items() if own}}

    @model_serializer(mode="wrap")
    def _spread(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Put what areas found beside the other keys."""
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
        """All that a reader of the scores should know, one sentence each."""
        return (*((self.flaw,) if self.flaw else ()), *(found.text for found in self.left_out), *self.notes)

    def __getitem__(self, name: str) -> Score:
        """The score called `name`.

        Raises:
            NotFoundError: there is no such score in this evaluation.
        """
        for score in self.scores:
            if score.name == name:
                return score
        raise NotFoundError(f"evaluation: expected one of {', '.join(s.name for s in self.scores)}; got '{name}'")

    def __contains__(self, name: object) -> bool:
        return any(score.name == name for score in self.scores)
