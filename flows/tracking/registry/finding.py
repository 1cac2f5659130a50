"""What a version is, and how it is found."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Self

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from flows.tracking import history, leftovers
from flows.tracking.store import LONGEST_TAG, Run, client
from pipeline.errors import NotFoundError, ResynthError, did_you_mean
from pipeline.records import Record

CHAMPION = history.ALIAS
BY_HAND = "promoted_by_hand"  # tag: when a person promoted the version; no run takes that back
BY_RUN = "promoted_by_run"  # tag: when its run promoted it; an alias without this tag was set in MLflow itself
DIGEST = "model_digest"  # tag: the digest of its files, see `pipeline.saving.digest`
PRIVACY = "privacy"  # tag: the settings that said what may be published (`Settings.shown`)
START = "start"  # tag: the version from which its training started
WARM_STARTS = "warm_starts"  # tag: number of warm starts in a row that led to it
REFERENCE = re.compile(r"(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))?")


class Version(Record):
    """One registered version of a model.

    Attributes:
        name: The model.
        version: Its number, counted from 1.
        run: The MLflow run that made it. None if it was made in MLflow itself.
        aliases: The aliases that point at it.
        created: The time of its registration.
        tags: Its tags: decision, reasons, data digest, code version.
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
            ResynthError: It was not made by a run.
        """
        if self.run is None:
            raise ResynthError(f"model: expected {self.uri} to be made by a run, it was made in MLflow itself")
        return Run(id=self.run, name=self.name)


def tag(version: Version, values: Mapping[str, str]) -> None:
    """Tag a version."""
    for key, value in values.items():
        client().set_model_version_tag(version.name, version.version, key, value[:LONGEST_TAG])


def model_of(version: Version) -> str | None:
    """The id of the stored model behind a version, for MLflow's pages."""
    return leftovers.model_of(client().get_model_version(version.name, version.version))


def describe(version: Version, text: str) -> None:
    """Write the description of a version, in Markdown."""
    client().update_model_version(version.name, version.version, description=text)


def champion(name: str) -> Version | None:
    """The champion of a model, if there is one."""
    if not exists(name):
        return None
    number = client().get_registered_model(name).aliases.get(CHAMPION)
    return Version.of(client().get_model_version(name, str(number))) if number is not None else None


def resolve(reference: str) -> Version:
    """The version that `NAME`, `NAME@alias` or `NAME/version` refers to.

    Raises:
        NotFoundError: There is no such version.
    """
    parts = REFERENCE.fullmatch(reference)
    if parts is None:
        raise NotFoundError(f"model: expected NAME, NAME@alias or NAME/version, got {reference!r}")
    name, version, alias = parts["name"], parts["version"], parts["alias"] or CHAMPION
    expect(name)
    aliases = client().get_registered_model(name).aliases
    number = version or str(aliases.get(alias, ""))
    numbers = [found.version for found in listed(name)]
    if version and version not in numbers:
        raise NotFoundError(f"model: expected a version of {name!r} ({', '.join(numbers)}), got {version!r}")
    if not number:
        known = ", ".join(sorted(aliases)) or "none"
        near = did_you_mean(alias, aliases)
        raise NotFoundError(f"model: expected an alias of {name!r} ({known}), got {alias!r}{near}")
    return Version.of(client().get_model_version(name, number))


def names() -> tuple[str, ...]:
    """Names of all registered models, sorted."""
    return tuple(sorted(model.name for model in client().search_registered_models(max_results=1000)))


def versions(name: str) -> tuple[Version, ...]:
    """Every version of a model, newest first.

    Raises:
        NotFoundError: There is no such model.
    """
    expect(name)
    return listed(name)


def expect(name: str) -> None:
    """Check that a model is registered.

    Raises:
        NotFoundError: It is not.
    """
    if not exists(name):
        known = names()
        told = f"{', '.join(known) or 'none yet'}"
        raise NotFoundError(f"model: expected a registered model ({told}), got {name!r}{did_you_mean(name, known)}")


def listed(name: str) -> tuple[Version, ...]:
    """Versions with their aliases, which MLflow's search leaves out, newest first."""
    points: dict[str, list[str]] = {}
    for alias, number in client().get_registered_model(name).aliases.items():
        points.setdefault(str(number), []).append(alias)
    found = [Version.of(version) for version in client().search_model_versions(f"name='{name}'", max_results=10_000)]
    named = [v.model_copy(update={"aliases": tuple(points.get(v.version, []))}) for v in found]
    return tuple(sorted(named, key=lambda version: -int(version.version)))


def exists(name: str) -> bool:
    """Whether a model of this name is registered."""
    try:
        client().get_registered_model(name)
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return False
        raise
    return True


def predecessor(name: str) -> Version:
    """The champion before the present one.

    Raises:
        NotFoundError: There is no such model, no champion, or no predecessor.
    """
    current = resolve(name)
    before = earlier(name, history.settle(name), current.version)
    if not before:
        raise NotFoundError(f"rollback: expected a champion of {name!r} before version {current.version}, found none")
    return resolve(f"{name}/{before[-1]}")


def earlier(name: str, past: Sequence[history.Event], version: str) -> list[str]:
    """The champions before a version that count and still exist."""
    here = {found.version for found in listed(name)}
    champions = [number for number in history.line(past) if number in here]
    while champions and champions[-1] == version:
        champions.pop()
    return champions


def promoted_by_hand(version: Version) -> bool:
    """Whether a person made it the champion: by `resynth promote`, or by an alias that no run has set."""
    return BY_HAND in version.tags or (CHAMPION in version.aliases and BY_RUN not in version.tags)
