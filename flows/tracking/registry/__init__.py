"""Model versions in MLflow, and which of them is the champion.

A model name has numbered versions. The alias `champion` points at the version that publishes, and only the alias
decides. `history` keeps each of its moves, for rollbacks and for people who ask for the reasons.

A user names a version as `adult` (the champion), `adult@alias` or `adult/3`.

finding         what a version is, and how it is found
storing         a synthesizer becomes a version, or is withdrawn
loading         a version becomes a synthesizer again, once per run
succession      the champion's alias moves: promotion, rollback, and promotions that are taken back
"""

from flows.tracking.registry.finding import (
    CHAMPION,
    DIGEST,
    PRIVACY,
    START,
    WARM_STARTS,
    Version,
    champion,
    describe,
    model_of,
    names,
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
    "load",
    "model_of",
    "names",
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
