"""The command exports rows, verifies exports, and replaces nothing but exports."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from small import Outcome, table, write

from flows.tracking import registry
from pipeline.data import exports
from pipeline.data.manifest import KEY

Command = Callable[..., Outcome]


def test_an_output_directory_of_something_else_is_refused_before_training(command: Command, tmp_path: Path) -> None:
    """Directories that are no export are never replaced."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    outcome = command("run", write(tmp_path), "--name", "cli-occupied", "--out", tmp_path / "out")
    assert outcome.code == 2
    assert (tmp_path / "out" / "thesis.txt").read_text() == "precious"
    assert "cli-occupied" not in registry.names()


def test_export_verify_and_tampering(command: Command, model: str, tmp_path: Path) -> None:
    """An export has the requested rows, verifies, is the same for the same seed, and reveals any change."""
    out = tmp_path / "export"
    outcome = command("export", model, "--rows", 123, "--out", out, "--seed", 4, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.answer == {"path": str(out), "rows": 123, "manifest": str(out / "_manifest.parquet")}
    rows = pq.read_table(out / "part-00000.parquet")
    assert rows.num_rows == 123
    assert rows.schema.equals(table().schema, check_metadata=True)
    assert rows.equals(registry.load(registry.resolve(model)).sample(123, seed=4))
    verified = command("verify", out, "--json").answer
    assert verified["holds"] is True
    assert verified["manifest"] == exports.load_manifest(out).model_dump(mode="json")
    pq.write_table(rows.slice(1), out / "part-00000.parquet")
    outcome = command("verify", out)
    assert outcome.code == 3
    assert "part-00000.parquet" in outcome.out


def test_out_takes_nothing_away(command: Command, model: str, home: Path, tmp_path: Path) -> None:
    """A web project, the home, or a directory around home or data is refused: one line, exit code 2, no training."""
    web, data = tmp_path / "web", tmp_path / "data"
    for directory in (web, data):
        directory.mkdir()
    (web / "manifest.json").write_text('{"name": "app"}')
    assert command("export", model, "--rows", 5, "--out", data / "rows").code == 0
    file = data / "rows" / "part-00000.parquet"
    before = sorted(tmp_path.rglob("*"))
    for out in (web, home, home.parent, Path("/"), Path()):
        outcome = command("export", model, "--rows", 5, "--out", out)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1), outcome.err
    outcome = command("run", file, "--name", "cli-out", "--out", data / "rows")
    assert (outcome.code, "expected a place of its own" in outcome.err) == (2, True), outcome.err
    assert sorted(tmp_path.rglob("*")) == before
    assert "cli-out" not in registry.names()


def test_exports_are_partitioned(command: Command, model: str, tmp_path: Path) -> None:
    """The option partitions by the given columns, in their order. The export verifies and has the same rows."""
    out = tmp_path / "out"
    outcome = command(
        "export", model, "--rows", 200, "--out", out, "--partition-by", "group", "--partition-by", "count", "--json"
    )
    assert outcome.code == 0, outcome.err
    assert outcome.answer["manifest"].startswith(f"{out}/group=")
    assert command("verify", out).code == 0
    schema = exports.load_manifest(out).columns
    rows = pq.read_table(out)
    assert sorted(rows.column_names) == sorted(schema.names)
    plain = registry.load(registry.resolve(model)).sample(200, seed=0)
    key = [("value", "ascending"), ("day", "ascending"), ("count", "ascending")]
    found = rows.set_column(rows.column_names.index("count"), "count", rows["count"].cast(pa.int32()))
    assert found.sort_by(key).select(["value", "day", "count"]) == plain.sort_by(key).select(["value", "day", "count"])
    outcome = command("export", model, "--rows", 5, "--out", out, "--partition-by", "none")
    assert (outcome.code, "expected a column" in outcome.err) == (2, True), outcome.err


def test_a_doctored_schema_fails_verification(command: Command, model: str, tmp_path: Path) -> None:
    """If a manifest's schema was changed and cannot be read, the check finds a problem and does not fail itself."""
    out = tmp_path / "export"
    assert command("export", model, "--rows", 5, "--out", out).code == 0
    doctored = exports.load_manifest(out).model_copy(update={"arrow_schema": "AAAA"})
    with pq.ParquetWriter(out / "_manifest.parquet", table().schema) as writer:
        writer.add_key_value_metadata({KEY: doctored.model_dump_json().encode()})
    outcome = command("verify", out, "--json")
    assert (outcome.code, outcome.answer["holds"]) == (3, False)
    assert "_manifest.parquet was changed: its arrow_schema cannot be read" in outcome.answer["problems"]


def test_an_export_takes_the_settings_of_its_table(command: Command, model: str, tmp_path: Path) -> None:
    """Values of `[tables.NAME]` win over the rest of the file, however the version is named."""
    config, out = tmp_path / "resynth.toml", tmp_path / "export"
    config.write_text(f"seed = 1\n[tables.{model}]\nseed = 9\n[tables.other]\nseed = 2\n")
    for reference in (model, f"{model}@champion", f"{model}/1"):
        outcome = command("export", reference, "--rows", 5, "--out", out, "--config", config)
        assert outcome.code == 0, outcome.err
        assert exports.load_manifest(out).seed == 9
