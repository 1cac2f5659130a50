"""`resynth score`: given rows with their scores, in one new file."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from small import Outcome, table, write

from flows.tracking import registry
from pipeline.queries.anomaly import SCORES
from pipeline.statistics.thresholds import ScoreSettings

Command = Callable[..., Outcome]


def test_rows_come_back_with_their_scores(command: Command, model: str, tmp_path: Path) -> None:
    """All given columns, further ones too, stand unchanged before the columns of scores, which are the library's."""
    given = table(150, seed=5).append_column("more", pa.array(range(150)))
    pq.write_table(given, tmp_path / "in.parquet")
    outcome = command("score", model, tmp_path / "in.parquet", "--out", tmp_path / "out.parquet", "--json")
    assert outcome.code == 0, outcome.err
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(given.column_names).equals(given)
    assert found.column_names == [*given.column_names, *SCORES.names]
    scores = registry.load(registry.resolve(model)).score(given)
    np.testing.assert_allclose(found["anomaly_score"], scores["anomaly_score"])
    answer = outcome.answer
    assert answer["path"] == str(tmp_path / "out.parquet")
    assert answer["rows"] == 150
    assert answer["anomalies"] == pc.sum(found["anomaly"]).as_py()
    assert answer["expected"] == pytest.approx(1.5)
    assert (answer["threshold"], answer["level"]) == ("false_alarms", 0.01)
    assert answer["quantiles"]["0.5"] == pytest.approx(np.median(found["anomaly_score"]))
    assert list(tmp_path.glob(".*")) == []


def test_anomalies_are_told_without_values(command: Command, model: str, tmp_path: Path) -> None:
    """The terminal counts anomalies and their columns, and prints no value of the data."""
    odd = table(40).set_column(2, "count", pa.array([987_654] * 40, pa.int32()))
    pq.write_table(odd, tmp_path / "odd.parquet")
    outcome = command("score", model, tmp_path / "odd.parquet", "--out", tmp_path / "out.parquet", "--quantile", 0.75)
    assert outcome.code == 0, outcome.err
    assert "10 of 40 rows are anomalies (beyond the quantile 0.75 of these rows)" in outcome.out
    assert "count" in outcome.out
    assert "987" not in outcome.out + outcome.err


@pytest.mark.parametrize("form", ["csv", "feather"])
def test_the_suffix_says_the_format(command: Command, model: str, tmp_path: Path, form: str) -> None:
    """CSV has no lists, so reasons are JSON there."""
    out = tmp_path / f"out.{form}"
    outcome = command("score", model, write(tmp_path), "--out", out, "--quantile", 0.9)
    assert outcome.code == 0, outcome.err
    found = pa.csv.read_csv(out) if form == "csv" else pa.feather.read_table(out)
    assert found.num_rows == 200
    anomalies = found.filter(found["anomaly"])["reasons"].to_pylist()
    first = [json.loads(why) if form == "csv" else why for why in anomalies]
    assert all(why[0].keys() == {"column", "share", "expected"} for why in first)


def test_the_settings_file_says_the_threshold(command: Command, model: str, tmp_path: Path) -> None:
    """`[score]` counts, unless the command line names a threshold."""
    (tmp_path / "own.toml").write_text("[score]\nrobust_z = 2.5\n")
    given = ["score", model, write(tmp_path), "--config", tmp_path / "own.toml", "--json"]
    assert command(*given, "--out", tmp_path / "a.parquet").answer["threshold"] == "robust_z"
    over = command(*given, "--out", tmp_path / "b.parquet", "--false-alarms", 0.2).answer
    assert (over["threshold"], over["level"]) == ("false_alarms", 0.2)
    made = registry.load(registry.resolve(model)).scored(table(), ScoreSettings(robust_z=2.5))
    assert pq.read_table(tmp_path / "a.parquet")["anomaly"].equals(made.table["anomaly"])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (lambda given: given.drop_columns(["group"]), "found no 'group'"),
        (lambda given: given.append_column("p_value", given["value"]), "'p_value'"),
        (lambda given: given.set_column(2, "count", pa.array(["many"] * 200)), "'count'"),
    ],
    ids=["a column less", "a column with the name of a score", "another type"],
)
def test_a_table_that_does_not_fit_is_refused(
    command: Command, model: str, tmp_path: Path, changed: Callable[[pa.Table], pa.Table], says: str
) -> None:
    """One line, exit code 2, and no file."""
    pq.write_table(changed(table()), tmp_path / "in.parquet")
    outcome = command("score", model, tmp_path / "in.parquet", "--out", tmp_path / "out.parquet")
    assert outcome.code == 2
    assert says in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["in.parquet"]
