"""The command reads what people bring, and writes what they ask for."""
# ruff: noqa: S608 - a query of a test

import csv
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import feather
from small import LENIENT, TINY, Outcome, table

from flows.settings import Settings, name_of
from flows.tracking import registry
from pipeline.data import exports, tables

Command = Callable[..., Outcome]


def shop(path: Path, rows: int = 300) -> Path:
    """A CSV file with codes, decimal commas, dates, Namibia and empty texts."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["branch", "country", "amount", "day", "note"])
        for i in range(rows):
            amount = "" if i % 30 == 0 else f"{i % 37},{i % 10}5"
            writer.writerow(
                [f"00{i % 4}", ["NA", "DE", "FR"][i % 3], amount, f"2024-0{i % 9 + 1}-1{i % 7}", "x" * (i % 2)]
            )
    return path


@pytest.mark.usefixtures("training")
def test_a_run_on_csv_exports_feather(command: Command, tmp_path: Path) -> None:
    """Nothing is lost on the way: codes keep their zeros, Namibia stays, and the types are those that were read."""
    data, config, out = shop(tmp_path / "shop.csv"), tmp_path / "settings.toml", tmp_path / "out"
    config.write_text(TINY + LENIENT + '[read]\ndecimal = ","\n[privacy]\nleast_rows = 1\n')
    run = command("run", data, "--name", "cli-csv", "--format", "feather", "--config", config, "--out", out, "--json")
    assert run.code == 0, run.err
    assert run.answer["warnings"][0].startswith(
        "CSV tells no types: 'branch' (string), 'country' (string), 'amount' (double)"
    )
    assert "'branch' (leading zeros or signs)" in run.answer["warnings"][1]
    assert sorted(path.name for path in out.iterdir()) == ["_manifest.parquet", "part-00000.feather"]
    rows = feather.read_table(out / "part-00000.feather")
    assert rows.schema.types == [pa.string(), pa.string(), pa.float64(), pa.date32(), pa.string()]
    assert (rows.num_rows, set(rows["country"].to_pylist())) == (300, {"NA", "DE", "FR"})
    assert set(rows["branch"].to_pylist()) == {"000", "001", "002", "003"}
    assert command("verify", out).code == 0
    again = command("export", "cli-csv", "--rows", 200, "--out", out, "--format", "csv", "--config", config)
    assert again.code == 0, again.err
    assert (out / "part-00000.csv").read_text().startswith('"branch","country","amount","day","note"\n"00')
    assert command("verify", out).code == 0
    found = command("evaluate", data, out, "--config", config, "--json")  # which has a decimal point
    assert (found.code, found.answer["rows"]) == (0, 200), found.err


def test_exports_in_every_format(command: Command, model: str, tmp_path: Path) -> None:
    """The option and the setting choose it. A DuckDB file holds a table named after the model."""
    schema = table().schema
    for form in ("csv", "feather", "duckdb", "parquet"):
        config = tmp_path / f"{form}.toml"
        config.write_text(f'format = "{form}"\n')
        for options in (["--format", form], ["--config", config]):
            outcome = command("export", model, "--rows", 50, "--out", tmp_path / "out", "--seed", 3, *options, "--json")
            assert outcome.code == 0, outcome.err
            assert exports.load_manifest(tmp_path / "out").written_as == form
            assert command("verify", tmp_path / "out").code == 0
        if form == "duckdb":
            with duckdb.connect(str(tmp_path / "out" / "part-00000.duckdb"), read_only=True) as connection:
                rows = connection.sql(f'SELECT * FROM "{model}"').to_arrow_table()
        else:
            rows = tables.load(tmp_path / "out", like=schema).table
        plain = registry.load(registry.resolve(model)).sample(50, seed=3)
        assert rows.cast(plain.schema).to_pylist() == plain.to_pylist()


MISTAKES = {
    "csv called parquet": (["inspect", "wrong.parquet"], "its content is CSV: rename it to wrong.csv"),
    "a directory of texts": (["run", "texts"], "expected at least one *.parquet, *.feather, *.jsonl or *.csv file"),
    "several formats": (["run", "both"], "expected files of one format in"),
    "a password": (["run", "postgresql://me:s3cr3t@host/db?table=t"], "without a password"),
    "no table": (["inspect", "sqlite:///shop.db?table=u"], "there is no table u"),
    "no query": (["drift", "any", "sqlite:///shop.db"], "?table=NAME or ?query=SELECT"),
    "no database": (["inspect", "duckdb://none.db?table=t"], "expected a DuckDB database at"),
    "a workbook": (["run", "shop.xlsx"], "save its rows as CSV"),
    "an array": (["inspect", "array.json"], "write it as JSON lines"),
    "an unknown format": (["run", "shop.csv", "--format", "xml"], "--format"),
    "one file with partitions": (
        ["run", "shop.csv", "--format", "duckdb", "--partition-by", "day"],
        "which is one file",
    ),
    "a wrong column": (["run", "shop.csv", "--partition-by", "dya"], "expected a column of"),
    "a wrong type": (["inspect", "shop.csv", "--config", "type.toml"], "texts that are values of type int8"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_before_anything_starts(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    """One line, exit code 2, and no run."""
    monkeypatch.chdir(tmp_path)
    shop(tmp_path / "shop.csv")
    (tmp_path / "wrong.parquet").write_bytes((tmp_path / "shop.csv").read_bytes())
    for name in ("texts/a.txt", "both/a.csv", "both/b.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x,y\n1,2\n")
    sqlite3.connect(tmp_path / "shop.db").close()
    (tmp_path / "shop.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "array.json").write_text('[{"x": 1}]')
    (tmp_path / "type.toml").write_text('[columns.country]\ntype = "int8"\n')
    words, told = MISTAKES[mistake]
    before = set(registry.names())
    outcome = command(*words)
    assert (outcome.code, told in outcome.err) == (2, True), outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert "s3cr3t" not in outcome.err
    assert set(registry.names()) == before


def test_what_was_guessed_can_be_kept(command: Command, tmp_path: Path) -> None:
    """`inspect --write` writes the types and how numbers are written, so that the same table is read without a note."""
    data, config = shop(tmp_path / "shop.csv"), tmp_path / "c.toml"
    config.write_text('[read]\ndecimal = ","\n')
    shown = command("inspect", data, "--config", config)
    assert "CSV tells no types: 'branch' (string)" in shown.out
    from flows import cli  # noqa: PLC0415 - the home is this test's own

    assert cli.main(["inspect", str(data), "--config", str(config), "--home", str(tmp_path), "--write"]) == 0
    values = tomllib.loads((tmp_path / "resynth.toml").read_text())
    assert values["read"] == {"decimal": ","}
    assert {name: column["type"] for name, column in values["columns"].items()} == {
        "branch": "string",
        "country": "string",
        "amount": "double",
        "day": "date32[day]",
        "note": "string",
    }
    settings = Settings.load(tmp_path)
    loaded = tables.load(data, settings.read, settings.columns)
    assert loaded.notes == ()
    assert loaded.table.equals(tables.read(data, settings.read))


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (Path("/x/shop.csv.gz"), "shop"),
        ("duckdb://data/shop.duckdb?table=orders", "orders"),
        ("duckdb://data/shop.duckdb?query=SELECT a/b AS c FROM t", "shop"),
        ("postgresql://me@host/shop?sslmode=require&table=sales.orders", "sales.orders"),
        ("sqlite:///a%20b.db?query=SELECT 1 AS x", "a_20b"),
        ("s3://bucket/incoming/orders.jsonl", "orders"),
    ],
)
def test_names_of_models(place: Path | str, name: str) -> None:
    """That of the table, the database, or the file without what compresses it."""
    assert name_of(place) == name


def test_a_query_in_the_settings_is_relative_to_the_home(tmp_path: Path) -> None:
    """As a path is."""
    (tmp_path / "resynth.toml").write_text('data = "duckdb://shop.duckdb?table=orders"\n')
    assert Settings.load(tmp_path).source(tmp_path) == f"duckdb://{tmp_path}/shop.duckdb?table=orders"
    (tmp_path / "resynth.toml").write_text('data = "shop.csv"\n')
    assert Settings.load(tmp_path).source(tmp_path) == tmp_path / "shop.csv"
