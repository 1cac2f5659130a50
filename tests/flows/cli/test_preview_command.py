"""`resynth preview`: a few rows to look at."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small import Outcome, table, write

from flows.cli import main
from flows.engine import homes
from flows.tracking import registry

Command = Callable[..., Outcome]


def test_a_model_shows_rows_that_it_generates(command: Command, model: str) -> None:
    """Ten rows of the champion, the same as an export of the same seed, as text and as JSON."""
    text = command("preview", model)
    assert text.code == 0, text.err
    lines = text.out.splitlines()
    assert lines[0] == f"the first 10 generated rows of {model} version 1"
    assert lines[2].split() == ["value", "group", "count", "day"]
    assert len(lines) == 13
    answer = command("preview", model, "--rows", 3, "--seed", 4, "--json").answer
    made = registry.load(registry.resolve(model)).sample(3, seed=4)
    assert [row["count"] for row in answer["rows"]] == made["count"].to_pylist()
    assert [row["day"] for row in answer["rows"]] == [day.isoformat() for day in made["day"].to_pylist()]
    assert answer["columns"] == {field.name: str(field.type) for field in made.schema}


def test_a_table_shows_its_first_rows(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path shows rows as they would be read, without a home and without an engine. A short table shows all."""
    monkeypatch.setattr(homes, "embed", lambda home: pytest.fail("something has started"))
    file = write(tmp_path, rows=200)
    assert main(["preview", str(file), "--rows", "2"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == f"the first 2 of 200 rows of {file}"
    first = table(200).slice(0, 1).to_pylist()[0]
    assert lines[3].split()[1:] == [first["group"], str(first["count"]), first["day"].isoformat()]
    pq.write_table(pa.table({"a": [1, None, 3], "b": ["x" * 99, "[red]", None]}), tmp_path / "short.parquet")
    assert main(["preview", str(tmp_path / "short.parquet")]) == 0
    out = capfd.readouterr().out
    assert "the first 3 of 3 rows" in out
    assert out.count("null") == 2
    assert "[red]" in out
    assert "x" * 50 not in out  # long values are cut


@pytest.mark.parametrize("columns", [3, 40])
def test_a_wide_table_comes_in_blocks(tmp_path: Path, capfd: pytest.CaptureFixture[str], columns: int) -> None:
    """Every column is shown, and no line is longer than the terminal."""
    pq.write_table(pa.table({f"column{i}": [i * 10**6] * 4 for i in range(columns)}), tmp_path / "wide.parquet")
    assert main(["preview", str(tmp_path / "wide.parquet")]) == 0
    out = capfd.readouterr().out
    assert all(f"column{i} " in f"{out} ".replace("\n", " ") for i in range(columns))
    assert max(map(len, out.splitlines()[1:])) <= 160
