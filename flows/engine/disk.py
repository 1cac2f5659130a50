"""A full disk, told in one true line.

It is met in many places: files of ours, Arrow's, SQLite's, those of MLflow and of Prefect's server. Each says it in its
own way, or only that something failed; the server says nothing but "500". So the errors that led to a failure are
looked through, and then the file systems that are written to. What an error of ours says of the input, or of somebody
who is at work, is true however little room there is.
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
LEAST = 1 << 20  # bytes free, with fewer of which nothing that we write has room


@contextmanager
def needed(*places: Path) -> Iterator[None]:
    """Say so if what fails within this fails for want of room.

    Args:
        places: Where is written, besides the directory for temporary files.

    Raises:
        DiskFullError: It does.
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
    """The directory for temporary files; none is found where every one that could be is on a full disk."""
    with suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir())


def _free(place: Path) -> int:
    """Bytes free where a path is, or will be."""
    for path in (place, *place.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(path).free
    return LEAST


def _says(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in FULL) or SAID.search(str(error)) is not None


def _causes(error: BaseException) -> Sequence[BaseException]:
    """An error and all that led to it."""
    found: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        cause = left.pop()
        if cause is not None and cause not in found:
            found.append(cause)
            left += [cause.__cause__, cause.__context__]
    return found
