"""The latent space of a synthesizer as one object: `synthesizer.latent`."""

from collections.abc import Collection
from typing import NamedTuple

from pipeline.fitted import Fitted
from pipeline.frames import Frame, alike
from pipeline.queries import arithmetic, latent, walks
from pipeline.queries.arithmetic import Arithmetic
from pipeline.queries.latent import LatentSummary, Posterior, Projection
from pipeline.queries.walks import STEPS, Walk, Way


class LatentSpace(NamedTuple):
    """Where rows lie in the latent space, and what lies between them.

    Tables come in any form that `Synthesizer.fit` takes, and rows are counted from 0. Every method raises TableError if
    the model has no network, a column of the schema is missing, or values do not fit.

    Attributes:
        model: The fitted model.

    Example:
        >>> rows = synthesizer.table(100)
        >>> synthesizer.latent.posterior(rows).variance.shape
        (100, 12)
        >>> synthesizer.latent.between(rows, 0, 1, steps=4).rows.num_rows
        5
    """

    model: Fitted

    def posterior(self, table: Frame, *, without: Collection[str] = ()) -> Posterior:
        """E[z|x] and Var[z|x] of each row; see `latent.posterior`."""
        return latent.posterior(self.model, self._table(table), without=without)

    def summary(self, table: Frame, *, seed: int = 0) -> LatentSummary:
        """Densities, rates and active units, without a row; see `latent.summary`."""
        return latent.summary(self.model, self._table(table), seed=seed)

    def plane(self, table: Frame) -> Projection:
        """The plane in which the posterior means of the rows differ most; see `latent.Projection`."""
        return Projection.of(self.posterior(table).mean)

    def between(
        self, table: Frame, first: int, last: int, *, way: Way = "straight", steps: int = STEPS, seed: int = 0
    ) -> Walk:
        """Walk from one row to another; see `walks.between`."""
        return walks.between(self.model, self._table(table), first, last, way=way, steps=steps, seed=seed)

    def vary(self, table: Frame, dimension: int, *, row: int | None = None, steps: int = STEPS, seed: int = 0) -> Walk:
        """Walk along one dimension; see `walks.vary`."""
        return walks.vary(self.model, self._table(table), dimension, row=row, steps=steps, seed=seed)

    def arithmetic(self, table: Frame, text: str, *, seed: int = 0) -> Arithmetic:
        """Add and subtract the means of groups of rows; see `arithmetic.arithmetic`."""
        return arithmetic.arithmetic(self.model, self._table(table), text, seed=seed)

    def _table(self, table: Frame) -> "Frame":
        return alike(table, self.model.schema.arrow)
