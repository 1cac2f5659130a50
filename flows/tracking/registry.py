"""Model versions in MLflow, and which of them is the champion.

A model name has numbered versions; the alias `champion` points at the one that publishes. The alias alone decides;
`history` remembers each of its moves, so a rollback knows the predecessor, and whoever asks later the reasons.

A user names a version as `adult` (the champion), `adult@alias` or `adult/3`.
"""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Self

import mlflow
from mlflow.entities import Run as Made
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ParamSchema, ParamSpec

from flows.engine import addresses
from flows.tracking import fetching, history, leftovers
from flows.tracking import model as stored
from flows.tracking.history import PERSON, Event
from flows.tracking.store import COMPLETE, LONGEST_TAG, MARK, Run, client, unfinished
from pipeline import files, saving
from pipeline.decisions.promotion import Decision
from pipeline.errors import DamagedError, FormatError, NotFoundError, ResynthError
from pipeline.records import Record
from pipeline.synthesizer import Synthesizer

CHAMPION = history.ALIAS
BY_HAND = "promoted_by_hand"  # tag of a version: when a person promoted it; no run takes that back
PRIVACY = "privacy"  # tag of a version: the settings that said what may be shown (`Settings.shown`)
BY_RUN = "promoted_by_run"  # tag of a version: when its run did; an alias without it was set in MLflow itself
DIGEST = "model_digest"  # tag of a version: of its files, see `pipeline.saving.digest`
REFERENCE = re.compile(r"(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))?")
SIGNATURE = ModelSignature(
    params=ParamSchema([ParamSpec("rows", "long", 1), ParamSpec("seed", "long", 0), ParamSpec("start", "long", 0)])
)
REQUIREMENTS = ("torch", "safetensors", "pyarrow", "pandas", "numpy", "scipy", "pydantic")


class OutdatedError(ResynthError):
    """A version is of a format that this code does not read."""


class Version(Record):
    """One registered version of a model.

    Attributes:
        name: The model.
        version: Its number, counted from 1.
        run: The MLflow run that made it; None if it was made in MLflow itself.
        aliases: What points at it.
        created: When it was registered.
        tags: What is known about it: decision, reasons, data digest, code version.
    """

    name: str
    version: str
    run: str | None
    aliases: tuple[str, ...]
    created: datetime
    tags: Mapping[str, str]

    @classmethod
    def of(cls, found: ModelVersion) -> Self:
        """The version as MLflow describes it."""
        return cls(
            name=found.name,
            version=str(found.version),
            run=found.run_id or None,  # a server leaves it empty
            aliases=tuple(found.aliases),
            created=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            tags=found.tags,
        )

    @property
    def uri(self) -> str:
        """Its address for any MLflow client."""
        return f"models:/{self.name}/{self.version}"

    @property
    def origin(self) -> Run:
        """The run that made it.

        Raises:
            ResynthError: None did.
        """
        if self.run is None:
            raise ResynthError(f"model: expected {self.uri} to be made by a run, it was made in MLflow itself")
        return Run(id=self.run, name=self.name)


def register(run: Run, synthesizer: Path, tags: Mapping[str, str]) -> Version:
    """Store the synthesizer saved in a directory called "synthesizer" as the next version of the run's model.

    The digest of its files is kept with the version, apart from them: `load` compares it.
    """
    assert synthesizer.name == fetching.NAME
    kept = {**tags, DIGEST: saving.digest(synthesizer)}
    with warnings.catch_warnings(), files.private():
        warnings.simplefilter("ignore", UserWarning)  # MLflow would like an input example; there is no input
        with mlflow.start_run(run_id=run.id):
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(stored.__file__)),
                artifacts={fetching.NAME: synthesizer.as_uri()},
                signature=SIGNATURE,
                pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
            )
    place = Path(addresses.local(str(client().get_logged_model(logged.model_id).artifact_location)))
    if place.is_dir():
        files.protect(place)  # copies are as open as what they were copied from
    client().update_run(run.id, status="RUNNING")  # leaving the block above ended it
    if not _exists(run.name):
        client().create_registered_model(run.name)
    made = client().create_model_version(
        run.name, source=logged.model_uri, run_id=run.id, tags=kept, model_id=logged.model_id
    )
    for twin in _versions(run.name):  # the client tries again when the answer is lost, not knowing that all was done
        if twin.run == run.id and twin.version != str(made.version):
            client().delete_model_version(twin.name, twin.version)  # its files are those of the other
    return Version.of(made)


def withdraw(version: Version) -> None:
    """Undo `register`, and remove the model's name if it never had another; one that a person points at stays."""
    stored = client().get_model_version(version.name, version.version)
    found = Version.of(stored)
    if _by_hand(found) or found.aliases:
        return
    remove(stored)
    champions = {number for event in history.read(version.name) for number in (event.before, event.after)}
    if not _versions(version.name) and champions <= {version.version, None}:
        client().delete_registered_model(version.name)


