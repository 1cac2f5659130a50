"""The scores of an evaluation as people read them: in percent, 100 is best, beside what real rows reach.

The library counts some scores as errors, where 0 is best, and others as shares, where 1 is best. A reader of a table
should not have to know which. So an error e becomes 100 · (1 − e), and a share s becomes 100 · s. The privacy score has
its best value at one half: rows that are as often near to a training row as to a row that the model never saw. Scores
without a scale of this sort, such as distances and log-likelihoods, stay in MLflow and in `--json`.

The verdict says whether rows are good. It is yes if they pass every gate. The terminal, Prefect's pages and the report
of a version begin with it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pipeline.assumptions import named
from pipeline.decisions.promotion import decide, last_passing
from pipeline.evaluation import Evaluation, Score
from pipeline.settings import GateSettings

WEAKEST = 3  # columns and pairs that are named
NOTICEABLE = 0.01  # an error beyond that of real rows, below which a column is not worth naming


class Title(NamedTuple):
    """What people call a score.

    Attributes:
        name: Its name.
        meaning: What it says, in a few words.
        best: Its best value, if it is an error.
    """

    name: str
    meaning: str
    best: float = 0.0


TITLES: Mapping[str, Title] = {
    "shape_error": Title("columns", "the values of each column"),
    "mean_error": Title("means", "the mean of each column"),
    "total_error": Title("totals", "the sum of each column"),
    "top_error": Title("top values", "the sum of the top percent"),
    "trend_error": Title("pairs", "each pair of columns"),
    "c2st": Title("rows", "a classifier takes them for real"),
    "coverage": Title("variety", "kinds of real rows that occur"),
    "utility": Title("prediction", "a model trained on the rows"),
    "nearer_to_train": Title("privacy", "as near to new as to training rows", 0.5),
    "attack_auc": Title("attacks", "training rows cannot be told", 0.5),
    "attack_tpr": Title("exposure", "training rows that stay hidden"),
    "copies": Title("copies", "rows that copy no training row"),
    "disclosure_risk": Title("disclosure", "no more told of training rows"),
}


class Rated(NamedTuple):
    """A score in percent.

    Attributes:
        title: Its name and its meaning for people.
        setting: Its name in the settings and in MLflow.
        value: The score of the synthetic rows.
        real: The same score of real rows. None if real rows have no such score.
        least: The lowest value that passes the gate. None if every value passes.
    """

    title: Title
    setting: str
    value: float
    real: float | None
    least: float | None

    @property
    def passes(self) -> bool:
        """Whether the value is what the gate asks for."""
        return self.least is None or self.value >= self.least


class Verdict(NamedTuple):
    """Whether rows are good, and why, for people.

    Attributes:
        good: Whether they are.
        why: The reason and what follows, as a phrase with or without a full stop inside.
    """

    good: bool
    why: str

    @property
    def line(self) -> str:
        """The verdict as the first line of a report."""
        return f"Good: {'yes' if self.good else 'no'}{',' if self.why.startswith('but ') else '.'} {self.why}."


def judged(found: Evaluation, gate: GateSettings) -> Verdict:
    """The verdict on rows that have no version: the gate's limits alone."""
    decision = decide(found, None, gate)
    why = "Every score is within the limits of the gate" if decision.promote else because(found, gate, decision.reasons)
    return Verdict(decision.promote, why)


def because(found: Evaluation | None, gate: GateSettings, reasons: Iterable[str]) -> str:
    """What refused the rows: the scores that are below what the gate asks for, or else its reasons."""
    low = [line for line in lines(found, gate) if not line.passes] if found is not None else []
    if low:
        return "; ".join(f"{line.title.name} {line.value:.1f} %, at least {line.least:.1f} % is asked" for line in low)
    return "; ".join(reasons)


def lines(found: Evaluation, gate: GateSettings) -> Iterator[Rated]:
    """The scores that have a title, in the order of the titles."""
    for name, title in TITLES.items():
        if name in found:
            score = found[name]
            limit = gate.limits.get(name)
            edge = last_passing(score, limit) if limit is not None else None
            yield Rated(
                title,
                name,
                percent(score, score.value),
                None if score.ceiling is None else percent(score, score.ceiling),
                None if edge is None else percent(score, edge),
            )


def percent(score: Score, value: float) -> float:
    """A value of a score in percent, of which 100 is best and 0 is the least that is shown."""
    best = TITLES[score.name].best
    share = value if score.goal == "max" else 1 - max(0.0, value - best) / (1 - best)
    return 100 * min(1.0, max(0.0, share))


def weakest(found: Evaluation) -> Iterator[tuple[str, str]]:
    """The columns and the pairs that are farthest behind real rows, each list as a title and a text."""
    columns = [(named(each.name), each.error, each.ceiling) for each in found.columns]
    pairs = [(f"{named(each.first)} with {named(each.second)}", each.error, each.ceiling) for each in found.pairs]
    for title, worst in (("weakest columns", columns), ("weakest pairs", pairs)):
        behind = sorted((each for each in worst if each[1] - each[2] > NOTICEABLE), key=lambda each: each[2] - each[1])
        if behind:
            shown = (
                f"{name} {100 - 100 * error:.1f} % (real rows {100 - 100 * real:.1f} %)"
                for name, error, real in behind[:WEAKEST]
            )
            yield title, "; ".join(shown)
