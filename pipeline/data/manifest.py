"""The manifest of an export: what made its rows, its schema, and the SHA-256 of every part.

The manifest lies inside the export, so it is replaced together with the rows in one step. It must not disturb readers
that open the directory as a table. Polars and DuckDB open every file below a directory; Spark and Arrow skip names that
begin with "_". The manifest is therefore `_manifest.parquet`, a Parquet file of no rows with the schema of the parts.
Its key-value metadata holds the manifest as JSON under `resynth.manifest`. In a partitioned export it lies in the
directory of the first partition, because readers infer partition columns from the paths of all files.

Exports of format 1 have a `manifest.json` instead. They can be read, but are no longer written.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from pipeline.data.formats import Written
from pipeline.errors import NotFoundError
from pipeline.records import Record

FORMAT = 2
MANIFEST, OLD_MANIFEST = "_manifest.parquet", "manifest.json"
KEY = b"resynth.manifest"
UNREADABLE = (ValidationError, ValueError, OSError, pa.ArrowException)


class Source(Record):
    """What made the rows: the registered model and its version, the digest of its training data, the code's commit."""

    name: str
    version: str
    data_digest: str
    code_version: str


class Part(Record):
    """One file: rows `first` to `first` + `rows` − 1 of the export, in the order of its parts."""

    file: str
    first: int
    rows: int
    bytes: int
    sha256: str


class Manifest(Record):
    """What an export directory holds. `digest` covers everything but itself and `created_at`.

    Attributes:
        format: 2, or 1 for exports with a `manifest.json`.
        source: What made the rows.
        seed: The seed of the rows. Row i is a function of the model version, the seed and i.
        rows: Number of rows.
        arrow_schema: The schema of all columns, those in paths included, as an IPC message in base64.
        partition_by: Columns whose values are in the paths of the parts.
        written_as: The format of the parts, as in the setting `format`.
        parts: The files, in the order of their rows.
        digest: SHA-256 of the manifest's content.
        created_at: Time of writing: ISO 8601, UTC.
    """

    format: int = FORMAT
    source: Source
    seed: int
    rows: int
    arrow_schema: str
    partition_by: tuple[str, ...] = ()
    written_as: Written = "parquet"
    parts: tuple[Part, ...]
    digest: str = ""
    created_at: str = ""

    @classmethod
    def of(
        cls,
        parts: tuple[Part, ...],
        schema: pa.Schema,
        source: Source,
        seed: int,
        partition_by: tuple[str, ...],
        written_as: Written = "parquet",
    ) -> "Manifest":
        """The manifest of parts that were just written."""
        manifest = cls(
            source=source,
            seed=seed,
            rows=sum(part.rows for part in parts),
            arrow_schema=base64.b64encode(schema.serialize().to_pybytes()).decode(),
            partition_by=partition_by,
            written_as=written_as,
            parts=parts,
        )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return manifest.model_copy(update={"digest": manifest.content_digest(), "created_at": now})

    def content_digest(self) -> str:
        """SHA-256 of the manifest without `digest` and `created_at`: equal for equal datasets."""
        new: set[str] = {"partition_by"} if self.format == 1 else set()
        text = self.model_dump_json(exclude={"digest", "created_at"} | new | self._usual)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def _usual(self) -> set[str]:
        """What is not written where it is as in earlier manifests, so that their digests and readers go on."""
        return {"written_as"} if self.written_as == "parquet" else set()

    @property
    def file(self) -> str:
        """Path of the manifest below the export's directory."""
        if self.format == 1:
            return OLD_MANIFEST
        first = min((PurePosixPath(part.file).parent for part in self.parts), default=PurePosixPath())
        return str(first / MANIFEST)

    @property
    def columns(self) -> pa.Schema | None:
        """The schema of all columns; None if it cannot be read."""
        try:
            return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(self.arrow_schema)))
        except UNREADABLE:
            return None

    @property
    def part_schema(self) -> pa.Schema | None:
        """The schema of the parts: without the columns that are in the paths."""
        schema = self.columns
        return None if schema is None else without(schema, self.partition_by)

    def write(self, directory: Path) -> None:
        """Write the manifest into a directory that already holds the parts."""
        kinds = self.part_schema if self.written_as == "parquet" else None
        with pq.ParquetWriter(directory / self.file, kinds or pa.schema([])) as writer:
            writer.add_key_value_metadata({KEY: self.model_dump_json(exclude=self._usual).encode()})


def load(directory: Path) -> Manifest:
    """The manifest of an export.

    Raises:
        NotFoundError: The directory has no manifest, or an unreadable one.
    """
    file = next(_candidates(directory), None)
    if file is None:
        raise NotFoundError(f"expected an export with {MANIFEST}, found none in {directory}")
    try:
        if file.name == OLD_MANIFEST:
            return Manifest.model_validate_json(file.read_text("utf-8"))
        return Manifest.model_validate_json((pq.read_metadata(file).metadata or {}).get(KEY, b""))
    except UNREADABLE as error:
        raise NotFoundError(f"expected a readable {file.relative_to(directory)} in {directory}") from error


def without(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    """A schema with its metadata and without some of its columns."""
    return pa.schema([field for field in schema if field.name not in columns], metadata=schema.metadata)


def _candidates(directory: Path) -> Iterator[Path]:
    """Files that may be the manifest: in the directory itself, or in one of its partitions."""
    yield from (directory / name for name in (MANIFEST, OLD_MANIFEST) if (directory / name).is_file())
    for below in sorted(directory.glob("*=*")):
        if below.is_dir() and not below.is_symlink():
            yield from _candidates(below)
