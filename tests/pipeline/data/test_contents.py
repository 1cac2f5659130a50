"""The digest of a file is of the bytes that are read, and an object is fetched once for both."""

import hashlib
import io
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store import Store

from pipeline.data import incoming, tables
from pipeline.data.contents import Contents
from pipeline.data.incoming import Arrivals, IncomingSettings, Ledger
from pipeline.data.storage import objects
from pipeline.data.tables import ReadSettings
from pipeline.errors import TableError

READ = ReadSettings()


def parquet(first: int, rows: int = 10) -> bytes:
    """A file of consecutive numbers, 64 bytes wide, so that files of equally many rows are equally long."""
    written = io.BytesIO()
    pq.write_table(pa.table({"x": [f"{i:064d}" for i in range(first, first + rows)]}), written, compression="none")
    return written.getvalue()


def survey(place: str | Path, contents: Contents, ledger: Ledger | None = None) -> Arrivals:
    """What is there."""
    return incoming.survey(tables.files(place), ledger or Ledger(), READ, {}, contents)


def numbers(arrivals: Arrivals, contents: Contents, **window: int) -> list[int]:
    """The numbers in the rows to train on."""
    rows = incoming.window(arrivals, IncomingSettings(**window), READ, {}, contents=contents).rows
    return [int(text) for text in rows["x"].to_pylist()]


@pytest.mark.parametrize("window", [{}, {"last_rows": 15}, {"last_files": 1}])
def test_a_new_object_is_fetched_once(store: Store, tmp_path: Path, window: dict[str, int]) -> None:
    """One fetch serves its digest, its columns, the number of its rows and the rows themselves."""
    prefix = f"once-{'-'.join(window)}"
    for name, first in (("a", 0), ("b", 10)):
        store.put(f"{prefix}/{name}.parquet", parquet(first))
    with store.counting() as fetched:
        contents = Contents(tmp_path / "copies")
        arrivals = survey(f"s3://incoming/{prefix}", contents)
        found = numbers(arrivals, contents, **window)
    assert dict(fetched) == {f"{prefix}/a.parquet": 1, f"{prefix}/b.parquet": 1}
    assert found == list(range(20))[{(): 0, ("last_rows",): 5, ("last_files",): 10}[tuple(window)] :]


def test_what_is_read_of_an_object_is_what_was_digested(store: Store, tmp_path: Path) -> None:
    """This holds even if the object is replaced in between: the digest is of the rows that are trained on."""
    store.put("replaced/a.parquet", parquet(0))
    contents = Contents(tmp_path / "copies")
    arrivals = survey("s3://incoming/replaced", contents)
    store.put("replaced/a.parquet", parquet(50))
    assert numbers(arrivals, contents) == list(range(10))
    assert arrivals.ledger.files[0].digest == hashlib.sha256(parquet(0)).hexdigest()


def test_an_object_of_another_content_than_its_digest_is_refused(store: Store, tmp_path: Path) -> None:
    """This applies if only the digest is known: from an earlier run, or because no copy was kept or had room."""
    store.put("changed/a.parquet", parquet(0))
    place = "s3://incoming/changed"
    none, small = Contents(), Contents(tmp_path / "small", most=100)
    surveyed = [survey(place, none), survey(place, small)]
    later = Contents(tmp_path / "later")
    surveyed.append(survey(place, later, surveyed[0].ledger))
    assert [numbers(*each) for each in zip(surveyed, (none, small, later), strict=True)] == [list(range(10))] * 3
    store.put("changed/a.parquet", parquet(50))
    for arrivals, contents in zip(surveyed, (none, small, later), strict=True):
        with pytest.raises(TableError, match=r"expected s3://incoming/changed/a.parquet to stay as it is"):
            numbers(arrivals, contents)


def test_copies_are_private_and_bounded(store: Store, tmp_path: Path) -> None:
    """Copies are real rows. Without room, the earliest are dropped, and their objects are fetched again."""
    for name, first in (("a", 0), ("b", 10), ("c", 20)):
        store.put(f"bounded/{name}.parquet", parquet(first))
    size = len(parquet(0))
    contents = Contents(tmp_path / "copies", most=2 * size)
    arrivals = survey("s3://incoming/bounded", contents)
    copies = list((tmp_path / "copies").iterdir())
    assert sum(copy.stat().st_size for copy in copies) == 2 * size
    assert {copy.stat().st_mode & 0o777 for copy in (*copies, tmp_path / "copies")} == {0o600, 0o700}
    with store.counting() as fetched:
        assert numbers(arrivals, contents) == list(range(30))
    assert set(fetched) == {"bounded/a.parquet"}


@pytest.mark.parametrize("when", ["digest", "survey"])
def test_a_file_that_changes_between_digest_and_reading_is_noticed(tmp_path: Path, when: str) -> None:
    """A change during the survey quarantines the file with the reason. A change after it ends the run."""
    file, other = tmp_path / "in" / "a.parquet", tmp_path / "in" / "b.parquet"
    file.parent.mkdir()
    file.write_bytes(parquet(0))
    other.write_bytes(parquet(50))
    contents = Contents()
    if when == "digest":
        contents.digest(file)
    arrivals = survey(file.parent, contents) if when == "survey" else None
    file.write_bytes(parquet(10))  # as long as before
    os.utime(file, ns=(0, 0))
    if arrivals is None:
        found = survey(file.parent, contents)
        assert [quarantined.name for quarantined in found.quarantined] == ["a.parquet"]
        assert "to stay as it is while it is read" in found.quarantined[0].reason
        assert numbers(found, contents) == list(range(50, 60))
        assert survey(file.parent, Contents(), found.ledger).new == 1
    else:
        with pytest.raises(TableError, match="to stay as it is while it is read"):
            numbers(arrivals, contents)


def test_an_object_is_read_as_it_is_where_no_digest_was_asked_for(store: Store) -> None:
    """Nothing is compared, and nothing is kept."""
    uri = store.put("plain/a.parquet", parquet(0))
    with store.counting() as fetched, Contents().reading(objects(uri)[0]) as content:
        assert isinstance(content, pa.Buffer)
        assert content.to_pybytes() == parquet(0)
    assert sum(fetched.values()) == 1
