"""Walks through the latent space: where the points lie, and that nothing but z changes along them."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial import geometric_slerp

from pipeline.errors import SettingsError
from pipeline.queries.walks import NOISES, between, turned, vary
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


def table(rows: int = 1500) -> pa.Table:
    """Two groups that decide two columns, and a column that depends on nothing."""
    random = np.random.default_rng(0)
    group = random.random(rows) < 0.5
    return pa.table(
        {
            "group": np.where(group, "left", "right"),
            "place": np.round(np.where(group, -5.0, 5.0) + random.normal(0, 0.5, rows), 3),
            "noise": np.round(random.normal(0, 1, rows), 3),
        }
    )


@pytest.fixture(scope="module")
def fitted(training: None):
    """A small model of the table."""
    settings = TrainingSettings(epochs=20, batch=64, free_bits=2)
    return Synthesizer.fit(table(), model=ModelSettings(latent=3, width=32), training=settings).fitted


@pytest.fixture(scope="module")
def ends() -> tuple[int, int]:
    """A row of either group."""
    group = table()["group"].to_pylist()
    return group.index("left"), group.index("right")


@pytest.mark.parametrize("way", ["straight", "spherical"])
def test_a_walk_leads_from_one_row_to_the_other(fitted, ends, way):
    """It starts and ends at the rows' posterior means, and has a point more than steps."""
    walk = between(fitted, table(), *ends, way=way, steps=6)
    z = Synthesizer(fitted).encode(table().take(list(ends)))
    np.testing.assert_allclose(walk.z[[0, -1]], z, atol=1e-5)
    assert len(walk.places) == len(walk.z) == walk.rows.num_rows == 7
    assert walk.rows.schema.equals(table().schema)
    assert walk.ends.equals(table().take(list(ends)))


def test_steps_of_the_straight_way_are_equal(fitted, ends):
    """All differences of neighbours are one vector."""
    steps = np.diff(between(fitted, table(), *ends).z, axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-5)


def test_the_great_circle_is_that_of_scipy():
    """On the unit sphere it agrees with SciPy's `geometric_slerp`, and elsewhere the distance goes evenly."""
    random = np.random.default_rng(0)
    places = np.linspace(0, 1, 9)
    for _ in range(5):
        one, other = random.normal(size=(2, 6))
        unit = one / np.linalg.norm(one), other / np.linalg.norm(other)
        np.testing.assert_allclose(turned(*unit, places), geometric_slerp(*unit, places), atol=1e-12)
        lengths = np.linalg.norm(turned(one, other, places), axis=1)
        np.testing.assert_allclose(np.diff(lengths), np.diff(lengths)[0], atol=1e-12)


def test_ends_that_span_no_circle_are_joined_by_a_line():
    """Equal, opposite and zero ends have no great circle of their own."""
    places, one = np.linspace(0, 1, 5), np.array([1.0, 2.0])
    for other in (one, -one, np.zeros(2), 3 * one):
        expected = one + places[:, None] * (other - one)
        np.testing.assert_allclose(turned(one, other, places), expected, atol=1e-12)


def test_a_walk_without_a_way_changes_nothing(fitted, ends):
    """From a row to itself, every point is decoded to the same rows: the noise is the same."""
    walk = between(fitted, table(), ends[0], ends[0], steps=3)
    assert all(each.equals(walk.drawn[0]) for each in walk.drawn)
    assert not walk.changed.any()
    assert set(walk.responses(fitted.schema).values()) == {0.0}


def test_what_differs_between_the_ends_responds(fitted, ends):
    """Group and place move from one end to the other, the column of noise hardly."""
    walk = between(fitted, table(), *ends)
    found = walk.responses(fitted.schema)
    assert found["group"] > 0.35
    assert found["place"] > 0.35
    assert found["noise"] < 0.2
    assert list(found.values()) == sorted(found.values(), reverse=True)
    column = walk.rows["group"].to_pylist()
    turns = [before != after for before, after in itertools.pairwise(column)]
    assert walk.changed[1:, 0].tolist() == turns
    assert all(each.num_rows == NOISES for each in walk.drawn)


def test_a_traversal_moves_one_dimension(fitted):
    """Its range is that of the aggregate posterior, and the other dimensions stay at the row's, or at the mean."""
    z = Synthesizer(fitted).encode(table())
    for row, start in ((None, z.mean(0)), (7, z[7])):
        walk = vary(fitted, table(), 1, row=row, steps=4)
        np.testing.assert_allclose(walk.z[:, [0, 2]], np.broadcast_to(start[[0, 2]], (5, 2)), atol=1e-5)
        np.testing.assert_allclose(walk.z[:, 1], walk.places, atol=1e-6)
        assert walk.places[0] < np.quantile(z[:, 1], 0.05)
        assert walk.places[-1] > np.quantile(z[:, 1], 0.95)
        assert walk.ends.num_rows == (row is not None)


def test_a_seed_fixes_a_walk(fitted, ends):
    """The same seed gives the same rows, and another one others."""
    one, again, other = (between(fitted, table(), *ends, seed=seed) for seed in (1, 1, 2))
    assert one.rows.equals(again.rows)
    assert not one.rows.equals(other.rows)


def test_what_is_not_there_is_refused(fitted):
    """Rows, dimensions and steps out of range are named with the range."""
    with pytest.raises(SettingsError, match=r"a row from 0 to 1,499, got 1,500"):
        between(fitted, table(), 0, 1500)
    with pytest.raises(SettingsError, match=r"got -1"):
        vary(fitted, table(), 0, row=-1)
    with pytest.raises(SettingsError, match=r"a dimension from 0 to 2, got 3"):
        vary(fitted, table(), 3)
    for steps in (0, 101):
        with pytest.raises(SettingsError, match=rf"1 to 100 steps, got {steps}"):
            between(fitted, table(), 0, 1, steps=steps)