def remove(version: ModelVersion) -> None:
    """Delete a version and its model's files, unless another version has the same."""
    client().delete_model_version(version.name, version.version)
    others = client().search_model_versions(f"name='{version.name}'", max_results=10_000)
    model = leftovers.model_of(version)
    if model is not None and all(leftovers.model_of(other) != model for other in others):
        leftovers.remove_model(model)


def load(version: Version) -> Synthesizer:
    """The synthesizer of a version, read by the installed code from the files that were registered.

    Raises:
        OutdatedError: It was registered by code of another format.
        DamagedError: Its files are not those that were registered.
        ResynthError: They cannot be fetched.
    """
    expected = f"model: expected {version.uri} (made by code {version.tags.get('code_version', 'unknown')}) to load"
    if DIGEST not in version.tags:
        raise OutdatedError(f"{expected}, it was registered without a digest of its files")
    try:
        with fetching.fetched(version.name, version.version) as directory:
            return Synthesizer.load(directory, version.tags[DIGEST])
    except FormatError as error:
        raise OutdatedError(f"{expected}, it is of another format than this code") from error
    except (NotFoundError, DamagedError) as error:
        raise DamagedError(f"{expected}, it does not: {error}") from error
    except (MlflowException, OSError) as error:
        raise ResynthError(f"{expected}, its files cannot be fetched ({type(error).__name__})") from error


def tag(version: Version, values: Mapping[str, str]) -> None:
    """Tag a version."""
    for key, value in values.items():
        client().set_model_version_tag(version.name, version.version, key, value[:LONGEST_TAG])


def champion(name: str) -> Version | None:
    """The champion of a model, if there is one."""
    if not _exists(name):
        return None
    number = client().get_registered_model(name).aliases.get(CHAMPION)
    return Version.of(client().get_model_version(name, str(number))) if number is not None else None


def promote(version: Version, *, by_hand: bool = False) -> None:
    """Make a version the champion, if it is not yet, after it has shown that it loads and generates.

    Args:
        version: Which one.
        by_hand: Whether a person says so, and not the run that made it: then no run takes it back.

    Raises:
        ResynthError: It does not; the champion stays who it was.
    """
    _smoke_test(version)
    past = history.settle(version.name)
    before = history.reigning(past)
    if before == version.version and not by_hand:
        return  # somebody was faster than the run
    if by_hand:
        event = Event.following(past, "by hand", before, version.version, PERSON, _said(version))
    else:
        event = Event.following(past, "promoted", before, version.version, version.origin.id, _reasons(version))
    tag(version, {BY_HAND if by_hand else BY_RUN: f"{event.when:%Y-%m-%dT%H:%M:%SZ}"})
    history.move(version.name, event)


def demote(version: Version, previous: Version | None, why: str = "its run failed") -> None:
    """Undo a run's `promote`; one by hand stays, and so does the alias where it has been moved since."""
    if _by_hand(Version.of(client().get_model_version(version.name, version.version))):
        return
    past = history.settle(version.name)
    current = history.reigning(past)
    if current == version.version:
        after = previous.version if previous is not None else None
        history.move(version.name, Event.following(past, "taken back", version.version, after, version.origin.id, why))
    elif version.version in history.line(past):
        why = f"{why}; the alias had been moved on"
        history.write(
            version.name, Event.following(past, "taken back", version.version, current, version.origin.id, why)
        )
    client().delete_model_version_tag(version.name, version.version, BY_RUN)  # who makes it champion now is a person


def recover(name: str, died: Callable[[str], bool]) -> None:
    """Undo what dead runs of a model have left, as the runs themselves would have.

    A run is complete once it is tagged with its decision, which it does last. Of any other that is dead, the version
    is withdrawn and the alias moved back; its MLflow run counts as killed. Where a person has promoted the version by
    hand, here or in MLflow itself, version and alias stay, and the run counts as complete. Complete runs make versions
    one after another, so the search ends at the first complete one.

    Args:
        name: The model's name.
        died: Whether the run with a given mark is dead.
    """
    if _exists(name):
        history.settle(name)  # also what was set in MLflow itself meanwhile
    for version in _versions(name) if _exists(name) else ():
        made = _maker(version)
        if made is None:
            continue
        if COMPLETE in made.data.tags or not died(made.data.tags.get(MARK, "")):
            break
        if _by_hand(version):
            settled = {COMPLETE: "promoted", "reasons": "a person promoted it by hand"}
            tag(version, settled)
            if made.info.lifecycle_stage == "active":  # else a person has deleted it
                version.origin.tags(settled)
            continue
        earlier = _earlier(name, history.read(name), version.version)
        demote(version, resolve(f"{name}/{earlier[-1]}") if earlier else None, "its run was killed")
        withdraw(version)
    for run, tags in unfinished(name):
        if died(tags.get(MARK, "")):
            client().set_terminated(run, "FINISHED" if COMPLETE in tags else "KILLED")
    leftovers.remove_strays(name, died)


