"""Rows that are reconstructed from their own z, column by column."""

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from pipeline import columns
from pipeline.errors import TableError
from pipeline.fitted import Fitted
from pipeline.progress import Progress, part, silent
from pipeline.queries.bound import ColumnReconstruction, ElboReport, bound
from pipeline.queries.generation import decoded
from pipeline.schema import Column


def encoded(model: Fitted, table: pa.Table) -> NDArray[np.float32]:
    """Posterior means E[z|x], [rows, latent]."""
    if model.vae is None or not table.num_rows:
        return np.zeros((table.num_rows, model.vae.shape.latent if model.vae is not None else 0), dtype=np.float32)
    with torch.no_grad():
        parts = [model.vae.encoder(part)[0] for part in model.encode(table).parts()]
    return np.asarray(torch.cat(parts).numpy())


def elbo_report(model: Fitted, table: pa.Table, *, seed: int, progress: Progress = silent) -> ElboReport:
    """The ELBO of a table, and how well its columns are reconstructed.

    Raises:
        TableError: The model has no network, or the table has no rows.
    """
    if not table.num_rows:
        raise TableError("expected at least one row to score, got none")
    found, cross_entropy = bound(model.network, model.encode(table), seed=seed, progress=part(progress, 0, 0.8))
    again = decoded(model, encoded(model, table), seed=seed)
    names = model.normalization.schema.names
    sums = dict(zip(names, np.bincount(model.normalization.owners, cross_entropy, minlength=len(names)), strict=True))
    parts = [  # what follows from other columns takes no nats
        _reconstruction(column, float(sums.get(column.name, 0.0)), table[column.name], again[column.name])
        for column in model.schema
    ]
    return ElboReport(**found.model_dump(), columns=tuple(parts))


def _reconstruction(
    column: Column, cross_entropy: float, real: pa.ChunkedArray, again: pa.ChunkedArray
) -> ColumnReconstruction:
    measure = columns.measure(column.kind)
    found = measure.redrawn(real, again)._asdict() if measure is not None else {}
    return ColumnReconstruction(name=column.name, cross_entropy=cross_entropy, **found)
