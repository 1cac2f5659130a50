"""`resynth inspect`: how a table would be taken, before anything is trained."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from customers import PERSONAL, customers, secrets
from small import Outcome

from flows.cli import main
from flows.settings import Settings


@pytest.fixture
def inspect(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`resynth inspect` in a home of its own."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main(["inspect", *map(str, arguments), "--home", str(tmp_path)])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Customers, and a column of lists."""
    table = customers("de", 600)
    path = tmp_path / "kunden.parquet"
    pq.write_table(table.append_column("Körbe", pa.array([[1, 2]] * 600)), path)
    return path


def test_every_column_is_told_with_its_kind_and_examples(inspect, source, tmp_path):
    """Personal columns are sensitive and made up, no example is real, and a list is left out with its reason."""
    outcome = inspect(source, "--json")
    assert outcome.code == 0
    assert outcome.answer["rows"] == 600
    found = {column["name"]: column for column in outcome.answer["columns"]}
    table = pq.read_table(source)
    assert [*found] == table.column_names
    assert all(found[name]["sensitive"] for name in table.column_names[:PERSONAL])
    assert found["Umsatz"]["kind"] == "numeric"
    assert (found["Umsatz"]["sensitive"], len(found["Umsatz"]["examples"])) == (False, 3)
    assert found["Körbe"]["kind"] == "drop"
    assert "cannot be modelled" in found["Körbe"]["why"]
    assert found["E-Mail"]["nulls"] == table["E-Mail"].null_count
    shown = {example for column in found.values() for example in column["examples"]}
    assert not shown & secrets(table)
    assert not (tmp_path / "mlruns").exists()


def test_what_was_found_can_be_written_and_edited(inspect, source, tmp_path):
    """The written settings are those of the columns as they were taken; an existing file is left alone."""
    outcome = inspect(source, "--write")
    assert outcome.code == 0
    assert "settings written" in outcome.out
    settings = Settings.load(tmp_path)
    assert settings.data == source
    assert settings.columns["Körbe"].kind == "drop"
    assert settings.columns["Land"].kind == "categorical"
    again = inspect("--json")
    assert {c["kind"] for c in again.answer["columns"]} == {
        "identifier",
        "text",
        "datetime",
        "numeric",
        "categorical",
        "drop",
    }
    before = (tmp_path / "resynth.toml").read_bytes()
    assert tomllib.loads(before.decode())["privacy"]["least_rows"] == 5
    refused = inspect(source, "--write")
    assert refused.code == 2
    assert "expected no resynth.toml" in refused.err
    assert (tmp_path / "resynth.toml").read_bytes() == before
