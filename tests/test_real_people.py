"""No real person leaves: every file that a run writes is searched for names and addresses of customers."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from customers import PEOPLE, PERSONAL, customers, leaked, secrets

ROOT = Path(__file__).parents[1]
SETTINGS = (
    "[training]\nepochs = 2\n[model]\nwidth = 32\nhidden = 32\n[evaluation]\ndetection_rows = 200\n"
    "[gate]\nactive_units = 0\n[gate.limits]\nshape_error = 1.0\n"
)
ROWS = 1_500
RUNS = """
import sys
from flows.cli import main
home, *tables = sys.argv[1:]
for table in tables:
    assert main(["run", table, "--home", home, "--json"]) == 0
"""


@pytest.fixture(scope="module")
def home(processes: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home of its own after a run of either table, and what the runs have said; the tables are gone."""
    place = tmp_path_factory.mktemp("people")
    home = place / "home"
    home.mkdir()
    (home / "resynth.toml").write_text(SETTINGS)
    tables = [place / f"{language}.parquet" for language in PEOPLE]
    for table in tables:
        pq.write_table(customers(table.stem, ROWS), table)
    servers = ("MLFLOW_", "PREFECT_")  # of other tests: these runs have a store of their own
    environment = {name: value for name, value in os.environ.items() if not name.startswith(servers)}
    command = [sys.executable, "-c", RUNS, str(home), *map(str, tables)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return home, done.stdout + done.stderr


def texts(home: Path) -> str:
    """Everything in the files below a directory as text: Parquet cell by cell, anything else by its bytes."""
    found = []
    for path in sorted(home.rglob("*")):
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            found += [str(value) for column in table.columns for value in column.to_pylist()]
        elif path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


@pytest.mark.parametrize("language", PEOPLE)
def test_no_real_customer_is_in_any_file_of_a_run(home, language):
    """Names, e-mails, telephone numbers, addresses, notes and numbers are made up; shapes, nulls and the rest stay."""
    place, said = home
    table = customers(language, ROWS)
    assert (place / "mlruns" / "mlflow.db").exists()
    everything = texts(place) + said
    hidden = secrets(table)
    canary = max(hidden)
    assert leaked(hidden, f"{everything} {canary}") == [canary]
    parts = sorted((place / "data" / "exports" / language / "v1").rglob("part-*.parquet"))
    twin = pa.concat_tables([pq.ParquetFile(part).read() for part in parts])
    assert (twin.schema.names, twin.num_rows) == (table.schema.names, ROWS)
    mails = twin.column(2).to_pylist()
    assert all(mail is None or mail.count("@") == 1 for mail in mails)
    assert 0 < mails.count(None) < 600
    assert set(twin.column(8).to_pylist()) == {"DE", "ES", "AT", "LI"} or "LI" not in table.column(8).to_pylist()
    assert len({len(value) for name in table.column_names[:PERSONAL] for value in map(str, twin[name].to_pylist())}) > 3
