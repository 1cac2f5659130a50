"""What an evaluation says: scores, each beside the value that real rows reach.

No score means much alone: a hold-out of 3,000 rows differs from its own training rows by about one percent per
column, by chance. So every `Score` carries its *ceiling*, the same score of as many real training rows against
the same hold-out. A generator is good when `value` is near `ceiling`, whatever the two numbers are.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Self

from pydantic import FiniteFloat

from pipeline.errors import NotFoundError
from pipeline.records import Record

Area = Literal["marginals", "pairs", "distribution", "detection", "utility", "privacy"]
Goal = Literal["max", "min"]


NORMAL_95 = 1.959964
"""Normal quantile of a two-sided 95 % confidence interval."""


class Incomputable(Exception):  # noqa: N818 - a reason, not an error: it becomes a note of the evaluation
    """A score has no meaning for this table; the message says why in one clause."""


class Metric(NamedTuple):
    """What a score measures: its area, whether more or less of it is better, and its meaning in a line."""

    area: Area
    goal: Goal
    meaning: str


METRICS = {
    "shape_error": Metric("marginals", "min", "mean distance of the columns' distributions (KS or total variation)"),
    "trend_error": Metric("pairs", "min", "mean distance of the pairs' joint behaviour, bins of the real table"),
    "trend_error_own_bins": Metric("pairs", "min", "the same with bins fitted on each table, as published results do"),
    "mmd2": Metric("distribution", "min", "squared maximum mean discrepancy, unbiased; may be below 0"),
    "mmd_p": Metric("distribution", "max", "chance of an MMD this large were both samples alike"),
    "frechet": Metric("distribution", "min", "Fréchet distance of the features' means and covariances"),
    "coverage": Metric("distribution", "max", "share of real rows with a synthetic row in their neighbourhood"),
    "density": Metric("distribution", "max", "how crowded by real rows the places of synthetic rows are; alike is 1"),
    "c2st": Metric("detection", "max", "1: gradient boosting cannot tell the rows from real ones; 0: it always can"),
    "c2st_auc": Metric("detection", "min", "area under the curve of that classifier; 0.5 is a coin toss"),
    "utility": Metric("utility", "max", "AUC or R² on real rows of a model trained on these rows"),
    "utility_rmse": Metric("utility", "min", "root mean squared error on real rows of a model trained on these rows"),
    "nearer_to_train": Metric(
        "privacy", "min", "share of rows nearest to a training row, not a held-out one; ideal 0.5"
    ),
}
"""Every score there is, in the order in which an evaluation reports them."""


class Score(Record):
    """One measurement of synthetic rows against held-out real rows.

    Attributes:
        name: a key of `METRICS`.
        area: what aspect of the data it looks at.
        value: of the synthetic rows.
        ceiling: of as many real training rows, against the same hold-out: what chance alone leaves.
        goal: whether a good value is large or small.
        low: lower end of the 95 % confidence interval of `value`, where one is known.
        high: upper end of it.
        replicates: of the value on resamples of the held-out rows (`pipeline.evaluation.bootstrap`); those of two
            evaluations on the same rows with the same seed belong together. Empty where there are none.
        meaning: the score in one plain line.
    """

    name: str
    area: Area
    value: FiniteFloat
    ceiling: FiniteFloat
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
        ceiling: float,
        interval: tuple[float, float] | None = None,
        replicates: Iterable[float] = (),
    ) -> Self:
        """The score called `name`, described by `METRICS`."""
        low, high = interval if interval is not None else (None, None)
        described = METRICS[name]._asdict()
        return cls(
            name=name, value=value, ceiling=ceiling, low=low, high=high, replicates=tuple(replicates), **described
        )

    @property
    def excess(self) -> float:
        """How much worse than the ceiling the value is; negative where it is better."""
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


class Evaluation(Record):
    """How near synthetic rows are to real rows that the generator has not seen.

    Attributes:
        rows: synthetic rows that were compared, and as many training rows for the ceilings.
        holdout_rows: held-out real rows they were compared with.
        scores: in the order of `METRICS`; what could not be computed is absent and has a note.
        columns: Shape error per column, worst first.
        pairs: the pairs of columns with the largest Trend error, worst first.
        notes: what was left out, and why.
    """

    rows: int
    holdout_rows: int
    scores: tuple[Score, ...]
    columns: tuple[ColumnError, ...]
    pairs: tuple[PairError, ...]
    notes: tuple[str, ...] = ()

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
