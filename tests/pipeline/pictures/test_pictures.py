"""Figures: they show the data that they claim to show, and exist for every kind of table."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from pipeline.columns import infer
from pipeline.decisions.drift import compare
from pipeline.evaluation import evaluate
from pipeline.pictures import drift, loss_curves, png, quality, story, written
from pipeline.profiles.reference import Reference
from pipeline.replay.story import DriftSummary, Quality, Step, Story
from pipeline.schema import ColumnSettings
from pipeline.settings import DriftSettings, EvaluationSettings
from pipeline.training.history import Epoch


def mixed(seed: int, rows: int = 150) -> pa.Table:
    """One column of every kind, with nulls."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "number": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "count": rng.integers(0, 70, rows),
            "day": pa.array(rng.integers(10_000, 11_000, rows), pa.int32()).cast(pa.date32()),
            "time": pa.array(rng.integers(0, 10**15, rows), pa.timestamp("us", tz="UTC")),
            "label": pa.array(rng.choice(["a", "b", "c"], rows), mask=rng.random(rows) < 0.1),
            "flag": rng.random(rows) < 0.5,
            "many": [f"label {i}" for i in rng.integers(0, 40, rows)],
            "nothing": pa.nulls(rows, pa.float64()),
            "constant": np.zeros(rows),
        }
    )


def epoch(number: int, validation_elbo: float) -> Epoch:
    """An epoch of which only the held-out ELBO matters."""
    return Epoch(
        epoch=number,
        seconds=1,
        learning_rate=0.001,
        reconstruction=-10,
        kl=5,
        elbo=-15 + number,
        validation_reconstruction=-11,
        validation_kl=5,
        validation_elbo=validation_elbo,
    )


def test_loss_curves_show_the_history():
    """The curves are the epochs' numbers, and the mark is at the best held-out ELBO."""
    figure = loss_curves([epoch(1, -20), epoch(2, -16), epoch(3, -17)])
    elbo = figure.axes[0]
    assert list(elbo.lines[0].get_ydata()) == [-14, -13, -12]
    assert list(elbo.lines[1].get_ydata()) == [-20, -16, -17]
    assert list(elbo.lines[2].get_xdata()) == [2, 2]
    assert len(figure.axes) == 4


def test_no_epoch_still_gives_a_figure():
    """A run that ended before its first epoch has empty curves."""
    assert len(loss_curves([]).axes) == 4


def test_quality_shows_every_kind(tmp_path):
    """A panel per column with the worst first, both association matrices, and a PNG that can be read."""
    real, synthetic = mixed(0), mixed(1)
    schema = infer(real)
    evaluation = evaluate(
        synthetic, holdout=real, train=mixed(2), schema=schema, settings=EvaluationSettings(permutations=20), seed=0
    )
    figure = quality(real, synthetic, schema, evaluation)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0].startswith(evaluation.columns[0].name)
    assert [t.split()[0] for t in titles[: len(evaluation.columns)]] == [c.name for c in evaluation.columns]
    assert sum("Association" in title for title in titles) == 2
    (tmp_path / "quality.png").write_bytes(png(figure))
    assert imread(tmp_path / "quality.png").shape[2] == 4


def test_histograms_show_shares_of_all_rows():
    """The drawn bins of a number add up to one for both tables, wherever the synthetic values lie."""
    real, synthetic = pa.table({"x": np.arange(100)}), pa.table({"x": np.arange(100) * 1000})
    schema = infer(real)
    evaluation = evaluate(
        synthetic, holdout=real, train=real, schema=schema, settings=EvaluationSettings(permutations=20), seed=0
    )
    stairs = quality(real, synthetic, schema, evaluation).axes[0].patches
    assert [patch.get_data().values.sum() for patch in stairs] == pytest.approx([1, 1])


