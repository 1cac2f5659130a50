"""Figures of the latent space: they show the numbers that they claim to show, for every kind of column."""

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.colors import to_rgba
from samples import mixed

from pipeline.pictures import (
    Colours,
    arithmetic_columns,
    latent_density,
    latent_map,
    latent_rates,
    png,
    walk_columns,
    walk_rows,
)
from pipeline.pictures.latents import NULL
from pipeline.pictures.style import CLASSES
from pipeline.pictures.walks import MARK
from pipeline.queries.walks import Walk
from pipeline.schema import Column
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    """A small model of a table with every kind of column."""
    return Synthesizer.fit(mixed(), model=ModelSettings(latent=4, width=16), training=TrainingSettings(epochs=2))


def test_the_densities_are_those_of_the_summary(synthesizer):
    """Either image holds the counts, with the first axis across, on one scale of greys."""
    found = synthesizer.latent.summary(mixed())
    figure = latent_density(found)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    for image, side in zip(images, (found.posterior, found.prior), strict=True):
        np.testing.assert_array_equal(image.get_array(), np.array(side).T)
        assert image.get_extent() == [*found.edges[0], *found.edges[1]]
    assert images[0].get_clim() == images[1].get_clim()
    assert png(figure).startswith(b"\x89PNG")


def test_bars_are_the_rates(synthesizer):
    """The largest rate comes first, and every dimension has its name and its bar."""
    found = synthesizer.latent.summary(mixed())
    axes = latent_rates(found).axes[0]
    names = [text.get_text() for text in axes.get_xticklabels()]
    heights = {names[round(bar.get_center()[0])]: bar.get_height() for bar in axes.patches}
    assert heights == {f"z{j}": pytest.approx(rate) for j, rate in enumerate(found.rates)}
    assert [heights[name] for name in names] == sorted(heights.values(), reverse=True)


def test_labels_have_colours_and_null_is_grey():
    """The most frequent label has the first colour, and a point keeps its place."""
    points = np.arange(10.0).reshape(5, 2)
    values = pa.chunked_array([["b", "a", None, "a", "a"]])
    figure = latent_map(points, ("p", "q"), Colours(Column(name="c", kind="categorical", nullable=True), values))
    drawn = figure.axes[0].collections[0]
    found = {
        tuple(place): tuple(tone[:3]) for place, tone in zip(drawn.get_offsets(), drawn.get_facecolors(), strict=True)
    }
    tones = [CLASSES[1], CLASSES[0], NULL, CLASSES[0], CLASSES[0]]
    assert found == {tuple(point): to_rgba(tone)[:3] for point, tone in zip(points, tones, strict=True)}


@pytest.mark.parametrize("name", mixed().column_names)
def test_every_kind_of_column_colours_a_map(synthesizer, name):
    """Numbers and times get a scale, which is a second panel, and all others a legend; nulls are allowed."""
    plane = synthesizer.latent.plane(mixed())
    column = synthesizer.schema[name]
    figure = latent_map(plane(synthesizer.encode(mixed())), plane.labels, Colours(column, mixed()[name]))
    assert png(figure).startswith(b"\x89PNG")
    assert (len(figure.axes) == 2) is (column.kind in {"numeric", "datetime"})


def test_marked_cells_are_those_that_change(synthesizer):
    """As many cells are marked as change on the way, among the columns that are shown."""
    drawn = tuple(mixed(50, seed) for seed in range(4))
    walk = Walk("a way", np.linspace(0, 1, 4), np.zeros((4, 2), np.float32), drawn, mixed(2))
    axes = walk_rows([walk], synthesizer.schema).axes[0]
    marked = [each for each in axes.collections if tuple(each.get_facecolor()[0]) == to_rgba(MARK)]
    shown = {text.get_text() for text in axes.texts}
    places = [i for i, name in enumerate(walk.rows.column_names) if name in shown]
    assert len(marked) == walk.changed[:, places].sum() > 0


def test_walks_and_arithmetic_are_drawn_for_every_kind(synthesizer):
    """A line for each point or group, and one for the decoded rows."""
    table, schema = mixed(), synthesizer.schema
    walk = synthesizer.latent.vary(table, 0, steps=3)
    found = synthesizer.latent.arithmetic(table, "active - `group` = 'a' + note is null")
    for figure, lines in ((walk_columns(walk, schema), 4), (arithmetic_columns(found, schema), 4)):
        assert len(figure.axes[0].get_yticks()) == lines
        assert png(figure).startswith(b"\x89PNG")
