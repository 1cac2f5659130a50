"""Tables that differ harmlessly from each other, or from the champion's, go through every verb."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small import LENIENT, TINY, Outcome, table

from flows.settings import Settings
from flows.verbs.evaluate import evaluate
from pipeline.errors import SchemaError


def otherwise(rows: pa.Table) -> pa.Table:
    """The same rows as another writer has them."""
    counts = np.where(np.arange(rows.num_rows) == 0, np.nan, rows["count"].to_numpy())
    changed = {
        "group": rows["group"].cast(pa.large_string()),
        "count": pa.array(counts),
        "value": rows["value"],
        "day": pa.nulls(rows.num_rows),
    }
    return pa.table(changed)


def test_a_run_and_a_drift_check_take_harmless_differences(tmp_path: Path, command: Callable[..., Outcome]) -> None:
    """Columns in paths and casts give warnings, and a later batch is read with the champion's types."""
    for i, country in enumerate(("DE", "FR")):
        folder = tmp_path / "in" / f"country={country}"
        folder.mkdir(parents=True)
        rows = table(150, seed=i)
        pq.write_table(rows if i == 0 else otherwise(rows), folder / "a.parquet")
    (tmp_path / "resynth.toml").write_text(TINY + LENIENT)
    given = ("--config", tmp_path / "resynth.toml", "--name", "harmless", "--json")
    done = command("run", tmp_path / "in", *given)
    assert done.code == 0, done.err
    warnings = done.answer["warnings"]
    assert "columns from the paths of the files: 'country' (string)" in warnings
    assert "column 'count' comes as double and int32: read as int32" in warnings
    assert "column 'day' comes as date32[day] and null: read as date32[day]" in warnings
    batch = tmp_path / "batch" / "country=1"
    batch.mkdir(parents=True)
    pq.write_table(otherwise(table(150, seed=2)), batch / "a.parquet")
    checked = command("drift", "harmless", tmp_path / "batch", "--config", tmp_path / "resynth.toml", "--json")
    assert checked.code in {0, 3}, checked.err
    pq.write_table(table(150).rename_columns(["value", "group", "count", "date"]), batch / "a.parquet")
    refused = command("drift", "harmless", tmp_path / "batch", "--config", tmp_path / "resynth.toml", "--json")
    assert refused.code == 2
    assert "column 'day' is missing" in refused.err


def test_synthetic_rows_of_other_types_are_evaluated(tmp_path: Path) -> None:
    """They are read with the real table's types. A column with another meaning is refused, with both types."""
    real, rows = table(150), table(150, seed=1)
    for name, each in {"real": real, "same": rows, "other": otherwise(rows)}.items():
        pq.write_table(each.drop_columns(["day"]), tmp_path / f"{name}.parquet")
    settings = Settings()
    found = evaluate(tmp_path / "real.parquet", tmp_path / "other.parquet", test=None, settings=settings)
    assert {column.name for column in found.columns} == {"value", "group", "count"}
    texts = rows.set_column(2, "count", rows["count"].cast(pa.string())).drop_columns(["day"])
    pq.write_table(texts, tmp_path / "texts.parquet")
    with pytest.raises(SchemaError, match=r"'count' of .*texts\.parquet has type string, expected int32 as in .*real"):
        evaluate(tmp_path / "real.parquet", tmp_path / "texts.parquet", test=None, settings=settings)
