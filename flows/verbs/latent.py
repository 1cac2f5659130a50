"""The verb `latent`: where rows lie in the latent space of a model, and what lies between them. It starts no server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.settings import Settings
from flows.tracking import registry
from pipeline import columns, files, pictures
from pipeline.arrow import jsonable
from pipeline.data import tables
from pipeline.data.storage import Place
from pipeline.errors import InputError, SchemaError, SettingsError, did_you_mean
from pipeline.pictures import Colours
from pipeline.pictures.style import Picture
from pipeline.progress import Progress, Tick, silent
from pipeline.queries.arithmetic import Arithmetic
from pipeline.queries.latent import LatentSummary, Projection, neighbourly
from pipeline.queries.space import LatentSpace
from pipeline.queries.walks import WAYS, Walk
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.schema import Column, Schema

BATCH = 65_536
"""Rows that are encoded and written together."""
MOST_POINTS = 5_000
"""Most points of a map."""
SHOWN = 10
"""Decoded rows of an arithmetic that the answer has."""
Map = Literal["pca", "umap"]


class LatentRequest(Record):
    """What is asked of a latent space.

    Attributes:
        out: Parquet file for the columns of the table with mean and variance of z.
        pictures: Directory for pictures.
        map: How the map projects points.
        by: Column that colours the map.
        between: Rows to walk between.
        vary: Dimension to walk along.
        at: Row at which `vary` starts. None for the mean of all rows.
        arithmetic: Sum and difference of groups of rows.
        steps: Steps of a walk.
        seed: Fixes the noises.
    """

    out: Path | None = None
    pictures: Path | None = None
    map: Map = "pca"
    by: str | None = None
    between: tuple[int, int] | None = None
    vary: int | None = None
    at: int | None = None
    arithmetic: str | None = None
    steps: int
    seed: int


class LatentOutcome(NamedTuple):
    """What was found in a latent space.

    Attributes:
        of: The version, for people.
        schema: Its columns.
        summary: Rates, active units and densities.
        between: The walks between two rows: straight, and spherical.
        vary: The walk along a dimension.
        arithmetic: The result of the arithmetic.
        written: The files that were written.
        notes: How the table was read, one line each.
    """

    of: str
    schema: Schema
    summary: LatentSummary
    between: tuple[Walk, ...]
    vary: Walk | None
    arithmetic: Arithmetic | None
    written: tuple[Path, ...]
    notes: tuple[str, ...]

    @property
    def walks(self) -> tuple[Walk, ...]:
        """All walks."""
        return self.between if self.vary is None else (*self.between, self.vary)

    def answer(self) -> dict[str, Any]:
        """The JSON for scripts."""
        found = self.summary
        sums = None if self.arithmetic is None else _sums(self.arithmetic, self.schema)
        return {
            "of": self.of,
            "rows": found.rows,
            "rates": list(found.rates),
            "active": list(found.active),
            "overlap": found.overlap,
            "files": [str(file) for file in self.written],
            "between": [_steps(walk, self.schema) for walk in self.between],
            "vary": None if self.vary is None else _steps(self.vary, self.schema),
            "arithmetic": sums,
            "notes": list(self.notes),
        }


def latent(
    reference: str, data: Place, request: LatentRequest, settings: Settings, progress: Progress = silent
) -> LatentOutcome:
    """Look at the rows of a table in the latent space of a version.

    Nothing is written before everything was found.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        data: The table. It may have more columns than the version.
        request: What is asked.
        settings: How to read the table, and its target, which colours the map if nothing else does.
        progress: Called now and then.

    Raises:
        NotFoundError: There is no such version.
        InputError: The table, a row, a column, a dimension or a group is none that can be used, the version has no
            network, or a file cannot be written.
    """
    version = registry.resolve(reference)
    synthesizer = registry.load(version)
    space, schema = synthesizer.latent, synthesizer.schema
    space.model.network  # noqa: B018 - raises if there is none, before the table is read
    progress(Tick("latent", 1, 6))
    table, notes = tables.load(data, settings.read, settings.columns, schema.arrow)
    if found := schema.differences(table.select([name for name in table.column_names if name in schema.names]).schema):
        raise SchemaError(f"table: expected the columns of {version.uri}; {'; '.join(found)}")
    names = _names(space, table)
    colours = _colours(table, request.by or _target(settings, table), schema)
    progress(Tick("latent", 2, 6))
    summary = space.summary(table, seed=request.seed)
    between, vary, sums = _walks(space, table, request)
    progress(Tick("latent", 3, 6))
    outcome = LatentOutcome(
        f"{version.name} version {version.version}", schema, summary, between, vary, sums, (), notes
    )
    drawn = {} if request.pictures is None else _drawn(outcome, space, table, colours, request)
    progress(Tick("latent", 4, 6))
    written = [] if request.out is None else [_write(request.out, space, table, names)]
    written += [_picture(request.pictures / f"{name}.png", each) for name, each in drawn.items() if request.pictures]
    progress(Tick("latent", 6, 6))
    return outcome._replace(written=tuple(written))


def expect_place(out: Path | None, data: Place) -> None:
    """Check that the rows can be written to a file, if one is named.

    Raises:
        InputError: It is no Parquet file, its directory does not exist, or it is there and holds something else.
    """
    if out is None:
        return
    if out.suffix.lower() != ".parquet":
        raise InputError(f"--out: expected a file NAME.parquet, got {out}")
    if not out.parent.is_dir():
        raise InputError(f"--out: expected a directory at {out.parent}, found none")
    if isinstance(data, Path) and out.exists() and data.exists() and out.samefile(data):
        raise InputError(f"--out: expected another file than the table itself, got {out}")
    if out.exists() and not _own(out):
        raise InputError(f"--out: expected no file or an earlier answer of `resynth latent`, found {out}; left alone")


def _own(file: Path) -> bool:
    """Whether an existing file is an earlier answer."""
    try:
        return {"z0", "z0_variance"} <= set(pq.read_schema(file).names)
    except (pa.ArrowException, OSError):
        return False


def _names(space: LatentSpace, table: pa.Table) -> tuple[str, ...]:
    """The names of the new columns: means, then variances."""
    latent = space.model.network.shape.latent
    names = (*(f"z{j}" for j in range(latent)), *(f"z{j}_variance" for j in range(latent)))
    if taken := [name for name in names if name in table.column_names]:
        raise SchemaError(f"table: expected no column {taken[0]!r}, which would be written, got one; rename it")
    return names


def _target(settings: Settings, table: pa.Table) -> str | None:
    """The target of the settings, if the table has it."""
    target = settings.evaluation.target
    return target if target in table.column_names else None


def _colours(table: pa.Table, name: str | None, schema: Schema) -> Colours | None:
    """The column that colours the map. One that the model does not know is taken as `resynth inspect` takes it."""
    if name is None:
        return None
    if name not in table.column_names:
        raise SettingsError(
            f"--by: expected a column of the table, got {name!r}{did_you_mean(name, table.column_names)}"
        )
    if name in schema.names:
        return Colours(schema[name], table[name])
    own = columns.infer(table.select([name]))
    return Colours(own[name] if name in own.names else Column(name=name, kind="text", nullable=True), table[name])


def _walks(
    space: LatentSpace, table: pa.Table, request: LatentRequest
) -> tuple[tuple[Walk, ...], Walk | None, Arithmetic | None]:
    """The walks and the arithmetic that are asked for."""
    between: tuple[Walk, ...] = ()
    if request.between is not None:
        first, last = request.between
        between = tuple(
            space.between(table, first, last, way=way, steps=request.steps, seed=request.seed) for way in WAYS
        )
    vary = (
        None
        if request.vary is None
        else space.vary(table, request.vary, row=request.at, steps=request.steps, seed=request.seed)
    )
    text = request.arithmetic
    return between, vary, None if text is None else space.arithmetic(table, text, seed=request.seed)


def _drawn(
    outcome: LatentOutcome, space: LatentSpace, table: pa.Table, colours: Colours | None, request: LatentRequest
) -> Mapping[str, bytes]:
    """The pictures, by the name of their file."""
    schema = outcome.schema
    found = {
        "map": _map(space, table, colours, request),
        "density": pictures.latent_density(outcome.summary),
        "rates": pictures.latent_rates(outcome.summary),
    }
    if outcome.between:
        found["between"] = pictures.walk_rows(outcome.between, schema)
    if outcome.vary is not None:
        found["vary"] = pictures.walk_rows([outcome.vary], schema)
        found["vary_columns"] = pictures.walk_columns(outcome.vary, schema)
    if outcome.arithmetic is not None:
        found["arithmetic"] = pictures.arithmetic_columns(outcome.arithmetic, schema)
    return {name: pictures.png(figure) for name, figure in found.items()}


def _map(space: LatentSpace, table: pa.Table, colours: Colours | None, request: LatentRequest) -> Picture:
    """The map of at most `MOST_POINTS` rows."""
    title = f"{table.num_rows:,} rows"
    if table.num_rows > MOST_POINTS:
        title = f"{MOST_POINTS:,} of {table.num_rows:,} rows"
        some = np.sort(stream(request.seed, "map").choice(table.num_rows, MOST_POINTS, replace=False))
        table = table.take(some)
        colours = colours._replace(values=colours.values.take(pa.array(some))) if colours is not None else None
    mean = space.posterior(table).mean
    if request.map == "umap":
        names = ("UMAP 1", "UMAP 2")
        return pictures.latent_map(neighbourly(mean, seed=request.seed), names, colours, title=title)
    plane = Projection.of(mean)
    return pictures.latent_map(plane(mean), plane.labels, colours, title=title)


def _write(out: Path, space: LatentSpace, table: pa.Table, names: tuple[str, ...]) -> Path:
    """Write the columns of the table with means and variances beside them, a batch at a time."""
    kinds = [*table.schema, *(pa.field(name, pa.float32(), nullable=False) for name in names)]
    schema = pa.schema(kinds, table.schema.metadata)
    with files.replaced(out) as fresh, pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
        for start in range(0, table.num_rows, BATCH):
            part = table.slice(start, BATCH)
            found = space.posterior(part)
            made = [pa.array(own) for own in (*found.mean.T, *found.variance.T)]
            writer.write_table(pa.Table.from_arrays([*part.columns, *made], schema=schema))
    return out


def _picture(file: Path, content: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replaced(file) as fresh:
        fresh.write_bytes(content)
    return file


def _steps(walk: Walk, schema: Schema) -> dict[str, Any]:
    """A walk as JSON."""
    places = [float(place) for place in walk.places]
    responses = dict(walk.responses(schema))
    return {"what": walk.what, "places": places, "rows": jsonable.records(walk.rows), "responses": responses}


def _sums(found: Arithmetic, schema: Schema) -> dict[str, Any]:
    """An arithmetic as JSON."""
    return {
        "groups": [group.model_dump() for group in found.groups],
        "columns": [each.model_dump() for each in found.compositions(schema)],
        "rows": jsonable.records(found.rows.slice(0, SHOWN)),
    }
