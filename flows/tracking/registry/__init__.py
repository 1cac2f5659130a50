"""Model versions in MLflow, and which of them is the champion.

A model name has numbered versions; the alias `champion` points at the one that publishes. The alias alone decides;
`history` remembers each of its moves, so a rollback knows the predecessor, and whoever asks later the reasons.

A user names a version as `adult` (the champion), `adult@alias` or `adult/3`.

finding         what a version is, and how it is found
storing         a synthesizer becomes a version, or is withdrawn
loading         a version becomes a synthesizer again, once per run
succession      the champion's alias moves: promotion, rollback, and what is taken back
"""

from flows.tracking.registry.finding import (
    CHAMPION,
    DIGEST,
    PRIVACY,
    START,
    WARM_STARTS,
    Version,
    champion,
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
    "load",
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
