"""Walks through the latent space: points on a way, each decoded with the same noise.

A row is drawn from p(x|z), so two points differ by z *and* by the noise of the draw. On a walk the noise is the same at
every point: whatever changes along the way is due to z. Each point is decoded with `NOISES` noises. The first of them
gives the row that is shown; all together say how the distribution of each column changes (`Walk.responses`).

**Straight and spherical.** The straight way between z and z′ leads through the middle of the space. Where a prior has
many dimensions, hardly any of its draws lie there: they lie in a shell around the middle. Spherical interpolation
(White 2016, arXiv 1609.04468) stays in the shell. It is defined for N(0, I), so a learned prior is first brought to
mean 0 and deviation 1 by its own moments, dimension by dimension. For a mixture, whose draws lie in many places, that
keeps the usual distance from the middle and nothing more. The direction turns evenly, and the distance goes evenly from
that of one end to that of the other.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.labels import coded
from pipeline.errors import SettingsError
from pipeline.fitted import Fitted
from pipeline.queries.generation import decoded
from pipeline.queries.latent import posterior
from pipeline.randomness import stream
from pipeline.schema import Schema

Floats = NDArray[np.float64]
Way = Literal["straight", "spherical"]
WAYS: tuple[Way, ...] = ("straight", "spherical")

NOISES = 200
"""Noises with which each point is decoded."""
STEPS = 8
MOST_STEPS = 100
REACH = (0.01, 0.99)
"""The part of the aggregate posterior that a traversal covers."""
MOST_ROWS = 20_000
"""Most rows from which the range of a dimension is estimated."""


class Walk(NamedTuple):
    """A way through the latent space.

    Attributes:
        what: What is walked, for people.
        places: Where each point lies: from 0 to 1 between two rows, or the value of the dimension, [points].
        z: The points, [points, latent].
        drawn: For each point, `NOISES` decoded rows. Row i has the same noise at every point.
        ends: The given rows at the two ends, or the one at which the walk starts; none if it starts at a mean.
    """

    what: str
    places: Floats
    z: NDArray[np.float32]
    drawn: tuple[pa.Table, ...]
    ends: pa.Table

    @property
    def rows(self) -> pa.Table:
        """The row of each point, all drawn with one noise."""
        return pa.concat_tables([table.slice(0, 1) for table in self.drawn])

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which cells of `rows` differ from those of the point before, [points, columns]."""
        rows = self.rows
        codes = np.stack([coded([rows[name]])[0] for name in rows.column_names], axis=1)
        return np.concatenate([np.zeros((1, codes.shape[1]), bool), codes[1:] != codes[:-1]])

    def responses(self, schema: Schema) -> Mapping[str, float]:
        """How far the distribution of each column moves from that of the first point, the most responsive first.

        It is the largest distance at any point: the Kolmogorov–Smirnov distance for numbers and times, total variation
        for labels, or what the kind's measure says; 0 for no change and 1 for nothing in common.
        """
        found = {}
        for column in schema:
            measure = columns.measure(column.kind)
            if measure is not None:
                first, *others = measure.views([table[column.name] for table in self.drawn])
                found[column.name] = max((measure.error(first, other) for other in others), default=0.0)
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def between(
    model: Fitted, table: pa.Table, first: int, last: int, *, way: Way = "straight", steps: int = STEPS, seed: int = 0
) -> Walk:
    """Walk from the posterior mean of one row to that of another.

    Args:
        model: The model.
        table: A table of the schema.
        first: Number of the row to start at, counted from 0.
        last: Number of the row to end at.
        way: How the points lie; see above.
        steps: Number of steps. There is a point more.
        seed: Fixes the noises.

    Raises:
        SettingsError: There is no such row, or no such number of steps.
        TableError: The model has no network.
    """
    rows = [_row(table, number) for number in (first, last)]
    places = np.linspace(0, 1, _steps(steps) + 1)
    ends = table.take(pa.array(rows))
    begin, end = posterior(model, ends).mean.astype(np.float64)
    if way == "spherical":
        centre, scale = (moment.detach().numpy().astype(np.float64) for moment in model.network.prior.moments())
        z = centre + scale * turned((begin - centre) / scale, (end - centre) / scale, places)
    else:
        z = begin + places[:, None] * (end - begin)
    return _walked(model, f"row {first} to row {last}, {way}", places, z, ends, seed)


def vary(
    model: Fitted, table: pa.Table, dimension: int, *, row: int | None = None, steps: int = STEPS, seed: int = 0
) -> Walk:
    """Walk along one dimension over the range of the aggregate posterior, from its 1 % to its 99 % quantile.

    Args:
        model: The model.
        table: A table of the schema.
        dimension: The dimension of z, counted from 0.
        row: The row whose other dimensions are kept, counted from 0. By default their means over all rows.
        steps: Number of steps. There is a point more.
        seed: Fixes the noises.

    Raises:
        SettingsError: There is no such row or dimension, or no such number of steps.
        TableError: The model has no network.
    """
    latent = model.network.shape.latent
    if not 0 <= dimension < latent:
        raise SettingsError(f"expected a dimension from 0 to {latent - 1}, got {dimension}")
    ends = table.slice(0, 0) if row is None else table.slice(_row(table, row), 1)
    random = stream(seed, "range")
    if table.num_rows > MOST_ROWS:
        table = table.take(np.sort(random.choice(table.num_rows, MOST_ROWS, replace=False)))
    found = posterior(model, table)
    own = found.mean[:, dimension]
    drawn = own + random.standard_normal(own.shape) * np.sqrt(found.variance[:, dimension])
    low, high = np.quantile(drawn, REACH)
    places = np.linspace(low, high, _steps(steps) + 1)
    start = found.mean.mean(0) if row is None else posterior(model, ends).mean[0]
    z = np.repeat(start[None].astype(np.float64), len(places), axis=0)
    z[:, dimension] = places
    where = "the mean of all rows" if row is None else f"row {row}"
    return _walked(model, f"z{dimension} from {places[0]:.2f} to {places[-1]:.2f}, at {where}", places, z, ends, seed)


def turned(begin: Floats, end: Floats, places: Floats) -> Floats:
    """Points on the great circle from `begin` to `end`, both [latent], at `places` from 0 to 1, [places, latent].

    The distance from 0 goes evenly from one end's to the other's. Where the ends have no two directions, the way is
    straight.
    """
    lengths = np.linalg.norm([begin, end], axis=1)
    straight = begin + places[:, None] * (end - begin)
    if not lengths.all():
        return straight
    one, other = begin / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if np.sin(angle) < 1e-6:  # noqa: PLR2004 - equal or opposite directions span no circle
        return straight
    directions = np.sin((1 - places) * angle)[:, None] * one + np.sin(places * angle)[:, None] * other
    distance = lengths[0] + places * (lengths[1] - lengths[0])
    return np.asarray(distance[:, None] * directions / np.sin(angle))


def _walked(model: Fitted, what: str, places: Floats, z: Floats, ends: pa.Table, seed: int) -> Walk:
    """Decode the points."""
    points = z.astype(np.float32)
    drawn = tuple(decoded(model, np.repeat(point[None], NOISES, axis=0), seed=seed) for point in points)
    return Walk(what, places, points, drawn, ends)


def _row(table: pa.Table, number: int) -> int:
    if not 0 <= number < table.num_rows:
        raise SettingsError(f"expected a row from 0 to {table.num_rows - 1:,}, got {number:,}")
    return number


def _steps(steps: int) -> int:
    if not 1 <= steps <= MOST_STEPS:
        raise SettingsError(f"expected 1 to {MOST_STEPS} steps, got {steps:,}")
    return steps
