"""What must hold of a home after any fault, and after the next command.

The state is read with SQLite and the file system alone, apart from the code under test. Only exports are verified, and
champions loaded, as users do it.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from ground import SECRET, Ground

from flows.engine import addresses
from pipeline.data import exports
from pipeline.errors import ResynthError
from pipeline.synthesizer import Synthesizer

STRANDED = re.compile(r"[0-9a-f]{32}(\.lock)?|.*\.(publication|unusable|new|tmp|partial|old)")
LASTING = re.compile(r"torchinductor_.*")  # caches of libraries that hold no data
INSIDE = "artifacts/synthesizer"


class State(NamedTuple):
    """The state of a model in the store.

    Attributes:
        champion: The version that the alias points at.
        versions: The directory and the digest of each version's files.
        complete: Versions whose run is complete.
        running: Number of MLflow runs that have not ended.
        stored: Number of stored models.
        events: Number of written moves of the alias.
    """

    champion: str | None
    versions: dict[str, tuple[Path, str]]
    complete: frozenset[str]
    running: int
    stored: int
    events: int


NOTHING = State(None, {}, frozenset(), 0, 0, 0)


def database(home: Path) -> sqlite3.Connection:
    """The store of a home, opened to read."""
    opened = sqlite3.connect(home / "mlruns" / "mlflow.db", timeout=60)
    opened.execute("PRAGMA query_only = 1")
    return opened


def look(home: Path, name: str) -> State:
    """The state of a model now."""
    if not (home / "mlruns" / "mlflow.db").exists():
        return NOTHING
    with closing(database(home)) as store:
        if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'logged_models'").fetchone():
            return NOTHING  # no process has finished creating it
        aliases = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = 'champion'"
        champion = store.execute(aliases, (name,)).fetchone()
        versions = store.execute(
            "SELECT v.version, v.storage_location, d.value, c.value FROM model_versions v "
            "LEFT JOIN model_version_tags d ON d.name = v.name AND d.version = v.version AND d.key = 'model_digest' "
            "LEFT JOIN tags c ON c.run_uuid = v.run_id AND c.key = 'decision' "
            "WHERE v.name = ? AND v.current_stage != 'Deleted_Internal'",
            (name,),
        ).fetchall()
        of = "experiment_id = (SELECT experiment_id FROM experiments WHERE name = ?) AND lifecycle_stage = 'active'"
        running = f"SELECT count(*) FROM runs WHERE status = 'RUNNING' AND {of}"  # noqa: S608 - it is ours
        stored = f"SELECT count(*) FROM logged_models WHERE {of}"  # noqa: S608
        events = "SELECT count(*) FROM registered_model_tags WHERE name = ? AND key GLOB 'champion.2*'"
        counts = [store.execute(count, (name,)).fetchone()[0] for count in (running, stored, events)]
    return State(
        None if champion is None else str(champion[0]),
        {str(number): (Path(addresses.local(place)) / INSIDE, digest) for number, place, digest, _ in versions},
        frozenset(str(number) for number, _, _, complete in versions if complete is not None),
        *counts,
    )


def whole(ground: Ground, name: str, before: State) -> list[str]:
    """What does not hold of a model after any fault, if its state was `before`."""
    now = look(ground.home, name)
    problems = [f"version {lost} is lost" for lost in before.versions.keys() - now.versions.keys()]
    if now.champion is None and before.champion is not None:
        problems.append("there is no champion any more")
    if now.champion is not None:
        problems += _unusable(*now.versions.get(now.champion, (Path("nowhere"), "")))
    return [*problems, *_unsound(ground)]


def settled(ground: Ground, name: str, before: State) -> list[str]:
    """What else does not hold after the next command has ended, if the fault left the state `before`."""
    now = look(ground.home, name)
    problems = [f"version {lost} is lost" for lost in before.complete - now.versions.keys()]
    if now.running:
        problems.append(f"{now.running} runs still go on")
    if now.stored != len(now.versions):
        problems.append(f"{now.stored} models are stored for {len(now.versions)} versions")
    problems += [f"version {number} is not complete" for number in now.versions.keys() - now.complete]
    problems += [f"{path.relative_to(ground.root)} is stranded" for path in stranded(ground)]
    problems += [f"{process} still runs" for process in ground.processes()]
    problems += [f"real values in {path.relative_to(ground.root)}" for path in leaking(ground)]
    return [*problems, *_unsound(ground)]


def untold(ground: Ground, *names: str) -> list[str]:
    """Where `resynth models` differs from the store, for each of these models."""
    told = ground.call("models")
    if told.code:
        return [f"models ended with {told.code}: {told.err[-300:]}"]
    problems = []
    for name in names:
        now, versions = look(ground.home, name), [each for each in told.answer["models"] if each["name"] == name]
        champions = {version["version"] for version in versions if "champion" in version["aliases"]}
        if champions != {now.champion} - {None} or {version["version"] for version in versions} != set(now.versions):
            problems.append(f"models tells other versions of {name} than there are")
    return problems


def stranded(ground: Ground) -> Iterator[Path]:
    """Files that a command should not have left behind."""
    yield from (path for path in ground.temporary.iterdir() if not LASTING.fullmatch(path.name))
    yield from (path for path in (ground.home / ".resynth").glob("*") if STRANDED.fullmatch(path.name))
    for directory in (*(ground.home / "data" / "exports").glob("*"), ground.out.parent):
        yield from (path for path in directory.iterdir() if path.name.startswith("."))
    yield from ground.root.rglob("*.tmp")
    models = list((ground.home / "mlruns" / "artifacts" / "models").glob("*"))
    if models:
        with closing(database(ground.home)) as store:
            known = store.execute("SELECT model_id FROM logged_models WHERE lifecycle_stage = 'active'").fetchall()
        yield from (path for path in models if (path.name,) not in known)


def leaking(ground: Ground) -> Iterator[Path]:
    """Files that hold a real value, apart from the tables themselves."""
    tables = set(ground.root.glob("*.parquet"))
    for path in {path for path in ground.root.rglob("*") if path.is_file()} - tables:
        if path.suffix == ".parquet":
            rows = pq.ParquetFile(path).read()
            content = "".join(str(value) for column in rows.columns for value in column.to_pylist()).encode()
        else:
            content = path.read_bytes()
        if SECRET.encode() in content:
            yield path


def published(ground: Ground) -> Iterator[Path]:
    """Every visible export."""
    for directory in (*(ground.home / "data" / "exports").glob("*"), ground.out.parent):
        yield from (path for path in directory.iterdir() if not path.name.startswith("."))


def _unusable(directory: Path, digest: str) -> list[str]:
    try:
        Synthesizer.load(directory, digest).prove()
    except ResynthError as error:
        return [f"the champion does not load: {error}"]
    return []


def _unsound(ground: Ground) -> Iterator[str]:
    """Every fault of the visible exports."""
    for directory in published(ground):
        try:
            exports.check_target(directory)
            yield from (f"{directory}: {problem}" for problem in exports.verify(directory))
        except ResynthError as error:
            yield f"{directory}: {error}"
