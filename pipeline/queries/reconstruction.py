"""How rows come back from their own z, column by column."""

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.arrays import numbers
from pipeline.arrow.labels import coded
from pipeline.fitted import Fitted
from pipeline.queries.bound import ColumnReconstruction, ElboReport, bound
from pipeline.queries.generation import decoded


def encoded(model: Fitted, table: pa.Table) -> NDArray[np.float32]:
    """Posterior means E[z|x], [rows, latent]."""
    if model.vae is None or not table.num_rows:
        return np.zeros((table.num_rows, model.vae.shape.latent if model.vae is not None else 0), dtype=np.float32)
    with torch.no_grad():
        parts = [model.vae.encoder(part)[0] for part in model.normalization.encode(table).parts()]
    return np.asarray(torch.cat(parts).numpy())


def elbo_report(model: Fitted, table: pa.Table, *, seed: int) -> ElboReport | None:
    """The ELBO of a table and how its columns come back; None for a model without a network."""
    if model.vae is None:
        return None
    found, cross_entropy = bound(model.vae, model.normalization.encode(table), seed=seed)
    again = decoded(model, encoded(model, table), seed=seed)
    sums = np.bincount(model.normalization.owners, cross_entropy, minlength=len(model.schema.columns)).tolist()
    parts = [
        _reconstruction(column.name, columns.measure(column), value, table[column.name], again[column.name])
        for column, value in zip(model.schema, sums, strict=True)
    ]
    return ElboReport(**found.model_dump(), columns=tuple(parts))


def _reconstruction(
    name: str, measure: columns.Measure, cross_entropy: float, real: pa.ChunkedArray, again: pa.ChunkedArray
) -> ColumnReconstruction:
    if measure == "ordered":
        x, y = numbers(real), numbers(again)
        both = np.isfinite(x) & np.isfinite(y)
        spread = float(np.var(x[both])) if both.any() else 0.0
        mse = float(np.mean((x[both] - y[both]) ** 2)) / spread if spread > 0 else None
        return ColumnReconstruction(name=name, cross_entropy=cross_entropy, mse=mse)
    if measure == "nominal":
        before, after = coded([real, again])
        accuracy = float((before == after).mean())
        return ColumnReconstruction(name=name, cross_entropy=cross_entropy, accuracy=accuracy)
    return ColumnReconstruction(name=name, cross_entropy=cross_entropy)
