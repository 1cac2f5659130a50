"""The verb `prune`: remove old versions, exports and runs of a model.

Everything that the settings' `[retention]` does not keep is removed, with its files. An export is removed only from the
home's own `data/exports/<name>`, and only if it holds nothing but the files of its manifest. An export that was
published elsewhere is never removed.
"""

import re
from pathlib import Path

from flows.engine.workspace import alone
from flows.settings import RetentionSettings
from flows.tracking import registry, retention, store
from pipeline.data import exports
from pipeline.errors import InputError
from pipeline.records import Record

VERSION = re.compile(r"v([1-9]\d*)")  # the directory of a run's export


class Pruned(Record):
    """What retention does not keep of a model.

    Attributes:
        name: The model.
        versions: Numbers of versions.
        exports: Directories of exports.
        runs: Ids of MLflow runs.
        stored: Ids of stored models that belong to no version.
    """

    name: str
    versions: tuple[str, ...]
    exports: tuple[Path, ...]
    runs: tuple[str, ...]
    stored: tuple[str, ...]

    def lines(self) -> list[str]:
        """The same as lines of text for people."""
        kinds = {"versions": self.versions, "exports": self.exports, "runs": self.runs, "stored models": self.stored}
        return [f"{self.name}: {kind}: {', '.join(map(str, found))}" for kind, found in kinds.items() if found]


def prune(home: Path, name: str, settings: RetentionSettings, *, remove: bool) -> Pruned:
    """Find what retention does not keep of a model, and remove it if `remove` is true.

    Raises:
        BusyError: A run of the model is at work.
    """
    with store.answering(), alone(home, name):
        found = retention.surplus(name, settings.versions, settings.runs)
        champion = registry.champion(name) if name in registry.names() else None
        old = _exports(home, name, settings.exports, None if champion is None else champion.version)
        if remove:
            for directory in old:
                exports.discard(directory)
            retention.remove(found)
    versions = tuple(version.version for version in found.versions)
    return Pruned(name=name, versions=versions, exports=tuple(old), runs=found.runs, stored=found.models)


def _exports(home: Path, name: str, keep: int, champion: str | None) -> list[Path]:
    """The exports that retention does not keep, oldest first."""
    place = home / "data" / "exports" / name
    found = {int(match[1]): path for path in place.glob("v*") if (match := VERSION.fullmatch(path.name))}
    newest = sorted(found)[-keep:]
    return [
        found[number]
        for number in sorted(found)
        if number not in newest and str(number) != champion and _own(found[number], name)
    ]


def _own(directory: Path, name: str) -> bool:
    """Whether a directory is an export of the model and holds nothing else."""
    if directory.is_symlink():
        return False
    try:
        exports.check_target(directory)
        return exports.load_manifest(directory).source.name == name
    except InputError:
        return False
