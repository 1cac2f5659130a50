"""The webhook: which events are sent, and with what content."""

import json
import logging
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import ValidationError
from small import Outcome, write

from flows.settings import NotifySettings, Settings
from flows.telling import notify
from flows.telling.outcome import RunOutcome
from pipeline.data.incoming import Quarantined
from pipeline.errors import BusyError, TableError

Inbox = list[dict[str, Any]]


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Inbox, list[int]]]:
    """A webhook's address, its received messages, and the statuses of its next answers (then 200)."""
    told: Inbox = []
    answers: list[int] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = answers.pop(0) if answers else 200
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if status == 200:
                told.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(notify, "PAUSE", 0.01)
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}/secret", told, answers
        server.shutdown()


def settings(webhook: str, **more: object) -> NotifySettings:
    """Settings that name a webhook."""
    return NotifySettings.model_validate({"webhook": webhook, **more})


def test_a_promotion_and_quarantined_files_are_told(inbox: tuple[str, Inbox, list[int]]) -> None:
    """Two messages, each with a line for people and facts for programs."""
    address, told, _ = inbox
    bad = Quarantined(name="x.parquet", digest="d", reason="cut short")
    outcome = RunOutcome(
        name="small", version="3", decision="promoted", reasons=("good",), quarantined=(bad,), published="3", seconds={}
    )
    notify.outcome(settings(address), outcome)
    assert [message["event"] for message in told] == ["promoted", "quarantined"]
    assert told[0]["text"] == "resynth: small: version 3 promoted"
    assert (told[0]["version"], told[0]["reasons"]) == ("3", ["good"])
    assert told[1]["quarantined"] == [bad.model_dump()]


def test_a_failure_is_told_and_goes_on(inbox: tuple[str, Inbox, list[int]]) -> None:
    """The exception leaves the block unchanged. An error because another run is at work is not sent."""
    address, told, _ = inbox
    with pytest.raises(TableError), notify.failures(settings(address), "small"):
        raise TableError("expected rows, got none")
    with pytest.raises(BusyError), notify.failures(settings(address), "small"):
        raise BusyError("another")
    with pytest.raises(KeyError), notify.failures(settings(address), "small"):
        raise KeyError("Ann Smith, 1970")
    assert [(message["event"], message["text"]) for message in told] == [
        ("failed", "resynth: small: expected rows, got none"),
        ("failed", "resynth: small: failed (KeyError)"),  # its text may be a value
    ]


def test_a_run_that_cannot_publish_where_it_is_asked_to_is_told(
    command: Callable[..., Outcome], inbox: tuple[str, Inbox, list[int]], tmp_path: Path
) -> None:
    """It is sent although no work has begun."""
    address, told, _ = inbox
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.doc").touch()
    (tmp_path / "resynth.toml").write_text(f'[notify]\nwebhook = "{address}"\n')
    data, config = write(tmp_path), tmp_path / "resynth.toml"
    outcome = command("run", data, "--name", "notify-occupied", "--config", config, "--out", tmp_path / "work")
    assert outcome.code == 2
    assert [message["event"] for message in told] == ["failed"]
    assert "expected an empty directory or an earlier export" in told[0]["text"]


def test_only_chosen_events_are_told(inbox: tuple[str, Inbox, list[int]]) -> None:
    """`on` chooses the events, and without a webhook nothing is sent."""
    address, told, _ = inbox
    notify.tell(settings(address, on=["failed"]), "drift", "small", "moved")
    notify.tell(NotifySettings(), "failed", "small", "broken")
    assert told == []


def test_a_webhook_that_fails_is_tried_again_and_fails_nothing(
    inbox: tuple[str, Inbox, list[int]], caplog: pytest.LogCaptureFixture
) -> None:
    """After two failures a success counts. After final failure there is a warning without the address."""
    address, told, answers = inbox
    answers.extend([503, 500])
    notify.tell(settings(address), "drift", "small", "moved")
    assert len(told) == 1
    answers.extend([500] * notify.TRIES)
    with caplog.at_level(logging.WARNING):
        notify.tell(settings(address), "drift", "small", "moved")
    assert len(told) == 1
    assert "took no news of 'drift' after 3 tries" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("http://127.0.0.1:9/a secret", "InvalidURL"),
        ("http://127.0.0.1:secret/", "InvalidURL"),
    ],
)
def test_an_address_that_is_none_fails_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, address: str, error: str
) -> None:
    """An address that the settings cannot detect as wrong, such as one with a space, gives a warning like any other."""
    monkeypatch.setattr(notify, "PAUSE", 0.0)
    with caplog.at_level(logging.WARNING):
        notify.tell(settings(address), "drift", "small", "moved")
    assert f"took no news of 'drift' after 3 tries ({error})" in caplog.text
    assert "secret" not in caplog.text


def test_the_address_is_kept_out_of_what_is_logged() -> None:
    """Settings are logged to MLflow and shown by Prefect as JSON, without the address."""
    chosen = Settings.model_validate({"notify": {"webhook": "https://hooks.example.org/T0/secret"}})
    assert "secret" not in chosen.model_dump_json()
    assert "secret" not in str(chosen)
    with pytest.raises(ValidationError):
        settings("file:///etc/passwd")
