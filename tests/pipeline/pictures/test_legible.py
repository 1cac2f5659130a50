"""Pictures that a stranger can read: ticks apart from each other, units, and no label of few rows."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import num2date
from matplotlib.figure import Figure

from pipeline import columns
from pipeline.columns import infer
from pipeline.decisions.drift import compare
from pipeline.evaluation import evaluate
from pipeline.measures import NOMINAL, drawing
from pipeline.measures.rulers import number
from pipeline.pictures import drift, quality
from pipeline.pictures.style import plain
from pipeline.profiles.reference import Reference
from pipeline.schema import ColumnSettings
from pipeline.settings import DriftSettings, EvaluationSettings

RNG = np.random.default_rng(7)
ROWS = 1200


def moments(first: str, last: str, unit: str = "s") -> np.ndarray:
    """Evenly spread points in time."""
    ends = np.array([first, last], f"datetime64[{unit}]").astype(np.int64)
    return RNG.integers(*ends, ROWS).astype(f"datetime64[{unit}]")


COLUMNS = {
    "a few days": pa.array(moments("2022-05-03", "2022-05-12")),
    "a few hours": pa.array(moments("2022-05-03T06", "2022-05-03T11")),
    "seconds": pa.array(moments("2022-05-03T06:00", "2022-05-03T06:01")),
    "two years": pa.array(moments("2021-03-01", "2023-02-12", "D")),
    "a century": pa.array(moments("1921-03-01", "2023-02-12", "D")),
    "in a zone": pa.array(moments("2021-03-01", "2023-02-12"), pa.timestamp("s", tz="Europe/Berlin")),
    "milliseconds": pa.array(moments("2021-03-01", "2021-08-12", "ms").astype(np.int64), pa.date64()),
    "beyond the calendar": pa.array(RNG.integers(-(2**62), 2**62, ROWS), pa.timestamp("s")),
    "time": pa.array(RNG.integers(0, 86_400, ROWS), pa.int32()).cast(pa.time32("s")),
    "duration": pa.array(RNG.integers(0, 30 * 3600, ROWS), pa.duration("s")),
    "money": np.round(np.exp(RNG.normal(6, 2, ROWS)), 2),
    "salaries": np.round(RNG.normal(52_345, 9_000, ROWS)),
    "population": RNG.integers(10**6, 5 * 10**7, ROWS),
    "near a million": 1_000_000 + RNG.integers(0, 9, ROWS),
    "years": RNG.integers(2010, 2015, ROWS),
    "shares": RNG.random(ROWS),
    "tiny": RNG.random(ROWS) * 1e-7,
    "huge": RNG.normal(size=ROWS) * 1e200,
    "mostly zero": np.where(RNG.random(ROWS) < 0.9, 0, RNG.integers(1, 90_000, ROWS)),
    "negative": -np.exp(RNG.normal(6, 2, ROWS)),
    "labels": RNG.choice(["x" * 60, "$y$", "zebra"], ROWS),
    "wide": [f"label {i:05d}" for i in (RNG.pareto(1, ROWS) * 100).astype(int)],
}


def panel(width: float = 2.6) -> tuple[Figure, Axes]:
    """A narrow panel."""
    figure = Figure(figsize=(width, 1.9), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def drawn(name: str, width: float = 2.6) -> Axes:
    """A column drawn as by `quality`, in a panel of its own."""
    figure, axes = panel(width)
    table = pa.table({name: COLUMNS[name]})
    schema = infer(table, {name: ColumnSettings(kind="categorical")} if name in {"labels", "wide"} else {})
    measure = columns.measure(schema[name].kind)
    assert measure is not None
    measure.draw(axes, table[name].slice(0, 600), table[name].slice(600), 5)
    plain(axes)
    figure.canvas.draw()
    return axes


def apart(axes: Axes) -> None:
    """Check that no label of a tick lies on the next, on either axis."""
    low, high = sorted(axes.get_xlim())
    shown = [label for label in axes.get_xticklabels() if label.get_text() and low <= label.get_position()[0] <= high]
    across = sorted((label.get_window_extent() for label in shown), key=lambda box: box.x0)
    assert all(left.x1 < right.x0 for left, right in pairwise(across)), [label.get_text() for label in shown]
    low, high = sorted(axes.get_ylim())
    shown = [label for label in axes.get_yticklabels() if label.get_text() and low <= label.get_position()[1] <= high]
    upwards = sorted((label.get_window_extent() for label in shown), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(upwards)), [label.get_text() for label in shown]


def ticks(axes: Axes) -> list[str]:
    """The labels of the ticks within a panel."""
    low, high = sorted(axes.get_xlim())
    return [text.get_text() for text in axes.get_xticklabels() if low <= text.get_position()[0] <= high]


@pytest.mark.parametrize("width", [2.2, 3.5])
@pytest.mark.parametrize("name", COLUMNS)
def test_no_tick_hides_another(name: str, width: float) -> None:
    """In narrow and in wide panels, whatever the values are, and there are at least two ticks."""
    axes = drawn(name, width)
    apart(axes)
    assert len([text for text in ticks(axes) if text]) >= 2


def test_dates_lie_on_a_calendar() -> None:
    """The axis is matplotlib's of dates, and spans the values. Its ticks are years and months."""
    axes = drawn("two years")
    first, last = (num2date(end).date() for end in axes.get_xlim())
    assert dt.date(2020, 12, 1) < first < dt.date(2021, 4, 1)
    assert dt.date(2023, 1, 1) < last < dt.date(2023, 5, 1)
    assert "2022" in ticks(axes)
    assert {"1960", "2000"} <= set(ticks(drawn("a century")))


