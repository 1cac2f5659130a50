"""A figure of what drifted, drawn from profiles without rows."""

from matplotlib.axes import Axes

from pipeline.decisions.drift import DriftReport, Finding
from pipeline.measures import Side
from pipeline.measures.drawing import nothing, null_bars
from pipeline.pictures.style import MOST_PANELS, PANELS_PER_ROW, Picture, panel_rows, plain, written
from pipeline.profiles.profile import Profile
from pipeline.schema import Column, Schema

SENTENCE = 120  # letters
PHRASE = 40  # letters that fit above a panel


def drift(reference: Profile, incoming: Profile, found: DriftReport, schema: Schema) -> Picture:
    """Draw the distributions of the columns that drifted, the worst first, from profiles without rows.

    If no column drifted by itself, the columns with the largest changes are shown, and the title says so.

    Args:
        reference: The profile of the table that the model was trained on.
        incoming: The profile of the other table.
        found: Their comparison, which chooses the columns.
        schema: The columns of which something may be shown, and how many rows have to share a label that is named.
    """
    names = {column.name for column in incoming.columns} & {column.name for column in reference.columns}
    names &= set(schema.names)
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
    figure = Picture(figsize=(3.5 * across, 0.6 + 2.7 * panel_rows(len(shown))), layout="constrained")
    panels = list(figure.subplots(panel_rows(len(shown)), across, squeeze=False).flat)
    for axes, finding in zip(panels, shown, strict=False):
        _change(axes, reference, incoming, schema[finding.column])
        what = finding.text.removeprefix(f"{finding.column}: ").partition(" (")[0]
        axes.set_title(f"{written(finding.column)}\n{written(what, PHRASE)}", loc="left", fontsize=8)
        plain(axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.suptitle(f"{title}: known rows (grey) and incoming rows (red)" if shown else title, fontsize=11)
    return figure


def _change(axes: Axes, reference: Profile, incoming: Profile, column: Column) -> None:
    """Draw a change as the column's measure does. If values are not compared, only nulls are."""
    mine, theirs = reference[column.name], incoming[column.name]
    if mine.kind != theirs.kind:
        nothing(axes, "not the same kind of column")
    elif mine.measure is not None and mine.summary is not None and theirs.summary is not None:
        before, after = (Side(each.summary, each.nulls, each.type) for each in (mine, theirs))
        mine.measure.draw_change(axes, before, after, column.least_rows)
    else:
        null_bars(axes, mine.nulls / max(1, reference.rows), theirs.nulls / max(1, incoming.rows))