def _maker(version: Version) -> Made | None:
    """The run that made a version, unless it was made in MLflow itself, or the run has been removed there."""
    if version.run is None:
        return None
    try:
        return client().get_run(version.run)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _by_hand(version: Version) -> bool:
    """Whether a person made it the champion: by `resynth promote`, or by an alias that no run has set."""
    return BY_HAND in version.tags or (CHAMPION in version.aliases and BY_RUN not in version.tags)


def rollback(name: str) -> Version:
    """Make the champion's predecessor the champion again.

    Raises:
        NotFoundError: There is no such model, no champion, or no predecessor.
    """
    current = resolve(name)
    past = history.settle(name)
    earlier = _earlier(name, past, current.version)
    if not earlier:
        raise NotFoundError(f"rollback: expected a champion of {name!r} before version {current.version}, found none")
    previous = resolve(f"{name}/{earlier[-1]}")
    _smoke_test(previous)
    history.move(
        name, Event.following(past, "rolled back", current.version, previous.version, PERSON, "resynth rollback")
    )
    return resolve(previous.name)


def resolve(reference: str) -> Version:
    """The version that `NAME`, `NAME@alias` or `NAME/version` means.

    Raises:
        NotFoundError: There is none.
    """
    parts = REFERENCE.fullmatch(reference)
    if parts is None:
        raise NotFoundError(f"model: expected NAME, NAME@alias or NAME/version, got {reference!r}")
    name, version, alias = parts["name"], parts["version"], parts["alias"] or CHAMPION
    if not _exists(name):
        known = ", ".join(names()) or "none yet"
        raise NotFoundError(f"model: expected a registered model ({known}), got {name!r}")
    aliases = client().get_registered_model(name).aliases
    number = version or str(aliases.get(alias, ""))
    numbers = [found.version for found in _versions(name)]
    if version and version not in numbers:
        raise NotFoundError(f"model: expected a version of {name!r} ({', '.join(numbers)}), got {version!r}")
    if not number:
        known = ", ".join(sorted(aliases)) or "none"
        raise NotFoundError(f"model: expected an alias of {name!r} ({known}), got {alias!r}")
    return Version.of(client().get_model_version(name, number))


def names() -> tuple[str, ...]:
    """Every registered model, by name."""
    return tuple(sorted(model.name for model in client().search_registered_models(max_results=1000)))


def versions(name: str) -> tuple[Version, ...]:
    """Every version of a model, newest first.

    Raises:
        NotFoundError: There is no such model.
    """
    if not _exists(name):
        raise NotFoundError(f"model: expected a registered model ({', '.join(names()) or 'none yet'}), got {name!r}")
    return _versions(name)


def _versions(name: str) -> tuple[Version, ...]:
    """Versions with their aliases, which MLflow's search leaves out."""
    points: dict[str, list[str]] = {}
    for alias, number in client().get_registered_model(name).aliases.items():
        points.setdefault(str(number), []).append(alias)
    found = [Version.of(version) for version in client().search_model_versions(f"name='{name}'", max_results=10_000)]
    named = [v.model_copy(update={"aliases": tuple(points.get(v.version, []))}) for v in found]
    return tuple(sorted(named, key=lambda version: -int(version.version)))


def _exists(name: str) -> bool:
    try:
        client().get_registered_model(name)
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return False
        raise
    return True


def _smoke_test(version: Version) -> None:
    """Load a version, and see that it generates the rows that it did after its training."""
    synthesizer = load(version)
    try:
        synthesizer.prove()
    except ResynthError as error:
        raise ResynthError(f"promote: expected {version.uri} to generate its rows, it does not; {error}") from error
    except Exception as error:
        why = type(error).__name__
        raise ResynthError(f"promote: expected {version.uri} to generate rows, it does not ({why})") from error


def _reasons(version: Version) -> str:
    """What its run has decided, before tags tell it."""
    try:
        decision = Decision.model_validate_json(version.origin.read("decision.json"))
    except ResynthError:
        return ""
    return "; ".join(decision.reasons)


def _said(version: Version) -> str:
    """What its run said of a version that a person promotes all the same, or while the run waits for that."""
    told = version.tags.get(COMPLETE)
    run = (f"its run: {told}", version.tags.get("reasons", "")) if told is not None else ()
    return "; ".join(text for text in ("resynth promote", *run) if text)


def _earlier(name: str, past: Sequence[Event], version: str) -> list[str]:
    """The champions before a version, of those that count and are still there."""
    here = {found.version for found in _versions(name)}
    champions = [number for number in history.line(past) if number in here]
    while champions and champions[-1] == version:
        champions.pop()
    return champions
