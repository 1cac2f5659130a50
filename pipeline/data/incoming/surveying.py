"""The survey: which files are new, and which cannot be used."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.data import tables
from pipeline.data.contents import Contents
from pipeline.data.incoming.ledger import Arrivals, Known, Ledger, Quarantined
from pipeline.data.incoming.shapes import right_shape, sort, write_shape
from pipeline.data.queries import Query
from pipeline.data.storage import Delta, File, Keyed, Object
from pipeline.data.tables import ReadSettings, opening
from pipeline.schema import ColumnSettings


def survey(
    found: Sequence[File],
    ledger: Ledger,
    settings: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    contents: Contents | None = None,
    *,
    changing: bool = False,
) -> Arrivals:
    """Compare the present files with the ledger. New files are read from end to end, one at a time.

    Args:
        found: The files. Their order is the order of arrival of new ones.
        ledger: What came in before.
        settings: Which values are unusable.
        overrides: Column settings. A file with a column that cannot be cast as they ask is unusable.
        contents: Learns the contents of the files. Give the same to `window`, so that it reads what was digested here.
        changing: Whether the columns of the table may change.

    Raises:
        ResynthError: An object store does not answer.
    """
    contents = contents or Contents()
    here, stamps = _digested(found, ledger, contents)
    found_out = sort(here, ledger, settings, overrides, contents, changing=changing)
    marks, reasons = found_out.marks, found_out.reasons
    came = tuple(dict.fromkeys([*ledger.columns, *marks.values()]))
    taken = {file.digest for file in ledger.files}
    passed = {file.digest for file in ledger.quarantined} - found_out.judged
    right = right_shape(marks, taken, came if changing else ())
    files = [digest for digest, mark in marks.items() if mark == right]
    new = [digest for digest in files if digest not in taken]
    odd = [digest for digest, mark in marks.items() if mark != right and digest not in passed]
    reasons |= {digest: found_out.difference(digest, right) for digest in odd}
    quarantined = tuple(_quarantined(here[d], d, reason, marks.get(d, "")) for d, reason in reasons.items())
    kept = Ledger(
        files=(
            *(file.model_copy(update={"columns": marks.get(file.digest, file.columns)}) for file in ledger.files),
            *(Known(name=here[digest].name, digest=digest, columns=right) for digest in new),
        ),
        quarantined=(*(file for file in ledger.quarantined if _still(file, marks, right, reasons)), *quarantined),
        columns=came,
        shapes={mark: write_shape(shape) for mark, shape in found_out.shapes.items()},
        latest=ledger.latest,
        stamps=stamps,
        rules=found_out.rules,
    )
    return Arrivals(
        files=tuple(here[d] for d in files), new=len(new), quarantined=quarantined, ledger=kept, shape=right
    )


def _digested(found: Sequence[File], ledger: Ledger, contents: Contents) -> tuple[dict[str, File], dict[str, str]]:
    """The files by the digests of their contents, of equal ones the first; and the digests of objects by stamp."""
    here: dict[str, File] = {}
    stamps: dict[str, str] = {}
    for file in found:
        here.setdefault(_digest(file, ledger, contents, stamps), file)
    return here, stamps


def _quarantined(file: File, digest: str, reason: str, mark: str) -> Quarantined:
    return Quarantined(name=file.name, digest=digest, reason=reason, columns=mark)


def _still(file: Quarantined, marks: Mapping[str, str], right: str, reasons: Mapping[str, str]) -> bool:
    """Whether an entry of the quarantine stays as it is."""
    return file.digest not in reasons and marks.get(file.digest) != right


def _digest(file: File, ledger: Ledger, contents: Contents, stamps: dict[str, str]) -> str:
    """A digest of a file's content, including the columns that its path names.

    Args:
        file: The file.
        ledger: Knows the digests of objects that have not changed.
        contents: Computes any other digest.
        stamps: Receives the digest of an object, by stamp.
    """
    if isinstance(file, Delta):
        return hashlib.sha256(f"{file.uri}\n{file.version}".encode()).hexdigest()
    if isinstance(file, Query):
        return tables.digest(opening.rows(file, contents=contents).table)
    if not isinstance(file, Keyed):
        return _content(file, ledger, contents, stamps)
    keys = json.dumps(sorted((key.name, key.value) for key in file.keys))
    return hashlib.sha256(f"{_content(file.file, ledger, contents, stamps)}\n{keys}".encode()).hexdigest()


def _content(file: Path | Object, ledger: Ledger, contents: Contents, stamps: dict[str, str]) -> str:
    """SHA-256 of a file's bytes. A file that cannot be opened gets a text that names the failure."""
    if isinstance(file, Object):
        if (known := ledger.stamps.get(file.stamp)) is not None:
            contents.expect(file, known)
        stamps[file.stamp] = contents.digest(file)
        return stamps[file.stamp]
    try:
        return contents.digest(file)
    except OSError as error:
        return f"{error.strerror}: {file.name}"
