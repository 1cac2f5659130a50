"""The views of a row from which its anomaly score is made (`pipeline.queries.anomaly`)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from pipeline.fitted import Fitted
from pipeline.models.generation import Draws, generate
from pipeline.models.rows import Rows
from pipeline.queries.generation import batches
from pipeline.queries.likelihood import CellLikelihood
from pipeline.queries.surroundings import Surroundings
from pipeline.randomness import BLOCK, apart, stream
from pipeline.relations import Relations
from pipeline.statistics.rarity import Rarity

Floats = NDArray[np.float64]

WEIGHTS: Mapping[str, float] = {"rarity": 1.0, "distance": 1.0, "disagreement": 0.5}
"""The weight of each view."""
APART = 2048
"""Generated rows of the block that are set apart, for the laws of the views."""
REDRAWN = 2
"""Draws of each row from its own z, for the reconstruction error."""


class Outliers(NamedTuple):
    """What is known about the strangeness of each row.

    Attributes:
        views: The value of each view, by name, [rows].
        broken: Nats for what holds in all rows of the model but not in this one, [rows]: the relation that most
            training rows show, or that a column is never null.
        likelihood: The importance-weighted bound on log p of the row's cells, in nats, [rows]. None without a network.
        error: Reconstruction error, [rows].
    """

    views: Mapping[str, Floats]
    broken: Floats
    likelihood: Floats | None
    error: Floats

    def scores(self, laws: Mapping[str, Rarity]) -> Floats:
        """The anomaly score in nats, [rows]."""
        return sum((WEIGHTS[name] * laws[name].nats(value) for name, value in self.views.items()), self.broken)


class Scorer:
    """Scores rows of one model.

    Args:
        model: The model.

    Attributes:
        surroundings: The model's own rows.
        apart: Further rows of the model, which are not among them.
        cells: Likelihoods. None without a network.
    """

    def __init__(self, model: Fitted) -> None:
        self.model = model
        block = next(batches(model, BLOCK, seed=0))
        own, self.apart = block.slice(0, BLOCK - APART), block.slice(BLOCK - APART)
        self.surroundings = Surroundings(model.schema, own)
        hidden = {name for name in model.schema.names if name not in self.surroundings.columns}
        self.cells: CellLikelihood | None = None
        if model.vae is not None:
            self.cells = CellLikelihood(model.vae, model.normalization, model.encode(own), hidden)

    @property
    def taught(self) -> bool:
        """Whether there is a network that was taught how columns depend on each other."""
        return self.cells is not None and self.model.shrinkage.share < 1

    def look(self, table: pa.Table) -> Outliers:
        """Look at the rows of a table of the schema."""
        views = {
            "rarity": self.surroundings.rarities(table).sum(1),
            "distance": self.surroundings.distance(table),
        }
        likelihood, error = None, np.zeros(table.num_rows)
        if self.cells is not None:
            rows = self.model.encode(table)
            found = self.cells.rows(rows)
            likelihood = found.bound
            if self.taught:
                views["disagreement"] = -found.agreement
            error = self._error(table, self.cells.known(rows))
        broken = np.maximum(
            self.surroundings.missing(table), breaks(self.model.relations, table).max(axis=0, initial=0)
        )
        return Outliers(views, broken, likelihood, error)

    def _error(self, table: pa.Table, rows: Rows) -> Floats:
        """How far rows that are drawn from p(x|z) at their own E[z|x] lie from the given ones, [rows].

        Every row is drawn with the same few random numbers, spread evenly over (0, 1).
        """
        vae, model = self.model.vae, self.model
        assert vae is not None
        with torch.no_grad():
            z = torch.cat([vae.encoder(part)[0] for part in rows.parts()])
        random = stream(0, "redrawn")
        normals = sum(variable.normals for variable in vae.layout.variables)
        order = np.argsort(random.random((REDRAWN, len(vae.layout))), axis=0)
        uniform = ((order + 0.5) / REDRAWN).astype(np.float32)
        total = np.zeros(table.num_rows)
        for i in range(REDRAWN):
            normal = random.standard_normal((normals, 1), dtype=np.float32)
            shared = [torch.from_numpy(each).expand(-1, len(z)) for each in (uniform[i][:, None], normal)]
            again = generate(vae, z, Draws(*shared))
            decoded = model.normalization.decode(again, apart(0, "redrawn", i), np.arange(BLOCK), len(z))
            total += self.surroundings.error(table, model.relations.bind(decoded))
        return total / REDRAWN


def breaks(relations: Relations, table: pa.Table) -> Floats:
    """Nats for each relation that each row breaks, 0 if it does not, [relations, rows]."""
    nats = np.log([relation.support + 2.0 for relation in relations])
    return np.asarray(nats[:, None] * relations.broken(table))
