"""Rows that a model generates.

Rows are generated in fixed blocks of `BLOCK`, each with its own random stream. So row i is a function of (model, seed,
i): any range of rows is the same, in any order and on any worker. A row that breaks a relation of the table is drawn
again, from a stream of the block and the attempt.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.errors import ResynthError, SettingsError, TableError
from pipeline.fitted import Fitted
from pipeline.models.evidence import Evidence
from pipeline.models.generation import Draws, generate
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE
from pipeline.randomness import BLOCK, Apart, apart, strata, stream
from pipeline.threads import ahead

MOST_THREADS = 4
"""Most blocks that are generated at a time. More would mostly wait for Python's lock, and hold memory."""
ATTEMPTS = 50
"""Most draws of a row that keeps breaking a relation, before it is lent the values of another one."""


def batches(model: Fitted, rows: int, *, seed: int, start: int = 0) -> Iterator[pa.Table]:
    """Rows `start` to `start` + `rows` − 1 of the dataset of `seed`, a block at a time, in bounded memory.

    Blocks are generated on several cores, and come in order.

    Raises:
        SettingsError: `rows` is not positive or `start` is negative.
    """
    if rows < 1 or start < 0:
        raise SettingsError(f"expected rows ≥ 1 and start ≥ 0, got rows = {rows} and start = {start}")
    blocks = range(start // BLOCK, (start + rows - 1) // BLOCK + 1)
    tables = ahead(partial(_block, model, seed), blocks, min(pa.cpu_count(), MOST_THREADS, len(blocks)))
    for block, table in zip(blocks, tables, strict=True):
        first = max(start - block * BLOCK, 0)
        last = min(start + rows - block * BLOCK, BLOCK)
        yield table.slice(first, last - first)


def decoded(model: Fitted, z: NDArray[np.float32], *, seed: int) -> pa.Table:
    """A row drawn from p(x|z) for each z, [rows, latent]. The noise of row i depends on `seed` and i only.

    Raises:
        TableError: `z` has another number of dimensions than the latent space.
    """
    latent = model.vae.shape.latent if model.vae is not None else 0
    if z.ndim != 2 or z.shape[1] != latent:  # noqa: PLR2004
        raise TableError(f"expected z of shape [rows, {latent}], got {list(z.shape)}")
    blocks = []
    for block in range(max(-(-len(z) // BLOCK), 1)):
        part = np.ascontiguousarray(z[block * BLOCK : (block + 1) * BLOCK], dtype=np.float32)
        random = apart(seed, "reconstruct", block)
        rows = None
        if model.vae is not None:
            noise = _noise(model.vae, random, np.arange(len(part)))
            rows = generate(model.vae, torch.from_numpy(part), noise)
        index = np.arange(block * BLOCK, (block + 1) * BLOCK)
        blocks.append(model.relations.bind(model.normalization.decode(rows, random, index, len(part))))
    return pa.concat_tables(blocks)


@torch.no_grad()
def completed(vae: VAE, evidence: Evidence, *, seed: int) -> Rows:
    """Complete rows: known cells keep their values, and the others are drawn.

    z is drawn from q(z | known cells). The other cells are drawn from p(x | z, the cells before them) within their
    limits. So z and the cells before a limited one do not know of the limit.

    Args:
        vae: The model.
        evidence: The known cells and the limits of each row.
        seed: Fixes the draws.
    """
    random = stream(seed, "completed")
    found = []
    for told in evidence.parts() if len(evidence) else [evidence]:
        mean, log_variance = vae.encoder(told.rows)
        noise = torch.from_numpy(random.standard_normal(mean.shape, dtype=np.float32))
        found.append(
            generate(vae, mean + noise * (0.5 * log_variance).exp(), _noise(vae, random, np.arange(len(told))), told)
        )
    return Rows({sort: torch.cat([rows.values[sort] for rows in found]) for sort in vae.layout.positions})


def _block(model: Fitted, seed: int, block: int) -> pa.Table:
    """The rows of a block. Rows that break a relation are drawn again, each time from another stream."""
    made = _draft(model, seed, block, np.arange(BLOCK))
    lost = np.flatnonzero(model.relations.lost(made.table))
    if not len(lost):
        return made.table
    for attempt in range(1, ATTEMPTS):
        again = _draft(model, seed, block, lost, attempt)
        made = made.replaced(lost, again)
        lost = lost[model.relations.lost(again.table)]
        if not len(lost):
            break
    else:
        made = _lent(made, lost)
    keys = stream(seed, "keys", block)
    index = np.arange(block * BLOCK, (block + 1) * BLOCK)
    return model.relations.settled(model.normalization.keyed(made.table, made.rows, keys, index))


class _Made(NamedTuple):
    """Rows of a block as a table, and as the network made them."""

    table: pa.Table
    rows: Rows | None

    def replaced(self, rows: NDArray[np.int64], by: "_Made") -> "_Made":
        """With other rows in the place of some."""
        order = np.arange(self.table.num_rows)
        order[rows] = len(order) + np.arange(len(rows))
        table = pa.concat_tables([self.table, by.table]).take(pa.array(order))
        if self.rows is None or by.rows is None:
            return _Made(table, None)
        place, values = torch.from_numpy(order), self.rows.values
        return _Made(table, Rows({sort: torch.cat([own, by.rows.values[sort]])[place] for sort, own in values.items()}))

    def take(self, rows: NDArray[np.int64]) -> "_Made":
        """Some of the rows."""
        place = torch.from_numpy(rows)
        some = None if self.rows is None else Rows({sort: own[place] for sort, own in self.rows.values.items()})
        return _Made(self.table.take(pa.array(rows)), some)


def _lent(made: _Made, lost: NDArray[np.int64]) -> _Made:
    """A block in which rows that keep breaking a relation take the values of rows that do not.

    Raises:
        ResynthError: Every row breaks one.
    """
    lenders = np.setdiff1d(np.arange(BLOCK), lost)
    if not len(lenders):
        raise ResynthError("expected rows that keep the relations of the table, got none; train afresh")
    return made.replaced(lost, made.take(lenders[np.arange(len(lost)) % len(lenders)]))


def _draft(model: Fitted, seed: int, block: int, rows: NDArray[np.int64], attempt: int = 0) -> _Made:
    """Draw some rows of a block, given by their numbers in it. The noise is drawn for the whole block."""
    random = apart(seed, "generate", block, attempt) if attempt else stream(seed, "generate", block)
    index = block * BLOCK + rows
    drawn = None
    if model.vae is not None:
        some = np.arange(BLOCK) if model.shrinkage.share else rows  # rows are taken apart among all of the block
        choice = torch.from_numpy(_uniform(random, 1, some)[0])
        noise = torch.from_numpy(ndtri(_uniform(random, model.vae.shape.latent, some)).T.copy())
        with torch.no_grad():
            z = model.vae.prior.draw(choice, noise)
        drawn = generate(model.vae, z, _noise(model.vae, random, some))
        if model.shrinkage.share:
            shuffle = stream(seed, "apart", block, *((attempt,) if attempt else ()))
            drawn = model.normalization.taken_apart(drawn, model.shrinkage.share, shuffle)
            drawn = Rows({sort: values[torch.from_numpy(rows)] for sort, values in drawn.values.items()})
    return _Made(model.relations.bind(model.normalization.decode(drawn, random, index, len(index))), drawn)


def _noise(vae: VAE, random: np.random.Generator, rows: NDArray[np.int64]) -> Draws:
    """The noise of some rows of a block."""
    layout = vae.layout
    uniform = torch.from_numpy(_uniform(random, len(layout), rows))
    normals = sum(variable.normals for variable in layout.variables)
    return Draws(uniform, torch.from_numpy(random.standard_normal((normals, BLOCK), dtype=np.float32)[:, rows]))


def _uniform(random: np.random.Generator, variables: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Uniform numbers for some rows of a block, [variables, rows]. They are drawn for the whole block, in strata.

    Rows that must not depend on each other (`Apart`) need no strata.
    """
    if isinstance(random, Apart):
        found = random.random((variables, BLOCK), dtype=np.float32)[:, rows]
        return np.asarray(found.clip(np.finfo(np.float32).tiny, 1 - np.finfo(np.float32).epsneg))
    return np.asarray(strata(random, variables, BLOCK)[:, rows])