def test_drift_shows_what_moved(tmp_path):
    """A panel per drifted column, the worst first, drawn from profiles: distribution functions and shares of labels."""
    rows = mixed(0, 2000)
    number = rows.schema.get_field_index("number")
    label = rows.schema.get_field_index("label")
    moved = rows.set_column(number, "number", pa.array(rows["number"].to_numpy() + 3, from_pandas=True))
    moved = moved.set_column(label, "label", pa.array(["b"] * 2000))
    reference = Reference.of(rows, infer(rows))
    incoming = reference.profile_of([moved])
    found = compare(reference, incoming, DriftSettings())
    figure = drift(reference.profile, incoming, found, infer(rows))
    titles = [axes.get_title(loc="left").split()[0] for axes in figure.axes if axes.get_title(loc="left")]
    assert set(titles) == {"number", "label"}
    assert titles[0] == next(f.column for f in found.findings if f.column in titles)
    curves = figure.axes[titles.index("number")].lines
    assert np.median(curves[1].get_xdata()) - np.median(curves[0].get_xdata()) == pytest.approx(3, abs=0.2)
    bars = figure.axes[titles.index("label")].patches
    assert max(bar.get_width() for bar in bars) == 1
    (tmp_path / "drift.png").write_bytes(png(figure))
    assert imread(tmp_path / "drift.png").shape[2] == 4


def test_nothing_drifted_shows_the_largest_changes():
    """Without drift there are panels of the columns that changed most, and the title says that nothing drifted."""
    rows, other = mixed(0, 400), mixed(1, 400)
    reference = Reference.of(rows, infer(rows))
    incoming = reference.profile_of([other])
    report = compare(reference, incoming, DriftSettings())
    assert not report.drifted
    figure = drift(reference.profile, incoming, report, infer(rows))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 4
    assert titles[0].split()[0] == next(f.column for f in report.findings if f.column in rows.column_names)
    assert figure.get_suptitle().startswith("Nothing drifted\nLargest changes of columns")


