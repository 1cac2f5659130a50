"""Marginal rarity and distances, against counting and scikit-learn."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.neighbors import NearestNeighbors

from pipeline import columns
from pipeline.queries.surroundings import NEIGHBOURS, TRIMMED, Amounts, Names, Surroundings


def test_rarity_of_a_number_is_its_tail():
    """Within the range, rarity is −log of twice the share that lies at least as far out on its side."""
    sample = np.random.default_rng(0).normal(size=5000)
    x = np.array([-2.5, -1.0, 0.1, 1.7, 3.0])
    shares = np.array([min((sample <= v).mean(), (sample >= v).mean()) for v in x])
    found = Amounts(pa.array(sample)).rarity(pa.array(x))
    np.testing.assert_allclose(found, np.maximum(-np.log(2 * shares), 0), rtol=1e-9)


def test_rarity_rises_beyond_the_range():
    """The farther beyond the range, the rarer is a number, on both sides. A null where there is none is rare."""
    found = Amounts(pa.array(np.random.default_rng(1).normal(size=1000))).rarity(pa.array([4.0, 6.0, 50.0, -6.0, None]))
    assert found[0] > np.log(500)
    assert found[0] < found[1] < found[2]
    assert found[3] > found[0]
    assert found[4] == pytest.approx(np.log(2 * 1001))


def test_rarity_of_a_label_is_the_share_of_labels_as_rare():
    """A label counts with all rarer ones. An unseen one is as rare as the labels that occur once."""
    array = pa.array(["a"] * 70 + ["b"] * 20 + ["c"] * 9 + ["d"])
    found = Names(array).rarity(pa.array(["a", "b", "c", "d", "e", None]))
    np.testing.assert_allclose(np.exp(-found), [1.0, 0.3, 0.1, 0.01, 0.01, 0.01], rtol=1e-9)


def surroundings(rows: int = 800) -> tuple[Surroundings, pa.Table]:
    """A table of three columns as its own surroundings."""
    random = np.random.default_rng(2)
    x = random.normal(size=rows)
    table = pa.table({"x": x, "y": x + 0.1 * random.normal(size=rows), "z": random.choice(["p", "q"], rows)})
    return Surroundings(columns.infer(table), table), table


def test_distances_are_those_of_the_ordinary_rows():
    """The distance is scikit-learn's to the fifth neighbour, among the rows that are left after trimming."""
    found, table = surroundings()
    kept = found.rarity <= np.quantile(found.rarity, 1 - TRIMMED)
    points = found._placed(table)
    reference = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(points[kept].astype(float))
    expected = reference.kneighbors(points.astype(float))[0][:, -1]
    np.testing.assert_allclose(found.distance(table), expected, atol=2e-3)


def test_units_do_not_matter():
    """A column in another unit gives the same rarities and distances."""
    found, table = surroundings()
    scaled = table.set_column(0, "x", pa.array(table["x"].to_numpy() * 1e6 + 5))
    other = Surroundings(columns.infer(scaled), scaled)
    np.testing.assert_allclose(other.rarities(scaled), found.rarities(table), rtol=1e-6)
    np.testing.assert_allclose(other.distance(scaled), found.distance(table), atol=1e-4)


def test_columns_that_move_on_take_no_part():
    """Later dates and made-up values are no reason to be strange."""
    rows = 300
    table = pa.table(
        {
            "day": pa.array(np.arange(rows, dtype=np.int32)).cast(pa.date32()),
            "x": np.random.default_rng(3).normal(size=rows),
        }
    )
    assert list(Surroundings(columns.infer(table), table).columns) == ["x"]
