"""Pictures of the pages and of the terminal for the documentation, made from the real thing.

    .venv/bin/python docs/screenshots.py [--home HOME] [--out docs/pictures] [--widths 1400]

Without a home it makes one: the example table, two runs and a drift check, which takes about ten minutes. Then it
starts the pages of MLflow and Prefect as `resynth ui` does, opens them in a headless Chromium, which must be installed,
and prints every error that a page writes to the browser's console. The end of a run is drawn as the terminal shows it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from rich.console import Console

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NAME = "adult"
HEIGHT = 1000
PATIENCE = 20_000  # milliseconds of the page's time, in which it loads
ON_TRAINING = "?workflowType=machine_learning"  # MLflow's pages for models that are trained
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
CONSOLE = re.compile(r'CONSOLE[^"]*"(.*)", source: (\S+)')
COMMAND = (sys.executable, "-m", "flows")


def main() -> int:
    """Make the pictures; returns 1 if a page wrote an error to the console."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--widths", type=int, nargs="+", default=[1400])
    given = parser.parse_args()
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        parser.error(f"expected one of {', '.join(BROWSERS)} to be installed")
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="resynth-screenshots-") as directory:
        home = given.home.resolve() if given.home is not None else furnished(Path(directory))
        from flows.engine import homes  # noqa: PLC0415 - MLflow and Prefect read the environment when imported

        homes.embed(home)
        terminal(given.out / "run.svg", home)
        return shots(browser, given.out, given.widths)


def furnished(home: Path) -> Path:
    """A home with two runs and a drift check of the example table."""
    for arguments in (
        ("example", "--out", str(home)),
        ("run", str(home / "adult_train.parquet"), "--config", str(home / "adult.toml")),
        ("run", str(home / "adult_train.parquet"), "--config", str(home / "adult.toml"), "--seed", "1"),
        ("drift", NAME, str(home / "adult_train.parquet")),
    ):
        subprocess.run([*COMMAND, *arguments, "--home", str(home)], check=False, stdout=subprocess.DEVNULL)
    return home


def terminal(file: Path, home: Path) -> None:
    """Draw the end of the latest run of the home, on a terminal of 100 columns."""
    from flows.settings import Settings  # noqa: PLC0415 - as above
    from flows.telling import closing  # noqa: PLC0415
    from flows.telling.outcome import RunOutcome  # noqa: PLC0415
    from flows.tracking import registry  # noqa: PLC0415

    run = registry.resolve(NAME).origin
    found = RunOutcome.model_validate_json(run.read("report.json"))
    console = Console(record=True, width=100, file=StringIO())
    closing.run(console, found, Settings().gate)
    drawn = console.export_svg(title="resynth run adult_train.parquet --config adult.toml")
    file.write_text(drawn.replace(str(home), "/srv/resynth"))


def shots(browser: str, out: Path, widths: list[int]) -> int:
    """Open every page at every width. Returns 1 if one wrote an error to the console."""
    from flows.verbs.ui import serving  # noqa: PLC0415 - as above

    wrong = 0
    with serving() as addresses:
        for name, address in pages(addresses["mlflow"], addresses["prefect"]):
            for width in widths:
                for line in shot(browser, address, out / f"{name}-{width}.png", width):
                    wrong = 1
                    print(f"{name}: {line}")
    return wrong


def pages(mlflow: str, prefect: str) -> Iterator[tuple[str, str]]:
    """The pages to open, by name."""
    from flows.tracking import registry, store  # noqa: PLC0415 - as above

    version = registry.resolve(NAME)
    yield "mlflow-runs", f"{mlflow}/{store.openings()[NAME]}"
    yield "mlflow-run", f"{mlflow}/#/experiments/{experiment(version.run)}/runs/{version.run}{ON_TRAINING}"
    yield "mlflow-version", f"{mlflow}/#/models/{NAME}/versions/{version.version}{ON_TRAINING}"
    yield "prefect-run", f"{prefect}/runs/flow-run/{latest(prefect)}"


def experiment(run: str | None) -> str:
    """The id of the experiment of a run."""
    from flows.tracking.store import client  # noqa: PLC0415 - as above

    return str(client().get_run(str(run)).info.experiment_id)


def latest(prefect: str) -> str:
    """The id of the latest training that Prefect knows."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - as above
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName  # noqa: PLC0415
    from prefect.client.schemas.sorting import FlowRunSort  # noqa: PLC0415

    os.environ["PREFECT_API_URL"] = f"{prefect}/api"
    with get_client(sync_client=True) as client:
        wanted = FlowRunFilter(name=FlowRunFilterName(any_=[f"{NAME}: train"]))
        return str(client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.START_TIME_DESC, limit=1)[0].id)


def shot(browser: str, address: str, file: Path, width: int) -> list[str]:
    """Open a page and keep a picture of it. Returns the errors of its console."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(browser, *QUIET, f"--user-data-dir={profile}", f"--window-size={width},{HEIGHT}"),
            *(f"--virtual-time-budget={PATIENCE}", "--enable-logging=stderr", f"--screenshot={file}", address),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    found = [f"{text} ({source})" for text, source in CONSOLE.findall(done.stderr) if "error" in text.lower()]
    return found if file.exists() else [*found, "no picture was made"]


if __name__ == "__main__":
    sys.exit(main())
