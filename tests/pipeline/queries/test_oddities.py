"""Rows of a batch that look wrong: a short list without values, empty for ordinary rows."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import false_discovery_control

from pipeline import loop
from pipeline.queries import oddities
from pipeline.queries.oddities import FALSE, discoveries, odd_rows
from pipeline.settings import DriftSettings, LoopSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


def rows(count: int, seed: int) -> pa.Table:
    """Two columns that depend on each other."""
    random = np.random.default_rng(seed)
    x = random.normal(size=count)
    return pa.table({"x": x.round(3), "y": (x + 0.2 * random.normal(size=count)).round(3)})


@pytest.fixture(scope="module")
def model(training: None) -> Synthesizer:
    """A model of such rows."""
    return Synthesizer.fit(rows(4000, 0), training=TrainingSettings(epochs=6, device="cpu"))


def test_discoveries_are_scipys():
    """The same rows as by SciPy's adjusted p-values."""
    random = np.random.default_rng(0)
    p = np.concatenate([random.random(500), random.random(20) / 1000])
    np.testing.assert_array_equal(discoveries(p), false_discovery_control(p) <= FALSE)
    assert not discoveries(np.array([])).any()


def test_ordinary_rows_list_nothing(model):
    """Of 1,000 ordinary rows, at most a few are listed (with independent p-values, none in nine batches of ten)."""
    found = odd_rows(model.scorer, rows(1000, 1), seed=0)
    assert found.looked_at == 1000
    assert found.found <= 3


def test_odd_rows_are_listed_by_number_worst_first(model):
    """Odd rows come first with their numbers and columns, also where only a part of the rows is looked at."""
    table = rows(600, 2).to_pandas()
    table.loc[[17, 400], "x"] = [40.0, 60.0]
    found = odd_rows(model.scorer, pa.Table.from_pandas(table), seed=0)
    assert [row.row for row in found.rows[:2]] == [400, 17]
    assert {row.columns[0] for row in found.rows[:2]} <= {"x", "y"}
    assert found.rows[0].p_value <= found.rows[1].p_value
    assert "60" not in found.rows[0].model_dump_json(exclude={"p_value"}).replace("400", "")


def test_the_list_is_short(model, monkeypatch):
    """Of many odd rows, the worst are listed, and all are counted. Of many rows, some are looked at."""
    monkeypatch.setattr(oddities, "LOOKED_AT", 300)
    table = pa.table({"x": np.full(500, 50.0), "y": np.full(500, -50.0)})
    found = odd_rows(model.scorer, table, seed=0)
    assert (found.looked_at, found.found, len(found.rows)) == (300, 300, oddities.LISTED)


def test_ignored_columns_list_nothing(model):
    """Where columns are ignored, no row is listed: the score knows them."""
    champion, table = model, rows(100, 3)
    assert loop.odd(champion, table, LoopSettings(drift=DriftSettings(ignore=("x",)))) is None
    assert loop.odd(champion, table.slice(0, 0), LoopSettings()) is None
    assert loop.odd(champion, table, LoopSettings()) is not None
