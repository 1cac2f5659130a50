"""Lists, structures and bytes through the commands: left out with a line, or of the kind that a person sets."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small import LENIENT, TINY, Outcome, table

from pipeline.arrow.labels import labels

Command = Callable[..., Outcome]
KINDS = ("categorical", "text", "identifier")
ROWS = 300
LETTERS = np.random.default_rng(7).choice(list("abdefgiklmnoprstuz"), (30, 9))
PEOPLE = ["Ottokar " + "".join(letters).capitalize() for letters in LETTERS.tolist()]


def odd(seed: int = 0) -> pa.Table:
    """The small table with a list of texts, a structure and bytes. Their commonest values are shared by many rows."""
    teams = np.array(["Team North", "Team South", "Team West"])[np.arange(ROWS) % 3]
    names = np.where(np.arange(ROWS) % 10 > 0, teams, np.repeat(PEOPLE, 10))  # one row each
    found = table(ROWS, seed)
    for kind in KINDS:
        found = found.append_column(
            f"{kind} list", pa.array([[name, None] if i % 7 else None for i, name in enumerate(names)])
        )
        found = found.append_column(f"{kind} struct", pa.array([{"name": name, "at": [1.5]} for name in names]))
        found = found.append_column(f"{kind} raw", pa.array([name.encode() for name in names]))
    return found


ODD = odd().column_names[4:]
COLUMNS = "".join(f'[columns."{name}"]\nkind = "{name.split()[0]}"\n' for name in ODD)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The table as a file, and settings beside it."""
    pq.write_table(odd(), tmp_path / "odd.parquet")
    (tmp_path / "resynth.toml").write_text(f'name = "odd-columns"\n{TINY}{LENIENT}{COLUMNS}')
    (tmp_path / "plain.toml").write_text(TINY + LENIENT)
    return tmp_path / "odd.parquet"


def texts(array: pa.ChunkedArray) -> list[str | None]:
    """The values as texts."""
    return labels(array).dictionary_decode().to_pylist()


def secrets() -> list[str]:
    """Names of people, as texts and as bytes."""
    return [form for name in PEOPLE for form in (name, name.encode().hex())]


def content(directory: Path) -> str:
    """All files below a directory, Parquet value by value."""
    found = []
    for path in sorted(directory.rglob("*")):
        if path.suffix == ".parquet":
            found += [str(text) for column in pq.ParquetFile(path).read().columns for text in texts(column)]
        elif path.is_file():
            found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)


def test_kinds_of_odd_columns_go_through_run_drift_evaluate_and_export(source, tmp_path, home, command: Command):
    """Exact types come out, made-up values are never real, and no written file holds a rare value."""
    config = ("--config", tmp_path / "resynth.toml", "--json")
    done = command("run", source, *config)
    assert done.code == 0, done.err
    real = pq.read_table(source)
    exported = command("export", "odd-columns", "--rows", 500, "--out", tmp_path / "twin", "--json")
    assert exported.code == 0, exported.err
    assert command("verify", tmp_path / "twin").code == 0
    twin = pa.concat_tables([pq.read_table(path) for path in sorted((tmp_path / "twin").glob("part-*"))])
    assert twin.schema.equals(real.schema)
    for name in ODD:
        before, now = set(texts(real[name])), [text for text in texts(twin[name]) if text is not None]
        if name.startswith("categorical"):
            assert set(now) <= before
            assert len(set(now)) == 3
        else:
            assert not set(now) & before
            assert name.startswith("text") or len(set(now)) == len(now)
        assert (twin[name].null_count > 0) == ("list" in name)
    everything = content(home) + content(tmp_path / "twin") + done.out + done.err
    assert not [secret for secret in secrets() if secret in everything]
    assert "Team North" not in str([twin[name].to_pylist() for name in ODD if not name.startswith("categorical")])
    checked = command("drift", "odd-columns", source, *config)
    assert (checked.code, checked.answer["drifted"]) == (0, False), checked.err
    compared = command("evaluate", source, tmp_path / "twin", *config)
    assert compared.code == 0, compared.err
    assert {"categorical list", "categorical struct"} <= {each["name"] for each in compared.answer["columns"]}


def test_inspection_says_what_becomes_of_odd_columns(source, tmp_path, command: Command):
    """Odd columns are left out with a reason. With settings, there are three readable examples, none of a person."""
    default = command("inspect", source, "--config", tmp_path / "plain.toml", "--json")
    found = {each["name"]: each for each in default.answer["columns"]}
    assert {found[name]["kind"] for name in ODD} == {"drop"}
    assert all("kind = 'categorical', 'text' or 'identifier' keeps it" in found[name]["why"] for name in ODD)
    chosen = command("inspect", source, "--config", tmp_path / "resynth.toml", "--json")
    found = {each["name"]: each for each in chosen.answer["columns"]}
    assert {name: found[name]["kind"] for name in ODD} == {name: name.split()[0] for name in ODD}
    assert all(len(found[name]["examples"]) == 3 for name in ODD)
    assert all(text.startswith(('{"name":"', '{"at":')) for text in found["text struct"]["examples"])
    assert not [secret for secret in secrets() if secret in chosen.out + chosen.err]


def test_a_type_without_room_for_identifiers_is_refused_before_anything_is_trained(source, tmp_path, command: Command):
    """One line names column, type and room, and nothing is registered."""
    file = tmp_path / "flags.parquet"
    pq.write_table(table(ROWS).append_column("flag", pa.array([i % 2 > 0 for i in range(ROWS)])), file)
    (tmp_path / "flags.toml").write_text(TINY + LENIENT + '[columns.flag]\nkind = "identifier"\n')
    refused = command("run", file, "--config", tmp_path / "flags.toml")
    assert refused.code == 2
    assert "column 'flag' of type bool cannot be an identifier: expected room for 300 fresh values" in refused.err
    assert "Traceback" not in refused.err