def test_drift_of_no_single_column_is_no_blank_square():
    """If only pairs drifted, the title says so, and columns are shown."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    rows, other = pa.table({"x": x, "y": x}), pa.table({"x": x, "y": rng.permutation(x)})
    reference = Reference.of(rows, infer(rows))
    incoming = reference.profile_of([other])
    figure = drift(reference.profile, incoming, compare(reference, incoming, DriftSettings()), infer(rows))
    assert figure.get_suptitle().startswith("No column drifted by itself, but: x × y: correlation 1.000 became")
    assert {axes.get_title(loc="left").split()[0] for axes in figure.axes} == {"x", "y"}


ODD_TEXTS = (
    "$a$",
    "$\\frac{",
    "\\$a$ \\",
    "a_b^c",
    "back\\slash",
    "two\nlines\r\n\tand a tab",
    "nul \x00, bell \x07, escape \x1b[31m",
    "🙂 👩‍👩‍👧",
    "שלום עולם \u202e reversed",
    "$" * 10_000,
    "x" * 10_000,
    "",
)


def test_any_text_is_drawn_letter_by_letter():
    """Names and labels are never TeX: what is drawn is what was written, cut, without its control characters."""
    drawn = Figure().text(0, 0, written("$a$ and\n\\$b"))
    assert drawn._preprocess_math(drawn.get_text()) == ("$a$ and \\$b", False)
    assert written("") == ""
    assert len(written("x" * 10_000)) == 18


def test_no_text_keeps_a_picture_from_being_drawn():
    """Names and labels with TeX, line breaks, control characters, any script and any length are drawn everywhere."""
    rng = np.random.default_rng(0)
    table = pa.table({name: rng.choice(ODD_TEXTS, 150) for name in ODD_TEXTS})
    moved = pa.table({name: rng.choice(ODD_TEXTS[:3], 150) for name in ODD_TEXTS})
    schema = infer(table, {name: ColumnSettings(kind="categorical") for name in ODD_TEXTS})
    found = evaluate(
        moved,
        holdout=table,
        train=table,
        schema=schema,
        settings=EvaluationSettings(),
        seed=0,
        areas=("marginals",),
    )
    assert png(quality(table, moved, schema, found)).startswith(b"\x89PNG")
    reference = Reference.of(table, schema)
    incoming = reference.profile_of([moved])
    report = compare(reference, incoming, DriftSettings())
    assert report.drifted
    assert png(drift(reference.profile, incoming, report, schema)).startswith(b"\x89PNG")


def test_a_table_of_identifiers_has_a_figure():
    """A table without anything to compare has a figure too."""
    table = pa.table({"id": [f"user-{i:04d}" for i in range(100)]})
    schema = infer(table)
    evaluation = evaluate(table, holdout=table, train=table, schema=schema, settings=EvaluationSettings(), seed=0)
    assert evaluation.scores == ()
    quality(table, table, schema, evaluation)


def turn(strategy: str, period: int, overall: float, **told: object) -> Step:
    """One turn of a strategy that has always had a champion."""
    found = Quality(overall=overall, ceiling=0.99, scores={}, ceilings={})
    end = dt.datetime(2024, 1 + period, 1, tzinfo=dt.UTC)
    calm = {"decision": "skipped", "reasons": (), "champion": "0", "new_rows": 1, "rows": 1, "ahead": None}
    return Step(strategy=strategy, period=period, end=end, quality=found, **(calm | told))


def test_a_replay_shows_every_turn(tmp_path):
    """Qualities over the ends of the periods, real rows once, drift by its verdict, and a mark for every training."""
    trained = {"trained": "0", "decision": "promoted", "seconds": 5.0}
    steps = (
        turn("loop", 0, 0.9, **trained),
        turn("always", 0, 0.9, **trained),
        turn("never", 0, 0.9, **trained),
        turn("loop", 1, 0.8, drift=DriftSummary(drifted=True, excess=3.0, worst="x")),
        turn("always", 1, 0.95, **trained),
        turn("never", 1, 0.7),
        turn("loop", 2, 0.93, drift=DriftSummary(drifted=False, excess=0.5, worst="x"), plan="warm-start", **trained),
        turn("always", 2, 0.94, trained="2", decision="refused", seconds=5.0),
        turn("never", 2, 0.6),
    )
    figure = story(Story(column="seen", every="1mo", periods=3, rows=3, steps=steps))
    over_time, _, checks, trainings = figure.axes
    lines = {line.get_label(): list(line.get_ydata()) for line in over_time.lines}
    assert lines == {
        "loop": [0.9, 0.8, 0.93],
        "always": [0.9, 0.95, 0.94],
        "never": [0.9, 0.7, 0.6],
        "real rows": [0.99] * 3,
    }
    assert [segment[1][1] for segment in checks.collections[0].get_segments()] == [3.0, 0.5]
    assert len({tuple(color) for color in checks.collections[0].get_colors()}) == 2
    assert [text.get_text() for text in trainings.get_yticklabels()] == [
        "loop: 2, 10 s",
        "always: 3, 15 s",
        "never: 1, 5 s",
    ]
    marks = [(line.get_marker(), line.get_markerfacecolor() == "white") for line in trainings.lines]
    assert marks == [("o", False), ("o", True), ("o", False), ("o", False), ("x", False), ("o", False)]
    (tmp_path / "replay.png").write_bytes(png(figure))
    assert imread(tmp_path / "replay.png").shape[0] > 500


EXTREME = {
    "far moments": pa.array(np.append(np.arange(99) * 10**16, 2**63 - 1)).cast(pa.timestamp("ns")),
    "early moments": pa.array(np.append(np.arange(99) * 10**16, 1 - 2**63)).cast(pa.timestamp("ns")),
    "the widest range": pa.array(np.linspace(-1e300, 1e300, 100)),
    "subnormal": pa.array(np.arange(100) * 5e-324),
    "many magnitudes": pa.array(10.0 ** np.linspace(-320, 300, 100)),
}


@pytest.mark.parametrize("name", EXTREME)
def test_no_value_keeps_a_picture_from_being_drawn(tmp_path, name):
    """Values at the ends of their type, for which axes and differences overflow it, are evaluated and drawn."""
    table = pa.table({"x": EXTREME[name], "y": np.random.default_rng(0).normal(size=100)})
    schema = infer(table)
    found = evaluate(
        table, holdout=table, train=table, schema=schema, settings=EvaluationSettings(permutations=20), seed=0
    )
    (tmp_path / "quality.png").write_bytes(png(quality(table, table, schema, found)))
    reference = Reference.of(table, schema)
    incoming = reference.profile_of([table.slice(50)])
    (tmp_path / "drift.png").write_bytes(
        png(drift(reference.profile, incoming, compare(reference, incoming, DriftSettings()), schema))
    )
    assert imread(tmp_path / "quality.png").shape[2] == imread(tmp_path / "drift.png").shape[2] == 4
