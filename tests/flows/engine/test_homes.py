"""The embedded default."""

import json
import os
import subprocess
import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.engine import homes
from flows.engine.homes import LostError
from pipeline.errors import InputError, ResynthError

ROOT = Path(__file__).parents[3]


def test_both_tools_are_embedded_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any setting, state goes into the home and nowhere else."""
    for name in homes.defaults(tmp_path):
        monkeypatch.delenv(name, raising=False)
    homes.embed(tmp_path)
    assert os.environ["PREFECT_HOME"] == str(tmp_path / ".prefect")
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert (tmp_path / ".prefect").is_dir()


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that the environment names are used."""
    for name in homes.defaults(tmp_path):
        monkeypatch.setenv(name, f"my {name}")
    homes.embed(tmp_path)
    assert all(os.environ[name] == f"my {name}" for name in homes.defaults(tmp_path))


def test_a_home_that_cannot_be_is_bad_input(tmp_path: Path) -> None:
    """A file in the place of the home is reported in one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="expected a directory that can be written"):
        homes.embed(tmp_path / "file")


@pytest.mark.parametrize(
    ("named", "profile", "server"),
    [
        (True, False, "the Prefect server of PREFECT_API_URL"),
        (False, True, "the Prefect server of Prefect's profile"),
        (False, False, "the embedded Prefect server"),
    ],
)
def test_a_lost_server_is_called_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool, profile: bool, server: str
) -> None:
    """A lost server is called by the variable that names it. If none does, the message names no variable."""
    address = "http://127.0.0.1:9/api"
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr(homes, "server", cache(lambda: SimpleNamespace(address="http://127.0.0.1:9")))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if named:
        monkeypatch.setenv("PREFECT_API_URL", address)
    if profile:
        (tmp_path / "profiles.toml").write_text("")
    with (
        temporary_settings({PREFECT_API_URL: address if named or profile else None}),
        pytest.raises(LostError, match=f"^expected {server} to go on answering, it does not"),
        homes.running(),
    ):
        raise ConnectionError


def test_the_embedded_server_is_called_so_while_flows_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While flows run, the embedded server is recognised, even if Prefect has profiles without a server."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr(homes, "server", cache(lambda: SimpleNamespace(address="http://127.0.0.1:9")))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "profiles.toml").write_text("")
    with temporary_settings({PREFECT_API_URL: None}):
        assert homes.embedded()
        with homes.running():
            assert homes.embedded()


@pytest.mark.usefixtures("processes")
def test_help_imports_nothing_heavy() -> None:
    """Help answers at once, because nothing slow is imported."""
    script = (
        "import sys; from flows.cli import main\n"
        "codes = [main([*verb, '--help']) for verb in ([], ['run'], ['export'], ['ui'])]\n"
        "heavy = {'torch', 'mlflow', 'prefect', 'pyarrow', 'pandas', 'sklearn', 'numpy', 'scipy', 'matplotlib'}\n"
        "print(codes, sorted(heavy & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.count("Usage: resynth") == 4
    assert found.stdout.splitlines()[-1] == "[0, 0, 0, 0] []"


class Healthy(BaseHTTPRequestHandler):
    """A server that reports that it is healthy."""

    def do_GET(self) -> None:
        """Report health."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_a_server_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is away for a second is found. For one that stays away, a line names the setting, no password."""
    with HTTPServer(("127.0.0.1", 0), Healthy, bind_and_activate=False) as server:
        server.server_bind()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(homes, "PAUSES", (0.0, 0.1))
        with pytest.raises(ResynthError, match="MLflow server of MLFLOW_TRACKING_URI to answer within 0 s"):
            homes.reach()
        monkeypatch.setattr(homes, "PAUSES", (0.0, 0.5, 1.0, 3.0))
        late = threading.Timer(1.0, lambda: (server.server_activate(), server.handle_request()))
        late.start()
        homes.reach()
        late.join()


@pytest.mark.usefixtures("processes")
def test_a_command_without_its_servers_fails_in_one_line(tmp_path: Path) -> None:
    """The command ends with exit code 1, and nothing has begun."""
    script = "import sys; from flows.engine import homes; homes.PAUSES = (0.0,); from flows.cli import main; "
    command = [
        sys.executable,
        "-c",
        script + "sys.exit(main(sys.argv[1:]))",
        "models",
        "--home",
        str(tmp_path),
        "--json",
    ]
    environment = os.environ | {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "MLFLOW_TRACKING_URI" in json.loads(done.stdout)["error"]
