"""The policy in the run: skip, warm-start, train afresh, refuse, each recorded with its reasons."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small import LENIENT, TINY, Outcome, synthesizer, table, write

import pipeline.saving
from flows.engine import homes
from flows.settings import Settings
from flows.stages import judging
from flows.stages.reading import Incoming, Prepared
from flows.telling.card import Facts
from flows.tracking import registry
from flows.tracking.registry import Version
from flows.tracking.store import PastCheck, Run, past_checks
from flows.verbs.operation import Operation
from flows.verbs.run import RunRequest, challenge
from flows.verbs.run import run as flow
from flows.verbs.run.challenge import Judgement, retrain
from flows.verbs.run.job import Job, Outlook
from pipeline.decisions.promotion import Decision
from pipeline.loop import PrivacyReport

Command = Callable[..., Outcome]
NEEDED = TINY + LENIENT + '[policy]\ntrain = "needed"\ncool_down_hours = 0\nsevere = 1.0\n'


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Callable[..., Outcome]:
    """`resynth run` of a table under a name, with settings given as text."""

    def made(name: str, rows: pa.Table, settings: str) -> Outcome:
        data, config = tmp_path / "data.parquet", tmp_path / "settings.toml"
        pq.write_table(rows, data)
        config.write_text(settings)
        return command("run", data, "--name", name, "--config", config, "--json")

    return made


def test_only_what_is_needed_is_trained(run):
    """The first run trains. On the same rows, the champion publishes. On twice the rows, there is a warm start.

    The warm start records where it started, and learns the new label.
    """
    first = run("policy-needed", table(400), NEEDED)
    assert (first.code, first.answer["decision"], first.answer["plan"]) == (0, "promoted", None)

    same = run("policy-needed", table(400), NEEDED)
    assert same.code == 0
    assert same.answer["decision"] == "skipped"
    assert same.answer["reasons"] == ["no row is new"]
    assert (same.answer["version"], same.answer["published"]) == (None, "1")
    assert same.answer["export"]["rows"] == 400
    assert len(registry.versions("policy-needed")) == 1

    grown = pa.concat_tables([table(400), table(400, seed=1)])
    where = np.arange(800) % 4 == 0
    label = np.where(where, "east", np.asarray(grown["group"].to_pylist()))
    grown = grown.set_column(1, grown.schema.field("group"), pa.array(label).dictionary_encode())
    more = run("policy-needed", grown, NEEDED)
    assert more.answer["plan"]["action"] == "warm-start"
    assert "at least 400 rows are new to a champion that knows 400" in more.answer["plan"]["reasons"]
    newest = registry.versions("policy-needed")[0]
    assert (newest.tags["start"], newest.tags["warm_starts"]) == ("1", "1")
    assert "east" in registry.load(newest).sample(2_000, seed=0)["group"].to_pylist()
    assert '"action": "warm-start"' in newest.origin.read("plan.json")


def test_lasting_drift_trains_once_in_a_cool_down_and_takes_nothing_in(command: Command, home: Path, tmp_path: Path):
    """A run started by drift does nothing so soon after a training, so the next run still finds the file new."""
    heap, config = tmp_path / "heap", tmp_path / "settings.toml"
    heap.mkdir()
    config.write_text(TINY + LENIENT + "[incoming]\n")
    arguments = ("run", heap, "--name", "policy-held", "--config", config, "--json")
    write(heap, "monday")
    assert command(*arguments).answer["decision"] == "promoted"
    write(heap, "tuesday", seed=1)
    on_drift = RunRequest(data=heap, home=home, name="policy-held", settings=Settings.load(home, config), on_drift=True)
    with homes.running():
        held = flow(on_drift)
    assert (held.decision, held.published, held.export) == ("skipped", None, None)
    assert held.reasons[0].endswith("the cool-down is 20 h")
    trained = command(*arguments).answer
    assert (trained["decision"], trained["version"]) == ("promoted", "2")
    assert command(*arguments).answer["reasons"][0].startswith("nothing is new in ")


@pytest.fixture
def heap(command: Command, tmp_path: Path) -> Callable[..., Outcome]:
    """A scheduled `resynth run` of the files in `tmp_path / "heap"`, with more said of the policy, and a gate."""
    (tmp_path / "heap").mkdir()

    def made(name: str, more: str, gate: str = LENIENT) -> Outcome:
        (tmp_path / "settings.toml").write_text(f'{TINY}{gate}[incoming]\n[policy]\ntrain = "needed"\n{more}')
        return command("run", tmp_path / "heap", "--name", name, "--config", tmp_path / "settings.toml", "--json")

    return made


def test_what_comes_in_the_cool_down_is_looked_at_after_it(heap: Callable[..., Outcome], tmp_path: Path):
    """A scheduled run in the cool-down takes no file in. After it, the same file is trained on without another one."""
    write(tmp_path / "heap", "monday")
    assert heap("policy-later", "").answer["decision"] == "promoted"
    write(tmp_path / "heap", "tuesday", seed=1)
    for _ in range(2):
        held = heap("policy-later", "").answer
        assert (held["decision"], held["plan"], held["export"]) == ("skipped", None, None)
        assert held["reasons"][0].endswith("the cool-down is 20 h")
    trained = heap("policy-later", "cool_down_hours = 0\n").answer
    assert (trained["decision"], trained["version"]) == ("promoted", "2")
    assert "at least 200 rows are new to a champion that knows 200" in trained["plan"]["reasons"]
    assert heap("policy-later", "cool_down_hours = 0\n").answer["reasons"][0].startswith("nothing is new in ")


def test_rows_that_were_skipped_are_trained_on_when_the_champion_is_old(heap: Callable[..., Outcome], tmp_path: Path):
    """Age starts a training without a new file, but only once. Without waiting rows, nothing is trained."""
    calm = "cool_down_hours = 0\nsevere = 1.0\nvotes = 3\nlikelihood = 1000\n"
    write(tmp_path / "heap", "monday", rows=300)
    heap("policy-old", calm)
    old = calm + "oldest_days = 1e-9\n"
    assert heap("policy-old", old).answer["reasons"][0].startswith("nothing is new in ")
    write(tmp_path / "heap", "tuesday", rows=40, seed=1)
    skipped = heap("policy-old", calm).answer
    assert (skipped["decision"], skipped["plan"]["action"]) == ("skipped", "skip")
    assert heap("policy-old", calm).answer["reasons"][0].startswith("nothing is new in ")
    trained = heap("policy-old", old).answer
    assert (trained["plan"]["action"], trained["version"]) == ("retrain", "2")
    assert trained["plan"]["reasons"] == ["the champion is 0.0 days old (at most 1e-09)"]
    assert heap("policy-old", old).answer["reasons"][0].startswith("nothing is new in ")


def test_a_champion_of_another_format_is_replaced(
    heap: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """New code trains afresh once, although nothing is new, and says why. If refused, champion and export stay.

    A later version that passes the gate has no champion to be compared with.
    """
    name, calm = "policy-format", "cool_down_hours = 0\n"
    write(tmp_path / "heap", "monday")
    published = Path(heap(name, calm).answer["export"]["manifest"])
    understood = pipeline.saving.FORMAT
    monkeypatch.setattr(pipeline.saving, "FORMAT", 99)
    refused = heap(name, calm, gate="[gate]\nactive_units = 99\n")
    assert (refused.code, refused.answer["decision"], refused.answer["published"]) == (3, "refused", None), refused.err
    plan = refused.answer["plan"]
    assert plan["action"] == "retrain"
    assert re.fullmatch(
        r"model: expected models:/policy-format/1 .* is of another format than this code", plan["reasons"][0]
    )
    assert registry.resolve(name).version == "1"
    assert published.exists()
    for code in (pipeline.saving.FORMAT, understood):  # nor is anything due where the new code is taken back
        monkeypatch.setattr(pipeline.saving, "FORMAT", code)
        assert heap(name, calm).answer["reasons"][0].startswith("nothing is new in ")
    monkeypatch.setattr(pipeline.saving, "FORMAT", 99)
    write(tmp_path / "heap", "tuesday", seed=1)
    promoted = heap(name, calm).answer
    assert (promoted["decision"], promoted["published"]) == ("promoted", "3")
    assert "there is no champion to compare with" in promoted["reasons"]
    assert "start" not in registry.versions(name)[0].tags


def test_refused_labels_and_columns_change_nothing(run):
    """New labels are refused with exit code 2 and one line. So are other columns, unless the settings train on them."""
    assert run("policy-refuse", table(200), TINY + LENIENT).code == 0
    grown = table(200)
    label = np.where(np.arange(200) % 4 == 0, "east", np.asarray(grown["group"].to_pylist()))
    grown = grown.set_column(1, grown.schema.field("group"), pa.array(label).dictionary_encode())
    refused = run("policy-refuse", grown, TINY + LENIENT + '[policy]\nnew_labels = "refuse"\n')
    assert refused.code == 2
    assert "refused for models:/policy-refuse/1; group has labels that the champion does not" in refused.answer["error"]

    fewer = table(200).drop_columns(["count"])
    assert run("policy-refuse", fewer, TINY + LENIENT).code == 2
    assert len(registry.versions("policy-refuse")) == 1
    afresh = run("policy-refuse", fewer, TINY + LENIENT + '[policy]\nnew_columns = "retrain"\n')
    assert (afresh.code, afresh.answer["decision"], afresh.answer["version"]) == (0, "promoted", "2")
    assert registry.load(registry.versions("policy-refuse")[0]).schema.names == ("value", "group", "day")


def test_a_new_label_among_very_many_is_refused(run):
    """With too many labels for the drift report, the champion is asked. Rows it was never shown are not new labels."""
    refuse = TINY + LENIENT + '[policy]\nnew_labels = "refuse"\n[columns.code]\nkind = "categorical"\npublic = true\n'
    labels = [f"code-{i % 300}" for i in range(700)] + [f"once-{i}" for i in range(100)]  # some are held out
    codes = table(800).append_column("code", pa.array(labels))
    for _ in range(2):
        assert run("policy-many", codes, refuse).code == 0
    more = pa.concat_tables([codes, table(40, seed=1).append_column("code", pa.array(["unheard"] * 40))])
    refused = run("policy-many", more, refuse)
    assert refused.code == 2
    assert "; code has labels that the champion does not know" in refused.answer["error"]
    assert "unheard" not in refused.out + refused.err


def test_files_of_other_columns_are_trained_on_where_the_settings_say_so(heap: Callable[..., Outcome], tmp_path: Path):
    """Refused files wait in quarantine. Once admitted, they alone are the table, and the earlier files are reported."""
    name, let = "policy-columns", 'cool_down_hours = 0\nnew_columns = "retrain"\n'
    write(tmp_path / "heap", "monday")
    assert heap(name, "cool_down_hours = 0\n").answer["decision"] == "promoted"
    pq.write_table(table(200, seed=1).drop_columns(["count"]), tmp_path / "heap" / "tuesday.parquet")
    waiting = heap(name, "cool_down_hours = 0\n").answer
    assert (waiting["decision"], waiting["quarantined"][0]["reason"]) == ("skipped", "column 'count' is missing")
    afresh = heap(name, let).answer
    assert (afresh["decision"], afresh["version"]) == ("promoted", "2")
    assert afresh["plan"]["reasons"][0] == "column 'count' is missing"
    assert [file["name"] for file in afresh["quarantined"]] == ["monday.parquet"]
    assert registry.load(registry.versions(name)[0]).schema.names == ("value", "group", "day")
    assert heap(name, let).answer["reasons"][0].startswith("nothing is new in ")


def test_checks_are_those_of_complete_runs_since_a_moment(home):
    """They are in order, without manual drift checks, runs that did not end, and earlier runs."""
    began = datetime.now(UTC) - timedelta(seconds=1)
    for number, tags in enumerate(
        (
            {"flow": "run", "drift": "true", "decision": "skipped"},
            {"flow": "drift", "drift": "true", "decision": "skipped"},
            {"flow": "run", "drift": "true"},
            {"flow": "run", "drift": "false", "decision": "refused"},
        )
    ):
        with Run.start("policy-checks", tags) as made:
            made.parameters({"rows": {"new": number}})
    expected = (PastCheck(drifted=True, new_rows=0), PastCheck(drifted=False, new_rows=3))
    assert past_checks("policy-checks", began) == expected
    assert past_checks("policy-checks", datetime.now(UTC) + timedelta(seconds=1)) == ()


def facts(version: str) -> Facts:
    """What is known of a version whose training is of no interest."""
    privacy = PrivacyReport(least_rows=5)
    numbers = {"columns": 4, "relations": 0, "epochs": 1, "seconds": 1}
    texts = {"data": "data.parquet", "digest": "d", "code": "c", "release": "0.1.0"}
    return Facts(version=version, rows={}, start=None, privacy=privacy, **numbers, **texts)


@pytest.mark.parametrize(("promote", "fails"), [(False, False), (True, True)])
def test_an_alias_moved_meanwhile_is_respected(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, promote: bool, fails: bool
):
    """The alias moves from 1 to 2 while a run judges 3. If 3 is refused, 2 publishes. If the run fails, 2 is back."""
    name = f"moved-{promote}"
    synthesizer().save(tmp_path / "synthesizer")

    def register(*_: object) -> Version:
        with Run.start(name, {}) as tracked:
            return registry.register(tracked, tmp_path / "synthesizer", {})

    def judge(*_: object) -> Judgement:
        registry.promote(second, by_hand=True)
        return Judgement(None, None, Decision(promote=promote, reasons=()))

    def publish(_job: Job, version: Version, _incoming: Incoming) -> None:
        published.append(version.version)
        if fails:
            raise OSError("full")

    def train(*_: object) -> tuple[Version, Facts]:
        made = register()
        return made, facts(made.version)

    first, second, published = register(), register(), list[str]()
    registry.promote(first)
    for step, instead in (("train", train), ("judge", judge), ("publish", publish), ("complete", lambda *_: None)):
        monkeypatch.setattr(challenge, step, instead)
    monkeypatch.setattr(judging, "promote", lambda version, load: registry.promote(version, load=load))
    clock = SimpleNamespace(stage=nullcontext, seconds={})
    request = RunRequest(data=tmp_path, home=home, name=name, settings=Settings())
    incoming = Incoming(rows=1, new_rows=1, latest=None, digest="", warnings=())
    with (
        pytest.raises(OSError, match="full") if fails else nullcontext(),
        Operation.open("run", home, name) as operation,
    ):
        job = Job(request, operation, first.origin, first, clock, None)
        outcome = retrain(job, incoming, Outlook(None, None, Prepared({}, PrivacyReport(least_rows=5), (), ())))
        assert (outcome.published, outcome.alias) == ("2", None)
    assert published == ["3" if promote else "2"]
    assert registry.resolve(name).version == "2"
    assert registry.rollback(name).version == "1"