def test_times_and_durations_have_their_units() -> None:
    """A time of day is hours and minutes, and a duration has the unit of its size."""
    assert {"06:00", "12:00", "18:00"} <= set(ticks(drawn("time")))
    assert {"10 h", "20 h"} <= set(ticks(drawn("duration")))


def test_numbers_have_short_ticks() -> None:
    """Thousands and millions have letters, years are whole, and no power of ten stands beside an axis."""
    assert all(text.endswith("M") for text in ticks(drawn("population")) if text != "0")
    assert all(text.endswith("k") for text in ticks(drawn("salaries")))
    assert set(ticks(drawn("years"))) <= {str(year) for year in range(2009, 2016)}
    for name in ("population", "near a million", "tiny", "huge"):
        assert drawn(name).xaxis.get_offset_text().get_text() == ""
    texts = [number(value) for value in (0, 1234.5, 25_000, 1_500_000, 2e9, -3e12, 1e-7, 1e300, 0.1 + 0.2)]
    assert texts == ["0", "1234.5", "25k", "1.5M", "2G", "-3T", "1e-07", "1e+300", "0.3"]


def test_a_heavy_tail_is_readable() -> None:
    """The axis is logarithmic and says so, and most bars are not in a corner. A symmetric column has a linear axis."""
    axes = drawn("money")
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "logarithmic axis")
    heights = axes.patches[0].get_data().values
    assert heights[: len(heights) // 4].sum() < 0.5
    assert heights.sum() == pytest.approx(1)
    assert drawn("salaries").get_xscale() == "linear"


def test_a_column_of_zeros_shows_the_others() -> None:
    """The panel says how many zeros both sides have."""
    axes = drawn("mostly zero")
    zeros = [float((COLUMNS["mostly zero"][part] == 0).mean()) for part in (slice(0, 600), slice(600, None))]
    assert axes.get_xlabel() == f"not shown: 0 in {zeros[0]:.1%} ({zeros[1]:.1%} in red)"
    assert axes.patches[0].get_data().values.sum() == pytest.approx(1)
    assert axes.patches[0].get_data().values.max() < 0.5


def test_many_labels_are_frequencies_without_names() -> None:
    """The curves are the sorted shares of either side, and no label is named."""
    axes = drawn("wide")
    for line, part in zip(axes.lines, (slice(0, 600), slice(600, None)), strict=True):
        counts = np.unique(COLUMNS["wide"][part], return_counts=True)[1]
        np.testing.assert_allclose(line.get_ydata(), np.sort(counts)[::-1] / 600)
        assert list(line.get_xdata()) == list(range(1, len(counts) + 1))
    assert not any("label 0" in text.get_text() for text in axes.get_yticklabels())
    assert axes.get_xlabel().startswith("rank of the label: ")


def test_long_labels_are_cut() -> None:
    """Every label is at most as long as a name."""
    assert {len(text.get_text()) for text in drawn("labels").get_yticklabels()} <= set(range(1, 20))


@pytest.mark.parametrize("least_rows", [1, 5, 50])
def test_a_label_that_few_real_rows_share_is_not_named(least_rows: int) -> None:
    """It counts among all others, in both sides, however often it is generated or comes in."""
    real = pa.array(["common"] * 100 + ["some"] * 10 + ["rare"] * 4 + [None] * 6)
    other = pa.array(["common"] * 50 + ["rare"] * 20 + ["new"] * 10)
    _, axes = panel()
    drawing.painted(axes, NOMINAL.shares(real, other, least_rows))
    named = [text.get_text() for text in axes.get_yticklabels()]
    every = {"common": 100, "some": 10, "rare": 4, "null": 6}
    assert named == [*sorted((k for k, n in every.items() if n >= least_rows), key=lambda k: -every[k]), "all others"]
    widths = [bar.get_width() for bar in axes.patches]
    assert sum(widths[: len(named)]) == pytest.approx(1)
    assert sum(widths[len(named) :]) == pytest.approx(1)


def test_drift_names_no_label_of_few_rows() -> None:
    """A label of few incoming rows, which no training has seen, is not in the picture. A common new one is."""
    known = pa.table({"x": ["a"] * 500 + ["b"] * 500})
    coming = pa.table({"x": ["a"] * 500 + ["Ann Smith"] * 4 + ["c"] * 496})
    schema = infer(known, {"x": ColumnSettings(kind="categorical")})
    reference = Reference.of(known, schema)
    incoming = reference.profile_of([coming])
    figure = drift(reference.profile, incoming, compare(reference, incoming, DriftSettings()), schema)
    named = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert named == ["b", "c", "a", "all others"]


def test_identifiers_that_drift_show_their_nulls() -> None:
    """A column whose values are not compared has bars of its nulls instead of an empty panel."""
    known = pa.table({"id": [f"user-{i:04d}" for i in range(1000)]})
    coming = pa.table({"id": [f"user-{i:04d}" if i % 2 else None for i in range(1000)]})
    schema = infer(known)
    reference = Reference.of(known, schema)
    incoming = reference.profile_of([coming])
    figure = drift(reference.profile, incoming, compare(reference, incoming, DriftSettings()), schema)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["null"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0, 0.5]


def test_whole_figures_are_legible() -> None:
    """In the figures of a table with every sort of column, no ticks overlap and no title is cut or hides the next."""
    names = list(COLUMNS)[:12]
    table = pa.table({f"{name} {'x' * 20}": COLUMNS[name] for name in names})
    schema = infer(table)
    settings = EvaluationSettings(permutations=20)
    halves = table.slice(0, 600), table.slice(600)
    found = evaluate(
        halves[1], holdout=halves[0], train=halves[0], schema=schema, settings=settings, seed=0, areas=("marginals",)
    )
    reference = Reference.of(halves[0], schema)
    shifted = table.slice(600).set_column(10, table.column_names[10], pa.array(COLUMNS[names[10]][600:] * 3))
    incoming = reference.profile_of([shifted])
    report = compare(reference, incoming, DriftSettings())
    for figure in (quality(*halves, schema, found), drift(reference.profile, incoming, report, schema)):
        FigureCanvasAgg(figure)
        figure.canvas.draw()
        panels = [
            axes for axes in figure.axes if "off " in axes.get_title(loc="left") or "moved" in axes.get_title("left")
        ]
        assert panels
        titles = [axes._left_title.get_window_extent() for axes in panels]
        assert max(box.x1 for box in titles) <= figure.bbox.x1
        for left, right in pairwise(titles):
            assert left.x1 < right.x0 or right.y1 <= left.y0
        for axes in panels:
            apart(axes)
