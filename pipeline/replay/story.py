"""The records of a replay: for every strategy and period, what was found, decided and reached."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import fmean
from typing import Literal, Self, get_args

from pipeline.decisions.drift import DriftReport, Finding
from pipeline.decisions.policy import Action
from pipeline.evaluation import Evaluation
from pipeline.records import Record

Strategy = Literal["loop", "always", "never"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
END = 4
"""The end of a story is its last quarter: 1 / `END` of the periods."""
ERRORS = ("shape_error", "trend_error")


class Quality(Record):
    """How near a version's rows are to real rows that it has not seen, as one number and as all scores.

    The number is 1 − the mean of Shape and Trend error, as SDMetrics' quality score is the mean of both scores.

    Attributes:
        overall: The number.
        ceiling: The number for real rows.
        scores: Every score.
        ceilings: The ceiling of every score that has one.
    """

    overall: float
    ceiling: float
    scores: Mapping[str, float]
    ceilings: Mapping[str, float]

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self:
        """The quality in an evaluation. A table of one column has no pairs, so only Shape counts."""
        errors = [evaluation[name] for name in ERRORS if name in evaluation]
        return cls(
            overall=1 - fmean(score.value for score in errors),
            ceiling=1 - fmean(score.ceiling for score in errors if score.ceiling is not None),
            scores={score.name: score.value for score in evaluation.scores},
            ceilings={score.name: score.ceiling for score in evaluation.scores if score.ceiling is not None},
        )


class DriftSummary(Record):
    """What a drift check found, in short.

    Attributes:
        drifted: Whether there is drift.
        excess: The largest effect in units of its threshold.
        worst: That effect in words.
    """

    drifted: bool
    excess: float
    worst: str

    @classmethod
    def of(cls, report: DriftReport) -> Self:
        """Summarise a report. Effects beyond their threshold that are no drift are ignored by the settings."""
        counted = [finding for finding in report.findings if finding.drifted or finding.size <= finding.threshold]
        worst = max(counted, key=_excess, default=None)
        excess, text = (0.0, "nothing was compared") if worst is None else (_excess(worst), worst.text)
        return cls(drifted=report.drifted, excess=excess, worst=text)


class Step(Record):
    """One strategy's turn at the end of one period.

    Attributes:
        strategy: The strategy.
        period: The number of the period, from 0.
        end: The end of the period, which is "now" for all decisions.
        new_rows: Number of rows that came in during the period.
        rows: Number of rows of the training window.
        drift: What the drift check found. None without a check.
        plan: What the policy decided. None if it was not asked.
        decision: What happened to the champion.
        reasons: The reasons of plan and decision.
        trained: The version that was trained, if any, named by the periods of the trainings behind it: "3-5" is a warm
            start in period 5 from the version that was trained afresh in period 3.
        seconds: Processor seconds of its training.
        champion: The champion after this turn. None if no version has passed the gate so far.
        ahead: Quality of the champion *before* this turn on the rows that came in during the period, none of which it
            has seen. Its ceiling is that of rows of the previous window.
        quality: Quality of the champion after this turn on rows of the window that no training has seen.
    """

    strategy: Strategy
    period: int
    end: datetime
    new_rows: int
    rows: int
    drift: DriftSummary | None = None
    plan: Action | None = None
    decision: Literal["promoted", "refused", "skipped"]
    reasons: tuple[str, ...]
    trained: str | None = None
    seconds: float = 0.0
    champion: str | None
    ahead: Quality | None
    quality: Quality | None


class Summary(Record):
    """A strategy in one line.

    Attributes:
        strategy: The strategy.
        trainings: Number of versions that were trained.
        warm_starts: Number of them that continued the champion.
        promoted: Number of them that became champion.
        seconds: Processor seconds of all trainings.
        ahead: Mean quality on rows that were still to come.
        quality: Mean quality of the champion.
        end: Mean quality of the champion in the last quarter of the periods.
        ceiling: What real rows reach in that quarter.
    """

    strategy: Strategy
    trainings: int
    warm_starts: int
    promoted: int
    seconds: float
    ahead: float | None
    quality: float | None
    end: float | None
    ceiling: float | None


class Story(Record):
    """A replay.

    Attributes:
        column: The column of the times.
        every: Length of a period.
        periods: Number of periods with rows.
        rows: Number of rows of the table.
        steps: Every turn, by time and, within a period, in the order of `STRATEGIES`.
    """

    column: str
    every: str
    periods: int
    rows: int
    steps: tuple[Step, ...]

    def of(self, strategy: Strategy) -> tuple[Step, ...]:
        """The turns of a strategy."""
        return tuple(step for step in self.steps if step.strategy == strategy)

    def summary(self, strategy: Strategy) -> Summary:
        """The summary of a strategy."""
        steps = self.of(strategy)
        last = steps[-max(1, self.periods // END) :]
        trained = [step for step in steps if step.trained is not None]
        return Summary(
            strategy=strategy,
            trainings=len(trained),
            warm_starts=sum(step.plan == "warm-start" for step in trained),
            promoted=sum(step.decision == "promoted" for step in trained),
            seconds=sum(step.seconds for step in trained),
            ahead=_mean(step.ahead.overall for step in steps if step.ahead is not None),
            quality=_mean(step.quality.overall for step in steps if step.quality is not None),
            end=_mean(step.quality.overall for step in last if step.quality is not None),
            ceiling=_mean(step.quality.ceiling for step in last if step.quality is not None),
        )

    @property
    def loss(self) -> float | None:
        """By which share the loop's quality at the end is below that of *always*. Negative if it is better."""
        loop, always = self.summary("loop").end, self.summary("always").end
        return None if loop is None or always is None else 1 - loop / always


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


def _excess(finding: Finding) -> float:
    return finding.size / max(finding.threshold, 1e-9)
