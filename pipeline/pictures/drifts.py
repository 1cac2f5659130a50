"""A figure of what drifted, drawn from profiles without rows."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.decisions.drift import DriftReport, Finding
from pipeline.measures import Side
from pipeline.measures.drawing import nothing
from pipeline.pictures.style import MOST_PANELS, PANELS_PER_ROW, panel_rows, plain, written
from pipeline.profiles.profile import ColumnProfile, Profile

SENTENCE = 120  # letters


def drift(reference: Profile, incoming: Profile, found: DriftReport) -> Figure:
    """Draw the distributions of the columns that drifted, the worst first, from profiles without rows.

    If no column drifted by itself, the columns with the largest changes are shown, and the title says so.

    Args:
        reference: The profile of the table that the model was trained on.
        incoming: The profile of the other table.
        found: Their comparison, which chooses the columns.
    """
    names = {column.name for column in incoming.columns} & {column.name for column in reference.columns}
    worst: dict[str, Finding] = {}
    for finding in found.findings:  # drifted ones come first
        if finding.column in names:
            worst.setdefault(finding.column, finding)
    shown = [finding for finding in worst.values() if finding.drifted][:MOST_PANELS]
    title = "What drifted"
    if not shown:
        shown = list(worst.values())[:PANELS_PER_ROW]
        title = (
            f"No column drifted by itself, but: {written(found.findings[0].text, SENTENCE)}"
            if found.drifted
            else "Nothing drifted"
        )
        title = f"{title}\nLargest changes of columns" if shown else f"{title}\nNo column can be compared"
    across = min(PANELS_PER_ROW, max(1, len(shown)))
    figure = Figure(figsize=(3.5 * across, 0.6 + 2.5 * panel_rows(len(shown))), layout="constrained")
    panels = list(figure.subplots(panel_rows(len(shown)), across, squeeze=False).flat)
    for axes, finding in zip(panels, shown, strict=False):
        _change(axes, reference[finding.column], incoming[finding.column])
        axes.set_title(f"{written(finding.column)}   {finding.what} {finding.size:.3f}", loc="left", fontsize=9)
        plain(axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.suptitle(f"{title}: reference (grey) and incoming rows (red)" if shown else title, fontsize=11)
    return figure


def _change(axes: Axes, mine: ColumnProfile, theirs: ColumnProfile) -> None:
    """Draw a change as the column's measure does."""
    if mine.measure is None or mine.summary is None or theirs.summary is None or mine.kind != theirs.kind:
        nothing(axes, "nothing to draw")
        return
    mine.measure.draw_change(axes, Side(mine.summary, mine.nulls), Side(theirs.summary, theirs.nulls))
