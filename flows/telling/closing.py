"""What a person reads at the end of a run or an evaluation: is it good, yes or no, and why; then scores and places.

The first line is the verdict. The table below it has one direction (`pipeline.decisions.quality`) and fits 80 columns.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console

from flows.telling import display
from pipeline.decisions import quality
from pipeline.decisions.promotion import decide
from pipeline.evaluation import METRICS

if TYPE_CHECKING:
    from flows.telling.outcome import RunOutcome
    from pipeline.evaluation import Evaluation
    from pipeline.settings import GateSettings

HEAD = ("quality in %", "synthetic", "real rows", "at least", "100 % is best")
TELLING = 0.0005  # a change of a score that is worth telling


def run(console: Console, found: "RunOutcome", gate: "GateSettings") -> None:
    """Print the outcome of a run."""
    told(console, verdict(found, gate))
    if found.drift is not None:
        console.print()
        display.drift(console, found.drift)
    if found.evaluation is not None:
        scores(console, found.evaluation, gate)
    console.print()
    if found.decision == "refused":
        console.print(display.table("", ["", ""], reasoned(found), header=False))
    for title, text in facts(found):
        told(console, f"{title:<10} {text}")  # a path that the terminal wraps can be copied as a whole
    for note in (*found.warnings, *costs(found)):
        told(console, f"note: {note}")
    for file in found.quarantined:
        told(console, f"quarantined: {file.name}: {file.reason}")
    display.assumed(console, found.assumptions)


def evaluation(console: Console, found: "Evaluation", gate: "GateSettings") -> None:
    """Print the comparison of two tables."""
    told(console, quality.judged(found, gate).line)
    scores(console, found, gate)


def verdict(found: "RunOutcome", gate: "GateSettings") -> str:
    """Whether the rows are good, and what follows from that, in one or two sentences."""
    if found.decision == "skipped":
        why = "; ".join(found.reasons) or "nothing calls for a training"
        return f"Nothing to train: {why}."
    return judged(found, gate).line


def judged(found: "RunOutcome", gate: "GateSettings") -> quality.Verdict:
    """The verdict on the version that a run has made."""
    who = f"{found.name} version {found.version}"
    if found.decision == "promoted":
        return quality.Verdict(
            good=True, why=f"Every score is within the limits of the gate, and {who} is the champion"
        )
    stays = f"version {found.published} publishes" if found.published is not None else "nothing is published"
    passed = found.evaluation is not None and decide(found.evaluation, None, gate).promote
    if passed and found.reasons and found.reasons[-1].startswith("a person"):
        return quality.Verdict(good=True, why=f"but {found.reasons[-1]}; until then {stays}")
    why = quality.because(found.evaluation, gate, found.reasons)
    return quality.Verdict(good=False, why=f"{why}. {who} was refused; {stays}")


def scores(console: Console, found: "Evaluation", gate: "GateSettings") -> None:
    """Print the scores beside what real rows reach, and where the rows are weakest."""
    console.print()
    if rows := cells(found, gate):
        console.print(display.table("", HEAD, rows))
    if weak := list(quality.weakest(found)):
        console.print()
        console.print(display.table("", ["", ""], weak, header=False))
    for note in found.remarks:
        told(console, f"note: {note}")


def cells(found: "Evaluation", gate: "GateSettings") -> list[tuple[str, ...]]:
    """A row of `HEAD` for each score. A score that refuses is marked."""
    return [
        (
            line.title.name,
            f"{line.value:.1f}" if line.passes else f"{line.value:.1f} !",
            "" if line.real is None else f"{line.real:.1f}",
            "" if line.least is None else f"{line.least:.1f}",
            line.title.meaning,
        )
        for line in quality.lines(found, gate)
    ]


def reasoned(found: "RunOutcome") -> list[tuple[str, str]]:
    """The decision and its reasons, as pairs of a title and a text; reasons after the first have no title."""
    return [("" if i else found.decision, reason) for i, reason in enumerate(found.reasons)]


def facts(found: "RunOutcome") -> list[tuple[str, str]]:
    """What was done, and where it lies, as pairs of a title and a text."""
    rows = []
    if found.plan is not None and found.plan.action != "skip":
        rows.append(("training", f"{found.plan.action}: {'; '.join(found.plan.reasons)}"))
    if found.export is not None:
        rows.append(("published", f"{found.export.rows:,} rows of version {found.published}"))
        rows.append(("files", str(found.export.path)))
    if (place := found.page or found.documents) is not None:
        rows.append(("report", place))
    return [*rows, ("took", f"{sum(found.seconds.values()):.0f} s")]


def costs(found: "RunOutcome") -> Iterator[str]:
    """What withholding costs, and how far a small table is shrunk."""
    if found.privacy is None:
        return
    costs = {name: change for name, change in found.privacy.cost.items() if name in quality.TITLES}
    largest = max(costs.items(), key=lambda cost: abs(cost[1]), default=("", 0.0))
    if found.privacy.withheld and abs(largest[1]) >= TELLING:
        name, change = largest
        points = 100 * change if METRICS[name].goal == "max" else -100 * change
        yield (
            "what few rows share is withheld, which changes the scores of the real rows themselves, "
            f"{quality.TITLES[name].name} most, by {points:+.1f} points"
        )
    shrinkage = found.privacy.shrinkage
    if shrinkage is not None and shrinkage.share == 1:
        yield "the table is small: columns are generated independently, so that no row is copied"
    elif shrinkage is not None and shrinkage.share:
        yield (
            f"the table is small: each column is shuffled among {shrinkage.share:.0%} of the rows, so that an"
            f" attack finds its rows no better than by chance (AUC {shrinkage.auc:.2f})"
        )


def told(console: Console, line: str) -> None:
    """Print a line as it is, wrapped by the terminal alone."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)
