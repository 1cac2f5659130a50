"""Model versions in MLflow, and which of them is the champion.

A model name has numbered versions. The alias `champion` points at the version that publishes, and only the alias
decides. `history` keeps each of its moves, for rollbacks and for people who ask for the reasons.

A user names a version as `adult` (the champion), `adult@alias` or `adult/3`.

finding         what a version is, and how it is found
storing         a synthesizer becomes a version, or is withdrawn
loading         a version becomes a synthesizer again, once per run
succession      the champion's alias moves: promotion, rollback, and promotions that are taken back

Each name is imported when it is first used, so that who only asks for a version waits for no network.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.tracking.registry.finding import (
        CHAMPION,
        DIGEST,
        PRIVACY,
        START,
        WARM_STARTS,
        Version,
        champion,
        describe,
        expect,
        model_of,
        names,
        predecessor,
        resolve,
        tag,
        versions,
    )
    from flows.tracking.registry.loading import Models, OutdatedError, load, prove
    from flows.tracking.registry.storing import register, remove, withdraw
    from flows.tracking.registry.succession import demote, promote, recover, rollback

__all__ = [
    "CHAMPION",
    "DIGEST",
    "PRIVACY",
    "START",
    "WARM_STARTS",
    "Models",
    "OutdatedError",
    "Version",
    "champion",
    "demote",
    "describe",
    "expect",
    "load",
    "model_of",
    "names",
    "predecessor",
    "promote",
    "prove",
    "recover",
    "register",
    "remove",
    "resolve",
    "rollback",
    "tag",
    "versions",
    "withdraw",
]

_ROOMS = {
    "finding": (
        "CHAMPION",
        "DIGEST",
        "PRIVACY",
        "START",
        "WARM_STARTS",
        "Version",
        "champion",
        "describe",
        "expect",
        "model_of",
        "names",
        "predecessor",
        "resolve",
        "tag",
        "versions",
    ),
    "loading": ("Models", "OutdatedError", "load", "prove"),
    "storing": ("register", "remove", "withdraw"),
    "succession": ("demote", "promote", "recover", "rollback"),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: what the name stands for
    if name not in _PLACES:
        raise AttributeError(f"module 'flows.tracking.registry' has no attribute {name!r}")
    found = getattr(import_module(f"flows.tracking.registry.{_PLACES[name]}"), name)
    globals()[name] = found
    return found
