"""Places in object stores, against a real server of the S3 protocol."""

import io
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store import Store

from pipeline.data import storage, tables
from pipeline.data.incoming import Arrivals, IncomingSettings, Ledger, survey, window
from pipeline.data.tables import ReadSettings, files
from pipeline.errors import ResynthError, SettingsError, TableError


def parquet(first: int, rows: int = 10, **more: pa.Array) -> bytes:
    """A file of consecutive numbers."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"number": list(range(first, first + rows)), **more}), sink)
    return sink.getvalue().to_pybytes()


class Lost(io.BytesIO):
    """The answer of a store whose connection breaks."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Nothing."""
        raise OSError(f"connection reset, {size} bytes asked for")


def look(uri: str, ledger: Ledger | None = None) -> Arrivals:
    """What a survey finds."""
    return survey(files(uri), ledger or Ledger(), ReadSettings(), {})


def numbers(arrivals: Arrivals, **settings: object) -> tuple[list[int], list[int]]:
    """All rows of a window, and the new ones."""
    found = window(arrivals, IncomingSettings.model_validate(settings), ReadSettings(), {})
    return found.rows["number"].to_pylist(), found.new["number"].to_pylist()


def test_a_prefix_is_read_as_a_directory_is(store: Store) -> None:
    """Parquet objects at any depth, in name order, without hidden ones and those of a prefix with a similar name."""
    store.put("like/b.parquet", parquet(10))
    store.put("like/2026/a b+ü%.parquet", parquet(0))
    for name in ("like/_temporary/c.parquet", "like/.d.parquet", "like/e.txt", "like-not/f.parquet"):
        store.put(name, parquet(100))
    assert tables.read("s3://incoming/like")["number"].to_pylist() == list(range(20))
    assert [file.name for file in files("s3://incoming/like")] == ["a b+ü%.parquet", "b.parquet"]
    assert tables.read("s3://incoming/like/b.parquet").num_rows == 10
    assert tables.footer(files("s3://incoming/like/b.parquet")[0]).rows == 10


def test_an_object_keeps_its_types_and_metadata(store: Store, tmp_path: Path) -> None:
    """A table read from a store equals the table read from a file."""
    kinds = {"kind": pa.array(["x", None] * 5).dictionary_encode(), "day": pa.array(range(10), pa.date32())}
    (tmp_path / "a.parquet").write_bytes(parquet(0, **kinds))
    uri = store.put("kinds/a.parquet", tmp_path / "a.parquet")
    assert tables.read(uri).equals(tables.read(tmp_path / "a.parquet"), check_metadata=True)


def test_what_is_new_in_a_prefix(store: Store) -> None:
    """A second survey knows what the first took in, with copies. Windows contain the objects that came last."""
    store.put("new/b.parquet", parquet(0))
    first = look("s3://incoming/new")
    assert (first.new, numbers(first)) == (1, (list(range(10)), list(range(10))))
    assert look("s3://incoming/new", first.ledger).new == 0
    store.put("new/a.parquet", parquet(10))
    store.put("new/copy.parquet", parquet(0))
    second = look("s3://incoming/new", first.ledger)
    assert [file.name for file in second.files] == ["b.parquet", "a.parquet"]
    assert numbers(second) == (list(range(20)), list(range(10, 20)))
    assert numbers(second, last_files=1) == (list(range(10, 20)), list(range(10, 20)))
    assert numbers(second, last_rows=12)[0] == list(range(8, 20))
    assert Ledger.model_validate_json(second.ledger.model_dump_json()) == second.ledger


def test_an_object_that_is_cut_short_or_has_other_columns_is_quarantined(store: Store) -> None:
    """Each is named with its reason and stays in place. The others are taken in, and a repaired object is new."""
    whole = parquet(10)
    store.put("bad/good.parquet", parquet(0))
    store.put("bad/short.parquet", whole[: len(whole) // 2])
    store.put("bad/zother.parquet", parquet(20, more=pa.array(range(10))))
    first = look("s3://incoming/bad")
    assert {file.name: file.reason.partition(" s3:")[0] for file in first.quarantined} == {
        "short.parquet": "expected a readable Parquet file at",
        "zother.parquet": "column 'more' is new",
    }
    assert numbers(first)[0] == list(range(10))
    assert look("s3://incoming/bad", first.ledger).quarantined == ()
    store.put("bad/short.parquet", whole)
    mended = look("s3://incoming/bad", first.ledger)
    assert (mended.new, mended.quarantined, numbers(mended)[1]) == (1, (), list(range(10, 20)))


def test_an_object_that_has_not_changed_is_not_fetched_again(store: Store) -> None:
    """Without anything new, a survey costs one listing, whatever the size of the data."""
    store.put("seen/a.parquet", parquet(0))
    store.put("seen/b.parquet", b"no Parquet")
    first = look("s3://incoming/seen")
    with store.counting() as fetched:
        assert look("s3://incoming/seen", first.ledger).new == 0
    assert not fetched
    store.put("seen/a.parquet", parquet(0, rows=11))
    with store.counting() as fetched:
        look("s3://incoming/seen", first.ledger)
    assert set(fetched) == {"seen/a.parquet"}


@pytest.mark.parametrize(
    "uri", ["s3://incoming/none", "s3://incoming/hollow", "s3://incoming/hollow/none.parquet", "s3://no-such-bucket/x"]
)
def test_nothing_there_is_told(store: Store, uri: str) -> None:
    """An address that leads nowhere, or to no Parquet, is refused in one line."""
    store.put("hollow/readme.txt", b"")
    with pytest.raises(TableError, match=f"found none at {uri}"):
        files(uri)


def test_a_store_that_is_away_is_no_damaged_object(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the survey instead of quarantining every object."""
    store.put("away/a.parquet", parquet(0))
    found = files("s3://incoming/away")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    storage.client.cache_clear()
    try:
        with pytest.raises(ResynthError, match="expected the S3 object store to serve"):
            survey(found, Ledger(), ReadSettings(), {})
    finally:
        storage.client.cache_clear()


def test_a_store_that_goes_away_in_the_midst_is_no_damaged_object(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds even if only the end of an object is requested."""
    system, path = storage.reach(store.put("lost/a.parquet", parquet(0)))
    reset = SimpleNamespace(
        open_input_stream=system.open_input_stream,
        open_input_file=lambda _: pa.PythonFile(Lost(bytes(100)), mode="r"),
    )
    found = files("s3://incoming/lost")
    monkeypatch.setattr(storage, "reach", lambda _: (reset, path))
    with pytest.raises(ResynthError, match="expected the S3 object store to serve") as caught:
        tables.footer(found[0])
    assert not isinstance(caught.value, TableError)


@pytest.mark.parametrize(
    "uri",
    ["s3://key:secret@bucket/x", "s3://key@bucket/x", "s3://bucket/x?endpoint_override=h", "ftp://h/x", "s3:///x"],
)
def test_an_address_with_more_in_it_is_refused(uri: str) -> None:
    """Credentials in an address would end up in logs, so messages do not repeat them."""
    with pytest.raises(SettingsError) as raised:
        storage.place(uri)
    assert "secret" not in str(raised.value)
    assert storage.place("abfss://container@account.dfs.core.windows.net/x") is not None
    assert storage.place("a/b.parquet") == Path("a/b.parquet")
