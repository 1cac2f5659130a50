"""A home that was moved or copied keeps working.

MLflow keeps the absolute address of every run's and every model's files in its database. A copy of a home would read
from the original, and write into it. So before MLflow opens the embedded store, addresses below another home's
`mlruns/artifacts` are rewritten to the store's own. Files that a person has put elsewhere keep their address.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from flows.engine import addresses

ARTIFACTS = "mlruns/artifacts"
ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}


def relocate(database: Path) -> None:
    """Rewrite the addresses of a store that is no longer where it was made."""
    if not database.exists():
        return
    here = database.resolve().parent / "artifacts"
    with closing(sqlite3.connect(database, timeout=60)) as store, store:
        known = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not known >= ADDRESSES.keys():
            return  # the store is empty
        found = store.execute("SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location IS NOT NULL")
        for root in [root for (root,) in found if _elsewhere(root, here)]:
            for table, column in ADDRESSES.items():
                store.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - both are ours
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (here.as_uri(), len(root) + 1, root, len(root) + 1, f"{root}/"),
                )


def _elsewhere(root: str, here: Path) -> bool:
    """Whether an address is in another home. One directory may have two paths."""
    place = Path(addresses.local(root))
    if not place.is_absolute() or not place.as_posix().endswith(f"/{ARTIFACTS}"):
        return False
    return place != here and not (place.exists() and here.exists() and place.samefile(here))
