"""The latent space of a model: where rows lie in it, and what of it is used.

A row x has the posterior q(z|x) = N(E[z|x], diag Var[z|x]). The mean is a short numeric description of the row for
other models, and the variance says how sure it is. The *aggregate posterior* is the mixture of q(z|x) over rows. If
training went well it agrees with the prior p(z), from which rows are generated. A `LatentSummary` compares the two and
holds no row: a report can show it.
"""

from collections.abc import Collection
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import SettingsError, TableError, did_you_mean
from pipeline.fitted import Fitted
from pipeline.models.vae import VAE
from pipeline.queries.bound import ACTIVE
from pipeline.randomness import strata, stream, torch_seed
from pipeline.records import Record
from pipeline.relations import Relation

Floats = NDArray[np.float64]

CELLS = 32
"""Cells of a `LatentSummary` along each axis."""
DRAWS = 20_000
"""Number of draws from the aggregate posterior, and from the prior, that a `LatentSummary` counts."""
MOST_ROWS = 20_000
"""Most rows that a `LatentSummary` looks at."""
ENDS = (0.002, 0.998)
"""The part of the draws that the axes of a `LatentSummary` cover."""
PLANE = 2
LEAST_POINTS = 10
"""Fewest points of a map by UMAP."""


class Posterior(NamedTuple):
    """q(z|x) of some rows.

    Attributes:
        mean: E[z|x], [rows, latent].
        variance: Var[z|x] of every dimension, [rows, latent].
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]


class Projection(NamedTuple):
    """A plane of the latent space, onto which points are projected.

    Attributes:
        centre: The point of the plane with the coordinates (0, 0), [latent].
        axes: Two orthonormal directions, [2, latent]. The second is 0 if z has one dimension.
        share: Share of the points' variance along each axis, [2].
        principal: Whether the directions are principal components. If not, they are the dimensions themselves.
    """

    centre: Floats
    axes: Floats
    share: Floats
    principal: bool

    @classmethod
    def of(cls, points: NDArray[np.floating]) -> Self:
        """The plane in which points [rows, latent] differ most (principal component analysis, Pearson 1901).

        If z has at most two dimensions, the plane is that of the dimensions themselves. The largest entry of a
        principal direction is positive, so that equal points give equal pictures.
        """
        points = np.asarray(points, np.float64)
        latent = points.shape[1]
        variances = points.var(0)
        total = max(float(variances.sum()), np.finfo(float).tiny)
        if latent <= PLANE:
            axes = np.eye(PLANE, latent)
            return cls(np.zeros(latent), axes, np.resize(variances, latent) @ axes.T / total, principal=False)
        centre = points.mean(0)
        values, vectors = np.linalg.eigh((points - centre).T @ (points - centre) / max(len(points), 1))
        axes = vectors[:, ::-1][:, :PLANE].T
        signs = np.sign(axes[np.arange(PLANE), np.abs(axes).argmax(1)])
        return cls(centre, axes * signs[:, None], np.maximum(values[::-1][:PLANE], 0) / total, principal=True)

    def __call__(self, points: NDArray[np.floating]) -> Floats:
        """The coordinates of points [rows, latent] in the plane, [rows, 2]."""
        return np.asarray((np.asarray(points, np.float64) - self.centre) @ self.axes.T)

    @property
    def labels(self) -> tuple[str, str]:
        """Names of the axes, for a picture."""
        if not self.principal:
            return "z0", "z1"
        first, second = (f"component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(self.share))
        return first, second


def neighbourly(points: NDArray[np.floating], *, seed: int = 0) -> Floats:
    """Coordinates of points in two dimensions by UMAP (McInnes et al. 2018, arXiv 1802.03426), [rows, 2].

    Near points stay near. Distances between groups, and the axes, mean nothing.

    Raises:
        SettingsError: umap-learn is not installed, or there are too few points.
    """
    try:
        from umap import UMAP  # noqa: PLC0415 - an extra, imported where it is used
    except ImportError as error:
        raise SettingsError("map 'umap': expected umap-learn to be installed (pip install 'resynth[umap]')") from error
    if len(points) < LEAST_POINTS:
        raise SettingsError(f"map 'umap': expected at least {LEAST_POINTS} rows, got {len(points)}")
    around = min(15, len(points) - 1)  # UMAP's default, where there are more points
    return np.asarray(UMAP(n_neighbors=around, random_state=seed, n_jobs=1).fit_transform(points), np.float64)


class LatentSummary(Record):
    """The latent space as some rows fill it, without a row.

    The densities are counts of draws in square cells of one plane (`Projection`). Every row gives the same number of
    draws from its q(z|x), give or take one, so no count is that of a row.

    Attributes:
        rows: Number of rows that were looked at.
        rates: KL(q(z_j|x) ‖ p(z_j)) of each dimension in nats, mean over rows, against the prior's marginal.
        variances: Variance over rows of each dimension's E[z_j|x].
        active: Whether the dimension is an active unit: its variance exceeds .01 (Burda et al. 2016, section 5.2).
        labels: Names of the axes of the plane.
        share: Share of the variance of E[z|x] along each axis.
        edges: Least and greatest coordinate that the cells cover, on the first axis and on the second.
        posterior: Draws from the aggregate posterior in each cell: [cells of the first axis, cells of the second].
        prior: The same of as many draws from the prior.
        draws: Number of draws of either. A few of them lie beyond the cells.
        overlap: Σ min(posterior, prior) over the cells, as a share: 1 if the densities agree, 0 if they are apart.
    """

    rows: int
    rates: tuple[float, ...]
    variances: tuple[float, ...]
    active: tuple[bool, ...]
    labels: tuple[str, str]
    share: tuple[float, float]
    edges: tuple[tuple[float, float], tuple[float, float]]
    posterior: tuple[tuple[int, ...], ...]
    prior: tuple[tuple[int, ...], ...]
    draws: int = Field(ge=1)
    overlap: float

    @property
    def densities(self) -> tuple[Floats, Floats]:
        """Shares of the draws in each cell, of the aggregate posterior and of the prior."""
        return np.array(self.posterior) / self.draws, np.array(self.prior) / self.draws


@torch.no_grad()
def posterior(model: Fitted, table: pa.Table, *, without: Collection[str] = ()) -> Posterior:
    """q(z|x) of the rows of a table of the schema.

    Args:
        model: The model.
        table: The rows.
        without: Columns that are hidden from the encoder, as if their cells were unknown.

    Raises:
        TableError: The model has no network.
        SettingsError: A hidden column is none of the table, or one from which another column is computed or that is
            computed from others, so that it would show.
    """
    vae = model.network
    known = _known(model, without)
    if not table.num_rows:
        return Posterior(*(np.zeros((0, vae.shape.latent), np.float32) for _ in Posterior._fields))
    rows = model.encode(table)
    if without:
        rows = rows.knowing(known.expand(len(rows), -1))
    means, log_variances = zip(*(vae.encoder(part) for part in rows.parts()), strict=True)
    return Posterior(torch.cat(means).numpy(), torch.cat(log_variances).exp().numpy())


@torch.no_grad()
def prior_draws(vae: VAE, count: int, *, seed: int) -> NDArray[np.float32]:
    """Draws from the prior, [count, latent]."""
    random = stream(seed, "prior")
    choice = torch.from_numpy(strata(random, 1, count)[0])
    noise = torch.from_numpy(random.standard_normal((count, vae.shape.latent), dtype=np.float32))
    return np.asarray(vae.prior.draw(choice, noise).numpy())


def summary(model: Fitted, table: pa.Table, *, seed: int = 0) -> LatentSummary:
    """The latent space as the rows of a table fill it. Of a large table, `MOST_ROWS` rows are looked at.

    Raises:
        TableError: The model has no network, or the table has no rows.
    """
    vae = model.network
    if not table.num_rows:
        raise TableError("expected at least one row, got none")
    random = stream(seed, "latent summary")
    if table.num_rows > MOST_ROWS:
        table = table.take(np.sort(random.choice(table.num_rows, MOST_ROWS, replace=False)))
    found = posterior(model, table)
    turns = np.resize(random.permutation(len(found.mean)), DRAWS)
    noise = random.standard_normal((DRAWS, vae.shape.latent), dtype=np.float32)
    drawn = found.mean[turns] + noise * np.sqrt(found.variance[turns])
    plane = Projection.of(found.mean)
    sides = plane(drawn), plane(prior_draws(vae, DRAWS, seed=seed))
    edges = [_edges(np.concatenate([side[:, axis] for side in sides])) for axis in range(PLANE)]
    counts = [np.histogram2d(side[:, 0], side[:, 1], bins=edges)[0].astype(int) for side in sides]
    variances = found.mean.var(0, dtype=np.float64)
    return LatentSummary(
        rows=len(found.mean),
        rates=tuple(round(rate, 5) for rate in rates(vae, found, seed=seed)),
        variances=tuple(round(float(variance), 5) for variance in variances),
        active=tuple((variances > ACTIVE).tolist()),
        labels=plane.labels,
        share=(float(plane.share[0]), float(plane.share[1])),
        edges=tuple((float(edge[0]), float(edge[-1])) for edge in edges),
        posterior=tuple(tuple(row) for row in counts[0].tolist()),
        prior=tuple(tuple(row) for row in counts[1].tolist()),
        draws=DRAWS,
        overlap=float(np.minimum(*counts).sum() / DRAWS),
    )


@torch.no_grad()
def rates(vae: VAE, found: Posterior, *, seed: int = 0) -> list[float]:
    """KL(q(z_j|x) ‖ p(z_j)) of each dimension in nats, mean over rows, estimated at one draw of each row."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "rates"))
    mean, variance = (torch.from_numpy(each) for each in found)
    noise = torch.randn(mean.shape, generator=generator)
    z = mean + noise * variance.sqrt()
    log_q = -0.5 * (noise.square() + variance.log() + np.log(2 * np.pi))
    parts = [vae.prior.log_prob_by_dimension(part) for part in torch.split(z, 2048)]
    return [float(rate) for rate in (log_q - torch.cat(parts)).double().mean(0)]


def _known(model: Fitted, without: Collection[str]) -> torch.Tensor:
    """1 for each variable that the encoder sees, [variables]."""
    names = model.schema.names
    rewriting = [each for each in model.relations.found if type(each).free is not Relation.free]  # others only check
    tied = {name for relation in rewriting for name in (relation.target, *relation.sources)}
    for name in without:
        if name not in names:
            raise SettingsError(f"expected a column of the table, got {name!r}{did_you_mean(name, names)}")
        if name in tied:
            raise SettingsError(f"expected a column without relations to hide, got {name!r}, which others follow")
    return model.normalization.known(without)


def _edges(coordinates: Floats) -> Floats:
    """Edges of the cells along an axis."""
    low, high = np.quantile(coordinates, ENDS)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, CELLS + 1)
