"""The log of a run on Prefect's page of it: a line for everything that a person would ask about later.

No line holds a value of the data. Outside of a flow run, nothing is written.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from prefect.context import FlowRunContext
from prefect.logging.loggers import flow_run_logger

from pipeline import assumptions
from pipeline.decisions import quality
from pipeline.settings import GateSettings

if TYPE_CHECKING:
    from pipeline.assumptions import Assumption
    from pipeline.decisions.drift import DriftReport
    from pipeline.evaluation import Evaluation

FINDINGS = 3  # findings of a drift report in a line


def note(line: str) -> None:
    """Write a line. It belongs to the flow run, also within one of its tasks."""
    context = FlowRunContext.get()
    if context is not None and context.flow_run is not None:
        flow_run_logger(context.flow_run).info("%s", line)


def reasoned(what: str, reasons: Iterable[str]) -> str:
    """Something that was decided, and why, in a line."""
    return ": ".join([what, "; ".join(reasons)]).removesuffix(": ")


def assumed(found: Sequence["Assumption"]) -> str:
    """What was assumed about a table in a line. Relations are only counted."""
    own = [each for each in found if each.sort != "relation"]
    told = [f"{title}: {text}" for title, text in assumptions.rows(own)]
    if len(own) < len(found):
        told.append(f"{len(found) - len(own):,} relations between columns hold in every row")
    return reasoned("assumed", told or ["nothing"])


def drifted(report: "DriftReport") -> str:
    """What has drifted, the largest first, in a line."""
    found = [finding.text for finding in report.findings if finding.drifted]
    if not found:
        return f"no drift in {len(report.findings)} comparisons"
    more = [f"and {len(found) - FINDINGS} more"] * (len(found) > FINDINGS)
    return reasoned(f"drift in {len(found)} of {len(report.findings)} comparisons", [*found[:FINDINGS], *more])


def scored(found: "Evaluation") -> str:
    """Scores in percent beside what real rows reach, in a line."""
    texts = [
        f"{line.title.name} {line.value:.1f} %" + (f" (real rows {line.real:.1f} %)" if line.real is not None else "")
        for line in quality.lines(found, GateSettings())
    ]
    return reasoned("scores", texts)
