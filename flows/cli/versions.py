"""Verbs about registered versions: promote, rollback, models, prune."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from flows.cli import checks
from flows.cli.app import AT_HOME, CONFIGURED, WHOLE, AtHome, Configured, Reply, Shown, lines, verb
from pipeline.progress import Tick, silent


@verb
def promote(name: str, version: Annotated[int, WHOLE], *, common: AtHome = AT_HOME, progress: Shown = silent) -> Reply:
    """Make a version the champion.

    Parameters
    ----------
    name
        Name of the model.
    version
        Number of the version.
    """
    chosen = checks.version(f"{name}/{version}", common.home)
    from flows.tracking import registry

    progress(Tick("start", 1, 2))
    registry.promote(chosen, by_hand=True)
    return _champion(chosen.name, chosen.version)


@verb
def rollback(name: str, *, common: AtHome = AT_HOME, progress: Shown = silent) -> Reply:
    """Make the previous champion the champion again.

    Parameters
    ----------
    name
        Name of the model.
    """
    checks.version(name, common.home)
    from flows.tracking import registry

    registry.predecessor(name)  # raises if there is none, before anything heavy is imported
    progress(Tick("start", 1, 2))
    previous = registry.rollback(name)
    return _champion(previous.name, previous.version)


@verb
def models(name: str | None = None, *, common: Configured = CONFIGURED, progress: Shown = silent) -> Reply:
    """List the registered models and their versions, one line each.

    Parameters
    ----------
    name
        List only this model, with every move of its champion alias and the reasons.
    """
    from flows.engine import homes

    if name is not None:
        checks.model(name, common.home)
    elif homes.is_new(common.home):
        return Reply({"models": []}, lines(f"no model yet in {common.home.resolve()}: resynth run DATA makes one"))
    common.embed()
    progress(Tick("start", 1, 2))
    from flows.telling import display
    from flows.tracking import history, registry

    found = [version for each in ([name] if name else registry.names()) for version in registry.versions(each)]
    rules = {each: common.settings(name=each).shown for each in dict.fromkeys(version.name for version in found)}
    other = [version for version in found if version.tags.get(registry.PRIVACY) != rules[version.name]]
    answer = {
        "models": [version.model_dump(mode="json") | {"privacy_as_set": version not in other} for version in found]
    }
    if name is None:
        return Reply(answer, lambda console: display.versions(console, found, other))
    events = history.read(name)
    answer["history"] = [event.model_dump(mode="json") for event in events]

    def show(console: Console) -> None:
        display.versions(console, found, other)
        display.history(console, events)

    return Reply(answer, show)


@verb
def prune(
    name: str | None = None,
    *,
    yes: Annotated[bool, Parameter(negative="")] = False,
    common: Configured = CONFIGURED,
    progress: Shown = silent,
) -> Reply:
    """List the versions, exports and runs that [retention] in the settings does not keep. Removes them with --yes.

    Parameters
    ----------
    name
        Only those of this model.
    yes
        Remove them.
    """
    settings = {name: common.settings(name=name)} if name is not None else {}
    if name is not None:
        checks.model(name, common.home)
    home = common.embed()
    from flows.tracking import registry
    from flows.verbs import prune

    progress(Tick("start", 1, 2))
    chosen = settings or {each: common.settings(name=each) for each in registry.names()}
    found = [prune.prune(home, each, of.retention, remove=yes) for each, of in chosen.items()]
    told = [line for each in found for line in each.lines()] or ["nothing to remove"]
    if any(each.lines() for each in found):
        told.append("removed" if yes else "nothing was removed; --yes does it")
    return Reply({"removed": yes, "models": [each.model_dump(mode="json") for each in found]}, lines(*told))


def _champion(name: str, version: str) -> Reply:
    answer = {"name": name, "version": version, "alias": "champion"}
    return Reply(answer, lines(f"{name} version {version} is the champion"))
