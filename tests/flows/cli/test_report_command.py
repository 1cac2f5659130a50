"""The report of a version: kept by its run, fetched by a verb; and the report of any two tables."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pyarrow.parquet as pq
import pytest
from small import LENIENT, TINY, Outcome, table, write

from flows.engine import webpages
from flows.stages import reporting
from flows.tracking import registry
from pipeline.errors import SettingsError

Command = Callable[..., Outcome]
NAME = "reported"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A table and settings."""
    place = tmp_path_factory.mktemp("report")
    (place / "settings.toml").write_text(TINY + LENIENT)
    return write(place, rows=400), place / "settings.toml"


@pytest.mark.usefixtures("training")
def test_a_run_keeps_a_report_and_the_verb_fetches_it(
    command: Command, data: tuple[Path, Path], home: Path, tmp_path: Path
) -> None:
    """It is among the run's files in MLflow before the run is complete, and comes out as it was kept."""
    found = command("run", data[0], "--name", NAME, "--config", data[1], "--json")
    assert found.code == 0, found.err
    answer = found.answer
    kept = Path(answer["page"])
    assert kept == Path(answer["report"]) / "report.html"
    assert webpages.is_page(kept)
    text = kept.read_text("utf-8")
    for told in ("Good: yes", f"{NAME} version 1", answer["relations"][0]["text"] if answer["relations"] else "day"):
        assert told in text
    assert f"resynth export {NAME}/1 --rows 400" in text
    assert mlflow.artifacts.load_text(f"runs:/{registry.resolve(NAME).run}/report.html") == text
    fetched = command("report", NAME, "--json").answer
    assert set(fetched) == {"name", "version", "path", "bytes"}
    assert Path(fetched["path"]) == home / "data" / "reports" / f"{NAME}-v1.html"
    assert Path(fetched["path"]).read_text("utf-8") == text
    assert fetched["bytes"] == len(text.encode())
    out = tmp_path / "new" / "page.html"
    shown = command("report", f"{NAME}/1", "--out", out)
    assert (shown.code, shown.out.splitlines()[-1]) == (0, str(out))
    assert command("report", NAME, "--out", out).code == 0  # an earlier report is replaced
    again = command("run", data[0], "--name", NAME, "--config", data[1], "--seed", "1", "--json")
    assert "version 1 on the same held-out rows" in Path(again.answer["page"]).read_text("utf-8")


@pytest.mark.usefixtures("training")
def test_a_report_that_cannot_be_made_fails_no_run(
    command: Command, data: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning does not repeat the message, which may quote a value. The verb then says that there is none."""

    def broken(_: object) -> str:
        raise ValueError("Ann Smith")

    monkeypatch.setattr(reporting, "report", broken)
    found = command("run", data[0], "--name", "unreported", "--config", data[1], "--json")
    assert (found.code, found.answer["page"]) == (0, None)
    assert "report.html could not be made (ValueError)" in caplog.text
    assert "Ann Smith" not in caplog.text + found.err
    refused = command("report", "unreported")
    assert (refused.code, refused.err.count("\n"), refused.out) == (2, 1, "")
    assert "expected a version that a run has made with a report" in refused.err


def test_two_tables_have_a_report(command: Command, tmp_path: Path) -> None:
    """It says that nothing is known of a model, and holds no rare label of the real rows."""
    real, twin = write(tmp_path, "real", 600), write(tmp_path, "twin", 600, seed=1)
    rare = table(600).set_column(1, "group", table(600)["group"].cast("string"))
    labels = ["Ann Smith" if i < 3 else value for i, value in enumerate(rare["group"].to_pylist())]
    pq.write_table(rare.set_column(1, "group", [labels]), real)
    (tmp_path / "few.toml").write_text(TINY)
    file = tmp_path / "page.html"
    found = command("evaluate", real, twin, "--config", tmp_path / "few.toml", "--report", file, "--json")
    assert (found.code, found.answer["page"]) == (0, str(file))
    text = file.read_text("utf-8")
    assert "Ann Smith" not in text
    assert "Nothing is known of a latent space" in text
    assert command("evaluate", real, twin, "--config", tmp_path / "few.toml", "--json").answer["page"] is None


def test_only_a_report_is_replaced(tmp_path: Path) -> None:
    """Other files and directories are left alone, and so is what cannot be written."""
    (tmp_path / "mine.html").write_text("<html>mine")
    for file in (tmp_path / "mine.html", tmp_path, tmp_path / "mine.html" / "page.html"):
        with pytest.raises(SettingsError, match="report: --out: expected"):
            webpages.check(file, "report", "--out")
    assert (tmp_path / "mine.html").read_text() == "<html>mine"
    webpages.check(tmp_path / "new" / "page.html", "report", "--out")
