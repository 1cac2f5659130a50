"""No real person leaves: every file that a run writes is searched for names and addresses of customers."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from customers import PERSONAL, customers, leaked, secrets

SETTINGS = "[training]\nepochs = 2\n[model]\nwidth = 32\nhidden = 32\n"


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


@pytest.mark.parametrize("language", ["de", "es"])
def test_no_real_customer_is_in_any_file_of_a_run(tmp_path, language):
    """Names, e-mails, telephone numbers, addresses, notes and numbers are made up; shapes, nulls and the rest stay."""
    table = customers(language, 1_500)
    source, home = tmp_path / "customers.parquet", tmp_path / "home"
    pq.write_table(table, source)
    home.mkdir()
    (home / "resynth.toml").write_text(SETTINGS)
    command = [sys.executable, "-m", "flows", "run", str(source), "--home", str(home), "--json"]
    servers = ("MLFLOW_", "PREFECT_")  # of other tests: this run has a store of its own
    environment = {name: value for name, value in os.environ.items() if not name.startswith(servers)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False, env=environment)
    assert done.returncode in (0, 3), done.stderr
    command = [sys.executable, "-m", "flows", "export", "customers/1", "--rows", "1500", "--out", str(home / "twin")]
    subprocess.run([*command, "--home", str(home)], check=True, capture_output=True, timeout=200, env=environment)
    assert (home / "mlruns" / "mlflow.db").exists()
    everything = texts(home) + done.stdout + done.stderr
    hidden = secrets(table)
    canary = max(hidden)
    assert leaked(hidden, f"{everything} {canary}") == [canary]
    twin = pa.concat_tables([pq.ParquetFile(p).read() for p in sorted((home / "twin").rglob("*.parquet"))])
    assert twin.schema.names == table.schema.names
    mails = twin.column(2).to_pylist()
    assert all(mail is None or mail.count("@") == 1 for mail in mails)
    assert 0 < mails.count(None) < 600
    assert set(twin.column(8).to_pylist()) == {"DE", "ES", "AT", "LI"} or "LI" not in table.column(8).to_pylist()
    assert len({len(value) for name in table.column_names[:PERSONAL] for value in map(str, twin[name].to_pylist())}) > 3
