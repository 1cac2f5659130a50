"""What a person reads at the end: tables for the terminal. `flows.telling.pages` shows the same facts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import assumptions

if TYPE_CHECKING:
    from flows.telling.outcome import RunOutcome
    from flows.tracking.history import Event
    from flows.tracking.registry import Version
    from pipeline.assumptions import Assumption
    from pipeline.decisions.drift import DriftReport
    from pipeline.evaluation import Evaluation
    from pipeline.inspection import Inspection
    from pipeline.replay.story import Story

SHOWN = 10  # findings of a drift report
SCORES = ("area", "score", "synthetic", "real rows", "meaning")
HISTORY = ("when (UTC)", "event", "from", "to", "by", "why")
INSPECTION = ("column", "kind", "sensitive", "distinct", "nulls", "examples", "why")
STRATEGY = ("strategy", "trainings", "promoted", "CPU s", "ahead", "quality", "at the end", "real rows")
ASSUMED = ("sort", "columns")
OVERRULE = "to overrule, at the end of resynth.toml:"
SHORT = 8  # letters of a run's id
WIDE = 120  # columns of a terminal with room for meanings


def run(console: Console, found: "RunOutcome") -> None:
    """Print the outcome of a run."""
    if found.drift is not None:
        drift(console, found.drift)
    if found.evaluation is not None:
        evaluation(console, found.evaluation)
    console.print(_table("", ["", ""], summary(found), header=False))
    for note in (*found.warnings, *cost(found)):
        console.print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)
    for file in found.quarantined:
        console.print(f"quarantined: {file.name}: {file.reason}", soft_wrap=True, markup=False, highlight=False)
    assumed(console, found.assumptions)


def inspection(
    console: Console,
    rows: int,
    found: Sequence["Inspection"],
    taken: Sequence["Assumption"],
    written: Path | None,
) -> None:
    """Print how a table would be taken."""
    cells = [
        (
            column.name,
            column.kind,
            "yes" if column.sensitive else "",
            "" if column.distinct is None else f"{column.distinct:,}",
            f"{column.nulls:,}",
            "; ".join(column.examples),
            column.why,
        )
        for column in found
    ]
    console.print(_table(f"{rows:,} rows", INSPECTION, cells))
    assumed(console, taken)
    if written is not None:
        console.print(f"settings written to {written}", soft_wrap=True, markup=False, highlight=False)


def assumed(console: Console, found: Sequence["Assumption"]) -> None:
    """Print what resynth assumed, and the settings that overrule it."""
    if found:
        console.print()
        console.print(_table("what resynth assumed", ASSUMED, assumptions.rows(found), header=False))
        lines = ("", OVERRULE, assumptions.settings(found))
        console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)


def evaluation(console: Console, found: "Evaluation") -> None:
    """Print scores beside what real rows reach. If there is room, also print what the scores mean."""
    shown = len(SCORES) if console.width >= WIDE else len(SCORES) - 1
    console.print(_table("quality", SCORES[:shown], [row[:shown] for row in scores(found)]))
    for note in found.remarks:
        console.print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)


def drift(console: Console, report: "DriftReport") -> None:
    """Print what has drifted, the largest first."""
    verdict = "found" if report.drifted else "none"
    drifted = [finding for finding in report.findings if finding.drifted]
    for finding in drifted[:SHOWN]:
        console.print(f"  {finding.text}", soft_wrap=True, markup=False, highlight=False)
    for note in report.notes:
        console.print(f"  note: {note}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"drift: {verdict} ({len(drifted)} of {len(report.findings)} checks)", highlight=False)


def versions(console: Console, found: Sequence["Version"], other: Sequence["Version"]) -> None:
    """Print model versions. `other` are versions made under privacy settings that no longer hold."""
    rows = [
        (
            version.name,
            version.version,
            ", ".join(version.aliases),
            f"{version.created:%Y-%m-%d %H:%M} UTC",
            version.tags.get("decision", ""),
            version.tags.get("reasons", ""),
        )
        for version in found
    ]
    console.print(_table("", ["model", "version", "alias", "registered", "decision", "reasons"], rows))
    for version in other:
        note = (
            f"note: {version.name} version {version.version} and its exports were made under other privacy settings"
            " than those of now"
        )
        console.print(note, soft_wrap=True, markup=False, highlight=False)


def history(console: Console, events: Sequence["Event"]) -> None:
    """Print every move of a model's alias. On a narrow terminal, ids of runs are cut to their first letters."""
    letters = None if console.width >= WIDE else SHORT
    rows = [
        (
            f"{event.when:%Y-%m-%d %H:%M}",
            event.kind,
            event.before or "–",
            event.after or "–",
            event.by[:letters],
            event.why,
        )
        for event in events
    ]
    if rows:
        console.print()
        console.print(_table("history of the champion", HISTORY, rows))


