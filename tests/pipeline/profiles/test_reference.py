"""References: what is kept of a table, its size, and how later tables are compared with it."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns import infer
from pipeline.errors import TableError
from pipeline.profiles.calibration import FEWEST_ROWS
from pipeline.profiles.reference import Reference


def wide(rows: int, seed: int = 0, numbers: int = 60, labels: int = 40) -> pa.Table:
    """Continuous numbers and labels, of which a few are frequent."""
    rng = np.random.default_rng(seed)
    columns = {f"x{i}": rng.normal(size=rows) for i in range(numbers)}
    return pa.table(
        columns | {f"c{i}": [f"label number {j}" for j in rng.zipf(1.5, rows) % 500] for i in range(labels)}
    )


def test_it_is_small():
    """A reference of sixty continuous and forty label columns is below 2 MB of JSON, and is read back equal."""
    table = wide(1500)
    made = Reference.of(table, infer(table))
    text = made.model_dump_json()
    assert len(text) < 2_000_000
    again = Reference.model_validate_json(text)
    assert again == made
    assert np.array_equal(again.space.transform(table.slice(0, 10)), made.space.transform(table.slice(0, 10)))


def test_batches_are_the_table():
    """A table profiled in any batches equals, in the reference's space, the table profiled at once."""
    table = wide(2000, numbers=4, labels=2)
    made = Reference.of(table, infer(table))
    whole = made.profile_of([table])
    assert whole.embedding == made.profile.embedding
    cut = made.profile_of(table.slice(start, 300) for start in range(0, 2000, 300))
    assert cut.rows == whole.rows
    assert cut["c0"].summary.counts == whole["c0"].summary.counts
    assert cut.embedding.wave_mean == pytest.approx(whole.embedding.wave_mean, abs=1e-6)
    assert cut["x0"].summary.deviation == pytest.approx(whole["x0"].summary.deviation, rel=1e-9)
    with pytest.raises(TableError, match="at least one batch"):
        made.profile_of([])


def test_kinds_are_the_references():
    """Few rows of a number that all differ are still numbers; without a joint column there is no embedding."""
    table = wide(500, numbers=2, labels=1)
    made = Reference.of(table, infer(table))
    batch = pa.table({"x0": np.arange(60.0), "x1": np.arange(60.0), "c0": [f"u{i}" for i in range(60)]})
    assert [c.kind for c in made.profile_of([batch]).columns] == [c.kind for c in made.profile.columns]
    assert made.profile_of([batch]).embedding is not None
    assert made.profile_of([batch.drop_columns(["x1"])]).embedding is None


def test_time_and_ignored_columns_span_no_space():
    """Points in time and ignored columns are summarised, and take no part in the space."""
    table = wide(500, numbers=2, labels=1).append_column("t", pa.array(np.arange(500), pa.timestamp("s")))
    made = Reference.of(table, infer(table), ignore=("x1",))
    assert made.joint == ("x0", "c0")
    assert made.profile["t"].summary is not None


def test_small_references_use_the_bound():
    """A reference too small to be divided has the analytic thresholds, and they are wider."""
    table = wide(FEWEST_ROWS, numbers=3, labels=1)
    schema = infer(table)
    resampled, bound = (Reference.of(t, schema).calibration for t in (table, table.slice(0, FEWEST_ROWS - 1)))
    assert bound.tails["numbers"].scale == 1
    assert resampled.level("pairs", 0.001, 1000) < bound.level("pairs", 0.001, 1000)


def test_the_same_seed_gives_the_same_reference():
    """A reference is a function of table and seed."""
    table = wide(600, numbers=3, labels=1)
    schema = infer(table)
    assert Reference.of(table, schema, seed=1) == Reference.of(table, schema, seed=1)
    assert Reference.of(table, schema, seed=1).calibration != Reference.of(table, schema, seed=2).calibration
