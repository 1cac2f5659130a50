"""Tables for the terminal. `flows.telling.closing` has the end of a run."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import assumptions

if TYPE_CHECKING:
    import pyarrow as pa

    from flows.tracking.history import Event
    from flows.tracking.registry import Version
    from pipeline.assumptions import Assumption
    from pipeline.decisions.drift import DriftReport
    from pipeline.inspection import Inspection
    from pipeline.queries.anomaly import ScoreReport
    from pipeline.queries.arithmetic import Arithmetic, Typical
    from pipeline.queries.latent import LatentSummary
    from pipeline.queries.walks import Walk
    from pipeline.replay.story import Story
    from pipeline.schema import Schema

SHOWN = 10  # findings of a drift report
VERSIONS = ("model", "version", "alias", "registered (UTC)", "decision", "reasons")
HISTORY = ("when (UTC)", "event", "from", "to", "by", "why")
INSPECTION = ("column", "kind", "sensitive", "distinct", "nulls", "examples", "why")
STRATEGY = ("strategy", "trainings", "promoted", "CPU s", "ahead", "quality", "at the end", "real rows")
REASONED = ("worst column", "anomalies", "share")
ASSUMED = ("sort", "columns")
OVERRULE = "to overrule, at the end of resynth.toml:"
LONGEST_CELL = 40  # letters of a value of a preview
SHORT = 8  # letters of a run's id
WIDE = 120  # columns of a terminal with room for whole ids


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
    console.print(table(f"{rows:,} rows", INSPECTION, cells))
    assumed(console, taken, overrule=written is None)  # what is written is changed where it stands
    if written is not None:
        console.print(f"settings written to {written}", soft_wrap=True, markup=False, highlight=False)


def assumed(console: Console, found: Sequence["Assumption"], *, overrule: bool = True) -> None:
    """Print what resynth assumed, and the settings that overrule it, if they are asked for."""
    if found:
        console.print()
        console.print(table("what resynth assumed", ASSUMED, assumptions.rows(found), header=False))
    if found and overrule:
        lines = ("", OVERRULE, assumptions.settings(found))
        console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)


def drift(console: Console, report: "DriftReport") -> None:
    """Print what has drifted, the largest first."""
    verdict = "found" if report.drifted else "none"
    drifted = [finding for finding in report.findings if finding.drifted]
    for finding in drifted[:SHOWN]:
        console.print(f"  {finding.text}", soft_wrap=True, markup=False, highlight=False)
    for note in report.notes:
        console.print(f"  note: {note}", soft_wrap=True, markup=False, highlight=False)
    for line in odd(report):
        console.print(f"  {line}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"drift: {verdict} ({len(drifted)} of {len(report.findings)} checks)", highlight=False)


def odd(report: "DriftReport") -> list[str]:
    """Rows that look wrong, a line each below a line with their number; no line if there is none."""
    if report.odd is None or not report.odd.found:
        return []
    listed = report.odd.rows[:SHOWN]
    more = f", the worst {len(listed)}" if report.odd.found > len(listed) else ""
    head = f"{report.odd.found:,} of {report.odd.looked_at:,} rows look wrong{more}:"
    return [head, *(f"row {each.row} (p = {each.p_value:.1g}): {', '.join(each.columns)}" for each in listed)]


def scores(console: Console, report: "ScoreReport", path: Path) -> None:
    """Print how many rows count as anomalies, and which columns are the reasons. No value is printed."""
    by = {
        "false_alarms": f"p ≤ {report.level:g}",
        "quantile": f"beyond the quantile {report.level:g} of these rows",
        "robust_z": f"robust z ≥ {report.level:g}",
    }[report.threshold]
    chance = "" if report.expected is None else f", {report.expected:,.0f} expected if all were ordinary"
    counted = f"{report.anomalies:,} of {report.rows:,} rows are anomalies ({by}{chance})"
    console.print(counted, soft_wrap=True, highlight=False)
    first = list(report.reasons.items())
    cells = [(name, f"{count:,}", f"{count / report.anomalies:.0%}") for name, count in first[:SHOWN]]
    if cells:
        console.print(table("", REASONED, cells))
    if len(first) > SHOWN:
        console.print(f"and {len(first) - SHOWN} more columns", highlight=False)
    console.print(str(path), soft_wrap=True, markup=False, highlight=False)


def versions(console: Console, found: Sequence["Version"], other: Sequence["Version"]) -> None:
    """Print model versions, one line each. `other` were made under privacy settings that no longer hold."""
    rows = [
        (
            version.name,
            version.version,
            ", ".join(version.aliases),
            f"{version.created:%Y-%m-%d %H:%M}",
            version.tags.get("decision", ""),
            version.tags.get("reasons", ""),
        )
        for version in found
    ]
    widths = [max(map(len, cells)) for cells in zip(VERSIONS, *rows, strict=True)]
    for row in (VERSIONS, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        shown = line if len(line) <= console.width else f"{line[: console.width - 1]}…"
        console.print(shown, markup=False, highlight=False, soft_wrap=True)
    for version in other:
        note = (
            f"note: {version.name} version {version.version} and its exports were made under other privacy settings"
            " than those of now"
        )
        console.print(note, soft_wrap=True, markup=False, highlight=False)


def preview(console: Console, of: str, rows: "pa.Table", notes: Iterable[str]) -> None:
    """Print a few rows, in as many blocks of columns as the width asks for.

    Args:
        console: Where to print.
        of: What the rows are of.
        rows: The rows.
        notes: How they were read, one line each.
    """
    import pandas as pd  # noqa: PLC0415 - for people who look at rows

    cells = {i: ["null" if value is None else str(value) for value in own.to_pylist()] for i, own in enumerate(rows)}
    frame = pd.DataFrame(cells).set_axis(rows.column_names, axis="columns")
    text = frame.to_string(line_width=console.width, max_colwidth=LONGEST_CELL, index=False)
    lines = [line.removesuffix(" \\") for line in text.splitlines()]  # pandas marks blocks that go on
    for line in (of, "", *lines, *(f"note: {note}" for note in notes)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def latent(
    console: Console,
    of: str,
    summary: "LatentSummary",
    walks: Iterable["Walk"],
    arithmetic: "Arithmetic | None",
    schema: "Schema",
    last: Sequence[str],
) -> None:
    """Print what was found in a latent space: its dimensions, walks as rows, and groups beside decoded rows.

    Args:
        console: Where to print.
        of: The version.
        summary: Its latent space.
        walks: Walks through it.
        arithmetic: Groups that were added and subtracted, if any were.
        schema: The columns of the version.
        last: Lines to end with.
    """
    active = f"{sum(summary.active)} of {len(summary.active)} dimensions are active units"
    overlap = f"on the plane of the map, {summary.rows:,} rows and the prior overlap by {summary.overlap:.0%}"
    _say(console, f"{of}: {active}; rates add up to {sum(summary.rates):.1f} nats per row", overlap)
    for walk in walks:
        moved = [f"{name} {size:.2f}" for name, size in walk.responses(schema).items()][:SHOWN]
        _say(console, "")
        preview(console, walk.what, walk.rows, [f"moves most (from 0 to 1): {', '.join(moved)}"])
    if arithmetic is not None:
        head = ["column", *(f"{'+' if each.sign > 0 else '−'} {each.text}" for each in arithmetic.groups), "decoded"]
        rows = [[each.name, *map(_typical, (*each.groups, each.decoded))] for each in arithmetic.compositions(schema)]
        _say(console, "")
        console.print(table("the most frequent label with its share, or the median", head, rows))
    _say(console, *last)


def _typical(found: "Typical") -> str:
    """What is typical of a column."""
    value = "null" if found.value is None else found.value[:LONGEST_CELL]
    return value if found.share is None else f"{value} {found.share:.0%}"


def _say(console: Console, *lines: str) -> None:
    """Print lines as they are."""
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


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
        console.print(table("history of the champion", HISTORY, rows))


def replay(console: Console, story: "Story", path: Path) -> None:
    """Print the result of a replay, one line per strategy, and the place of the story."""
    console.print(table("", STRATEGY, strategies(story)))
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


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, header: bool = True) -> Table:
    """A table for the terminal.

    Args:
        title: A line above it, or nothing.
        head: Names of the columns.
        rows: The cells.
        header: Whether the names are shown.
    """
    made = Table(title=title or None, title_justify="left", show_header=header, box=None, pad_edge=False)
    for name in head:
        numeric = name in {
            "synthetic",
            "real rows",
            "at least",
            "distinct",
            "nulls",
            "anomalies",
            "share",
            *STRATEGY[1:],
        }
        whole = name == "sort" or (name in HISTORY and name != "why")  # only reasons and lists may wrap
        made.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        made.add_row(*map(Text, row))  # texts of people must not be read as markup
    return made
