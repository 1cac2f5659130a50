"""A retraining loads every version once and fetches every object once; so does a drift check on schedule."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from small import LENIENT, TINY, Outcome, write
from store import Store

from flows import schedule
from flows.engine import homes
from flows.tracking import registry
from pipeline.data.incoming import Ledger
from pipeline.synthesizer import Synthesizer

NAME = "once"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Counter[str | None]:
    """How often each version was loaded, by the digest of its files.

    MLflow checks once that a model can be served, before it is a version. That load knows no digest.
    """
    counts: Counter[str | None] = Counter()
    load = Synthesizer.load

    def counting(directory: Path, digest: str | None = None) -> Synthesizer:
        if digest is not None:
            counts[digest] += 1
        return load(directory, digest)

    monkeypatch.setattr(Synthesizer, "load", counting)
    return counts


def test_versions_are_loaded_once_and_objects_fetched_once(
    command: Callable[..., Outcome],
    store: Store,
    tmp_path: Path,
    loaded: Counter[str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A first run, a check of a new object, and a run that trains on it load each version and fetch each object once.

    Of the first object, the footer is also read, in two requests, to check the settings before any work starts. The
    ledger's digest is that of the object. The model has the prefix's name. Without anything new, nothing is trained. A
    drift check by hand takes the prefix too.
    """
    tuesday = write(tmp_path, "tuesday", 300, seed=1)
    place = store.put(f"{NAME}/a-monday.parquet", write(tmp_path, "monday", 300)).rpartition("/")[0]
    config = tmp_path / "resynth.toml"
    config.write_text(f'data = "{place}"\n{TINY}{LENIENT}[incoming]\n')

    with store.counting() as fetched:
        first = command("run", "--config", config, "--json").answer
    assert (first["name"], first["decision"]) == (NAME, "promoted")
    assert (dict(fetched), sorted(loaded.values())) == ({f"{NAME}/a-monday.parquet": 2 + 1}, [1])

    assert command("run", "--config", config, "--json").answer["decision"] == "skipped"
    assert command("drift", NAME, place).code == 0

    store.put(f"{NAME}/b-tuesday.parquet", tuesday)
    loaded.clear()
    monkeypatch.setattr(schedule, "emit_event", lambda *_, **__: None)
    with homes.running(), store.counting() as fetched:
        schedule.check.fn(NAME, str(tmp_path), str(config))
    assert fetched[f"{NAME}/b-tuesday.parquet"] == 1
    assert list(loaded.values()) == [1]

    loaded.clear()
    with store.counting() as fetched:
        outcome = command("run", "--config", config, "--json")
    assert outcome.answer["decision"] == "promoted", outcome.err
    assert dict(fetched) == {f"{NAME}/a-monday.parquet": 2 + 1, f"{NAME}/b-tuesday.parquet": 1}
    champion, challenger = (version.tags[registry.DIGEST] for version in reversed(registry.versions(NAME)))
    assert dict(loaded) == {champion: 1, challenger: 1}
    kept = Ledger.model_validate_json(registry.versions(NAME)[0].origin.read("ledger.json"))
    assert kept.files[1].digest == hashlib.sha256(tuesday.read_bytes()).hexdigest()
