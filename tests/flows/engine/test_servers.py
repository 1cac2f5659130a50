"""The servers of both tools: what they are given, and what is shown of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.engine import servers

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ann:secret@example.org/ml/@x", "https://example.org/ml/@x"),
        ("https://ann:sec@ret@example.org", "https://example.org"),
        ("https://token@[::1]:5000", "https://[::1]:5000"),
        ("http://example.org:4200/a@b", "http://example.org:4200/a@b"),
    ],
)
def test_addresses_are_shown_without_passwords(monkeypatch: pytest.MonkeyPatch, address: str, shown: str) -> None:
    """Addresses of servers from the environment are shown without their password."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("PREFECT_API_URL", f"{address}/api")
    with servers.mlflow() as mlflow, servers.prefect() as prefect:
        assert (mlflow, prefect) == (shown, shown)


@pytest.mark.usefixtures("processes")
def test_servers_that_start_at_once_in_a_new_home_all_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first server creates the database and the others wait. Every server answers, and none ends."""
    (tmp_path / ".prefect").mkdir()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / ".prefect"))
    options = ("--factory", "flows.engine.embedded:app", "--app-dir", str(ROOT), "--log-level", "error")
    ports = [servers.free_port() for _ in range(2)]
    started = [servers.start("uvicorn", port, *options) for port in ports]
    try:
        for port, server in zip(ports, started, strict=True):
            servers.wait("Prefect", port, server)
        assert [server.poll() for server in started] == [None] * 2
    finally:
        for server in started:
            server.terminate()
            server.wait(timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a server ends only when its parent ends in order")
@pytest.mark.parametrize(("parent", "lives"), [("os.getppid()", True), ("1 + os.getppid()", False)])
@pytest.mark.usefixtures("processes")
def test_a_server_whose_parent_was_killed_before_it_could_know_ends(parent: str, *, lives: bool) -> None:
    """If the parent died before the kernel was asked to report it, the process ends at once."""
    script = f"import os; from flows.engine import servers; servers.end_with_parent({parent}); print('alive')"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == ((0, "alive\n") if lives else (1, ""))
