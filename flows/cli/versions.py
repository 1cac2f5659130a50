"""Verbs about registered versions: promote, rollback, models, prune."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from flows.cli.app import DEFAULTS, WHOLE, Common, Reply, lines, verb


@verb
def promote(name: str, version: Annotated[int, WHOLE], *, common: Common = DEFAULTS) -> Reply:
    """Make a version the champion.

    Parameters
    ----------
    name
        Name of the model.
    version
        Number of the version.
    """
    common.embed()
    from flows.tracking import registry

    chosen = registry.resolve(f"{name}/{version}")
    registry.promote(chosen, by_hand=True)
    return _champion(chosen.name, chosen.version)


@verb
def rollback(name: str, *, common: Common = DEFAULTS) -> Reply:
    """Make the previous champion the champion again.

    Parameters
    ----------
    name
        Name of the model.
    """
    common.embed()
    from flows.tracking import registry

    previous = registry.rollback(name)
    return _champion(previous.name, previous.version)


@verb
def models(name: str | None = None, *, common: Common = DEFAULTS) -> Reply:
    """List the registered models and their versions.

    Parameters
    ----------
    name
        List only this model, with every move of its champion alias.
    """
    common.embed()
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
    common: Common = DEFAULTS,
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
    home = common.embed()
    from flows.tracking import registry
    from flows.verbs import prune

    if name is not None:
        registry.versions(name)  # raises if there is no such model
    chosen = settings or {each: common.settings(name=each) for each in registry.names()}
    found = [prune.prune(home, each, of.retention, remove=yes) for each, of in chosen.items()]
    told = [line for each in found for line in each.lines()] or ["nothing to remove"]
    if any(each.lines() for each in found):
        told.append("removed" if yes else "nothing was removed; --yes does it")
    return Reply({"removed": yes, "models": [each.model_dump(mode="json") for each in found]}, lines(*told))


def _champion(name: str, version: str) -> Reply:
    answer = {"name": name, "version": version, "alias": "champion"}
    return Reply(answer, lines(f"{name} version {version} is the champion"))