def replay(console: Console, story: "Story", path: Path) -> None:
    """Print the result of a replay, one line per strategy, and the place of the story."""
    console.print(_table("", STRATEGY, strategies(story)))
    console.print(verdict(story), str(path), sep="\n", markup=False, highlight=False, soft_wrap=True)


def strategies(story: "Story") -> list[tuple[str, ...]]:
    """One row per strategy."""
    from pipeline.replay.story import STRATEGIES  # noqa: PLC0415 - it imports everything that only replays need

    rows = []
    for strategy in STRATEGIES:
        found = story.summary(strategy)
        qualities = (found.ahead, found.quality, found.end, found.ceiling)
        shown = ["–" if quality is None else f"{quality:.4f}" for quality in qualities]
        warm = f"{found.trainings} ({found.warm_starts} warm)" if found.warm_starts else str(found.trainings)
        rows.append((strategy, warm, str(found.promoted), f"{found.seconds:.0f}", *shown))
    return rows


def verdict(story: "Story") -> str:
    """What the loop cost and reached, compared with training every time."""
    loop, always = story.summary("loop"), story.summary("always")
    if story.loss is None:
        return f"{story.periods} periods: no version passed the gate"
    reached = f"{abs(story.loss):.2%} {'below' if story.loss > 0 else 'above'} that of training always"
    return (
        f"{story.periods} periods: {loop.trainings} trainings instead of {always.trainings}, "
        f"{loop.seconds:.0f} CPU seconds instead of {always.seconds:.0f}; quality at the end {reached}"
    )


def cost(found: "RunOutcome") -> list[str]:
    """What withholding costs, and how far a small table is shrunk."""
    if found.privacy is None:
        return []
    told = []
    if found.privacy.withheld:
        changes = ", ".join(f"{name} {change:+.4f}" for name, change in found.privacy.cost.items())
        told.append(f"withholding changes the scores of the real rows themselves: {changes}")
    shrinkage = found.privacy.shrinkage
    if shrinkage is not None and shrinkage.share == 1:
        told.append("the table is small: columns are generated independently, so that no row is copied")
    elif shrinkage is not None and shrinkage.share:
        told.append(
            f"the table is small: each column is shuffled among {shrinkage.share:.0%} of the rows, so that an"
            f" attack finds its rows no better than by chance (AUC {shrinkage.auc:.2f})"
        )
    return told


def summary(found: "RunOutcome") -> list[tuple[str, str]]:
    """Decision, version and the place of the files, as pairs of key and value."""
    who = found.name if found.version is None else f"{found.name} version {found.version}"
    rows = [("decision", f"{who} {found.decision}"), *(("", reason) for reason in found.reasons)]
    if found.plan is not None and found.plan.action != "skip":
        rows.append(("training", f"{found.plan.action}: {'; '.join(found.plan.reasons)}"))
    if found.export is not None:
        rows.append(("published", f"{found.export.rows:,} rows of version {found.published}"))
        rows.append(("files", str(found.export.path)))
    elif found.decision == "refused":
        rows.append(("published", "nothing: there is no champion that could"))
    if found.documents is not None:
        rows.append(("report", found.documents))
    return [*rows, ("seconds", f"{sum(found.seconds.values()):.0f}")]


def scores(found: "Evaluation") -> list[tuple[str, str, str, str, str]]:
    """One row per score. Each area is named only once."""
    rows: list[tuple[str, str, str, str, str]] = []
    last = ""
    for score in found.scores:
        area = "" if score.area == last else score.area
        last = score.area
        ceiling = f"{score.ceiling:.4f}" if score.ceiling is not None else ""
        rows.append((area, score.name, f"{score.value:.4f}", ceiling, score.meaning))
    return rows


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, header: bool = True) -> Table:
    table = Table(title=title or None, title_justify="left", show_header=header, box=None, pad_edge=False)
    for name in head:
        numeric = name in {"synthetic", "real rows", "distinct", "nulls", *STRATEGY[1:]}
        whole = name == "sort" or (name in HISTORY and name != "why")  # only reasons and lists may wrap
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # texts of people must not be read as markup
    return table
