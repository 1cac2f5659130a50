"""The verb `evaluate`: how near are synthetic rows to real ones? It compares files and needs no home and no model."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from flows.engine import webpages
from flows.engine.provenance import code_version
from flows.settings import Settings, name_of, toml
from pipeline import columns
from pipeline.assumptions import assumed
from pipeline.data import tables
from pipeline.data.storage import Place
from pipeline.decisions import quality
from pipeline.evaluation import Evaluation
from pipeline.evaluation import evaluate as compare
from pipeline.progress import Progress, silent, ticked
from pipeline.schema import Schema

UNSEEN = (
    "privacy: copies are told from new rows only beside real rows that the generator has not seen; name such rows with "
    "--test, unless SYNTHETIC is an export of a run on REAL"
)


class Compared(NamedTuple):
    """The tables of a comparison, with the same columns and types."""

    train: pa.Table
    holdout: pa.Table
    synthetic: pa.Table
    schema: Schema


def evaluate(
    real: Place,
    synthetic: Place,
    *,
    test: Place | None,
    settings: Settings,
    report: Path | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Compare synthetic rows with real rows.

    Args:
        real: The table that the generator was trained on.
        synthetic: The generated table.
        test: Real rows that the generator has not seen. Without it, `real` is split as in a run, so that the hold-out
            of that run is found again.
        settings: How to read, split and evaluate.
        report: Where to write a report as an HTML page, if anywhere.
        progress: Called after every area.

    Raises:
        TableError: A table cannot be used.
        SchemaError: The columns of the tables differ, and not harmlessly (`pipeline.data.tables.unify`).
    """
    read = _read(real, synthetic, test, settings, progress)
    found = compare(
        read.synthetic,
        holdout=read.holdout,
        train=read.train,
        schema=read.schema,
        settings=settings.evaluation,
        seed=settings.seed,
        progress=progress,
    )
    if test is None:
        found = found.model_copy(update={"notes": (*found.notes, UNSEEN)})
    if report is not None:
        webpages.write(report, _page(name_of(synthetic), name_of(real), read, found, settings))
    return found


def _read(real: Place, synthetic: Place, test: Place | None, settings: Settings, progress: Progress) -> Compared:
    """Read the tables, and split the real one if no unseen rows are named."""
    places = [real, synthetic] if test is None else [real, synthetic, test]
    came: list[tables.Named] = []
    for place in ticked(places, "read", progress):
        like = came[0].table.schema if came else None
        came.append(tables.Named(str(place), tables.load(place, settings.read, settings.columns, like).table))
    train, rows, *unseen = tables.unify(came, like=came[0].table.schema).tables
    if unseen:
        holdout = unseen[0]
    else:
        train, _, holdout = tables.split(train, settings.split)
    schema = columns.infer(train, settings.columns, settings.privacy, progress=progress)
    return Compared(train, holdout, rows, schema)


def _page(name: str, beside: str, compared: Compared, found: Evaluation, settings: Settings) -> str:
    """The report of a comparison."""
    from pipeline import page  # noqa: PLC0415 - who asks for no report waits for no templates

    subject = page.Subject(
        title=name,
        real=compared.holdout,
        synthetic=compared.synthetic,
        schema=compared.schema,
        evaluation=found,
        gate=settings.gate,
        verdict=quality.judged(found, settings.gate),
        assumptions=assumed(compared.schema),
        facts={
            "synthetic rows": f"{name}, {compared.synthetic.num_rows:,} rows",
            "digest": tables.digest(compared.synthetic),
            "real rows": f"{beside}, {compared.train.num_rows:,} seen and {compared.holdout.num_rows:,} held out",
            "seed": str(settings.seed),
            "code": code_version(),
        },
        settings=toml.written(settings.chosen),
    )
    return page.report(subject)
