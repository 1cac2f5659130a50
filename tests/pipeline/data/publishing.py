"""Exports for tests: published, of an old format, and doctored."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data import exports
from pipeline.data.exports import Source
from pipeline.data.manifest import KEY

SOURCE = Source(name="t", version="3", data_digest="d", code_version="c")


def publish(directory, table: pa.Table, **more):
    """Publish a table in two batches, in parts of 250 rows."""
    given = {"schema": table.schema, "rows": table.num_rows, "source": SOURCE, "seed": 5, "part_rows": 250} | more
    return exports.publish([table.slice(0, 333), table.slice(333)], directory, **given)


def doctor(out: Path, **changes: object) -> None:
    """Change what a manifest says, and leave its digest."""
    changed = exports.load_manifest(out).model_copy(update=changes)
    schema = pq.read_schema(out / changed.file)
    with pq.ParquetWriter(out / changed.file, schema) as writer:
        writer.add_key_value_metadata({KEY: changed.model_dump_json().encode()})


def old_export(out: Path, table: pa.Table) -> None:
    """An export as it was written before: with a manifest.json, of format 1."""
    manifest = publish(out, table)
    (out / manifest.file).unlink()
    old = manifest.model_copy(update={"format": 1})
    text = json.loads(old.model_copy(update={"digest": old.content_digest()}).model_dump_json())
    del text["partition_by"]
    (out / "manifest.json").write_text(json.dumps(text, indent=1))


def files(directory: Path) -> list[str]:
    """Everything below a directory."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
