"""What Prefect's pages show of a run when it has ended: its outcome in Markdown, as an artifact.

Names of columns, files and reasons may hold any character, so every text is escaped. The facts are those of the
terminal (`flows.telling.closing`).
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from prefect.artifacts import create_markdown_artifact

from flows.telling import closing, display
from flows.telling.clock import offer
from pipeline import assumptions
from pipeline.decisions import quality

if TYPE_CHECKING:
    from flows.telling.outcome import RunOutcome
    from pipeline.decisions.drift import DriftReport
    from pipeline.replay.story import Story
    from pipeline.settings import GateSettings

MARKER = re.compile(r"^(\d*)([-+.)])(?=\s|$)")
"""What would begin an item of a list."""
SPECIAL = re.compile(r"([\\`*\[\]<>|~&$#]|\b_|_\b)")  # within a word, Markdown shows an underscore


def show(table: str, purpose: str, outcome: str, text: str) -> bool:
    """Show Markdown as the artifact of a run. All runs of a purpose share a key, so the page of a key is their history.

    Args:
        table: The name of the table's model.
        purpose: The purpose of the run, such as "train".
        outcome: What came of it, in a few words.
        text: Markdown.

    Returns:
        Whether the server took it.
    """
    description = f"{table}: {purpose}: {outcome}"
    return offer(lambda: create_markdown_artifact(text, key=key(table, purpose), description=description))


def key(table: str, purpose: str) -> str:
    """The key of an artifact. Prefect admits small letters of English, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{table} {purpose}".lower()).strip("-")


def run(found: "RunOutcome", gate: "GateSettings") -> str:
    """The outcome of a run: the verdict first."""
    blocks = [f"**{escaped(closing.verdict(found, gate))}**", items([*closing.reasoned(found), *closing.facts(found)])]
    if found.evaluation is not None:
        blocks += ["### Quality", table(closing.HEAD, closing.cells(found.evaluation, gate))]
        blocks.append(items(quality.weakest(found.evaluation)))
    if found.drift is not None:
        blocks.append(drift(found.drift))
    remarks = found.evaluation.remarks if found.evaluation is not None else ()
    notes = [("note", note) for note in (*remarks, *found.warnings, *closing.costs(found))]
    blocks.append(items([*notes, *(("quarantined", f"{file.name}: {file.reason}") for file in found.quarantined)]))
    if found.assumptions:
        blocks += ["### What resynth assumed", items(assumptions.rows(found.assumptions))]
        blocks += [escaped(display.OVERRULE), fenced(assumptions.settings(found.assumptions), "toml")]
    return document(blocks)


def drift(report: "DriftReport") -> str:
    """What has drifted, the largest first, and how many comparisons were made."""
    drifted = [finding for finding in report.findings if finding.drifted]
    told = f"{len(drifted)} of {len(report.findings)} comparisons drifted" if drifted else "No drift"
    texts = [(each.column, each.text.removeprefix(f"{each.column}: ")) for each in drifted[: display.SHOWN]]
    texts += [("more", f"{len(drifted) - display.SHOWN} smaller ones")] * (len(drifted) > display.SHOWN)
    head, *rows = display.odd(report) or [""]
    odd = items([("rows", head), *(("", row) for row in rows)] if head else [])
    counts = f"{told}: {report.rows:,} new rows beside {report.reference_rows:,} known ones."
    return document(["### Drift", counts, items(texts), items([("note", note) for note in report.notes]), odd])


def replay(story: "Story") -> str:
    """The outcome of a replay."""
    return document([table(display.STRATEGY, display.strategies(story)), escaped(display.verdict(story))])


def document(blocks: Iterable[str]) -> str:
    """Blocks of Markdown as one text. Empty ones are left out."""
    return "\n\n".join(block for block in blocks if block)


def items(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of pairs of key and value. A pair without a key is an item below the one before it."""
    return "\n".join(
        f"- **{escaped(name)}**: {_linked(text)}" if name else f"  - {_linked(text)}" for name, text in pairs
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fenced(text: str, language: str) -> str:
    """A block of code, whatever backticks it holds."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def escaped(text: str) -> str:
    """A text of which Markdown shows every character, in one line."""
    return MARKER.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", " ".join(text.split())))


def _linked(text: str) -> str:
    """An address as a link, any other text as it is."""
    return f"<{text}>" if re.fullmatch(r"https?://[^\s<>]+", text) else escaped(text)
