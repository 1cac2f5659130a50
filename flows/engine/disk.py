"""A full disk, reported in one true line.

A full disk causes errors in many places: our files, Arrow's, SQLite's, MLflow's and those of Prefect's server. Each
reports it in another way, or only that something failed; the server only says "500". So the causes of a failure are
searched, and then the file systems that are written to are checked. Our own errors about the input, or about another
process at work, stay as they are, however little room there is.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import BusyError, DiskFullError, InputError

FULL = {errno.ENOSPC, errno.EDQUOT}
SAID = re.compile(r"no space left on device|database or disk is full|disk quota exceeded", re.IGNORECASE)
LEAST = 1 << 20  # bytes; with less free space, nothing that we write has room


@contextmanager
def needed(*places: Path) -> Iterator[None]:
    """Report a full disk if the block fails because of one.

    Args:
        places: Where the block writes, besides the directory for temporary files.

    Raises:
        DiskFullError: The block failed because a disk is full.
    """
    try:
        yield
    except Exception as error:
        looked = [place.resolve() for place in (*places, *_temporary())]
        known = isinstance(error, InputError | BusyError)
        crowded = [] if known else [place for place in looked if _free(place) < LEAST]
        if not crowded and not any(_says(cause) for cause in _causes(error)):
            raise
        where = ", ".join(map(str, dict.fromkeys(crowded or looked)))
        why = f"found a full disk: {os.strerror(errno.ENOSPC)} (look at {where})"
        raise DiskFullError(f"expected room for what is written, {why}") from error


def _temporary() -> Iterator[Path]:
    """The directory for temporary files. Nothing if every candidate is on a full disk."""
    with suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir())


def _free(place: Path) -> int:
    """Free bytes of the file system of a path, which need not exist yet."""
    for path in (place, *place.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(path).free
    return LEAST


def _says(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in FULL) or SAID.search(str(error)) is not None


def _causes(error: BaseException) -> Sequence[BaseException]:
    """An error and all of its causes."""
    found: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        cause = left.pop()
        if cause is not None and cause not in found:
            found.append(cause)
            left += [cause.__cause__, cause.__context__]
    return found
