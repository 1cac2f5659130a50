"""Verbs about registered models: which versions there are, and which of them is the champion."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from typing import Annotated

from rich.console import Console

from flows.cli.app import DEFAULTS, WHOLE, Common, Reply, app, lines


@app.command
def promote(name: str, version: Annotated[int, WHOLE], *, common: Common = DEFAULTS) -> Reply:
    """Make a version the champion.

    Parameters
    ----------
    name
        Of the model.
    version
        Its number.
    """
    common.embed()
    from flows.tracking import registry

    chosen = registry.resolve(f"{name}/{version}")
    registry.promote(chosen, by_hand=True)
    return _champion(chosen.name, chosen.version)


@app.command
def rollback(name: str, *, common: Common = DEFAULTS) -> Reply:
    """Make the previous champion the champion again.

    Parameters
    ----------
    name
        Of the model.
    """
    common.embed()
    from flows.tracking import registry

    previous = registry.rollback(name)
    return _champion(previous.name, previous.version)


@app.command
def models(name: str | None = None, *, common: Common = DEFAULTS) -> Reply:
    """List the registered models and their versions.

    Parameters
    ----------
    name
        Only this model, with the history of its champions.
    """
    common.embed()
    from flows import display
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


def _champion(name: str, version: str) -> Reply:
    answer = {"name": name, "version": version, "alias": "champion"}
    return Reply(answer, lines(f"{name} version {version} is the champion"))
