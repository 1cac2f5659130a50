"""Rows that a model generates.

Rows are generated in fixed blocks of `BLOCK`, each with its own random stream. So row i is a function of (model, seed,
i): any range of rows is the same, in any order and on any worker.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from pipeline.errors import SettingsError, TableError
from pipeline.fitted import Fitted
from pipeline.models.evidence import Evidence
from pipeline.models.generation import Draws, generate
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE
from pipeline.randomness import BLOCK, apart, strata, stream


def batches(model: Fitted, rows: int, *, seed: int, start: int = 0) -> Iterator[pa.Table]:
    """Rows `start` to `start` + `rows` − 1 of the dataset of `seed`, a block at a time, in bounded memory.

    Raises:
        SettingsError: `rows` is not positive or `start` is negative.
    """
    if rows < 1 or start < 0:
        raise SettingsError(f"expected rows ≥ 1 and start ≥ 0, got rows = {rows} and start = {start}")
    for block in range(start // BLOCK, (start + rows - 1) // BLOCK + 1):
        first = max(start - block * BLOCK, 0)
        last = min(start + rows - block * BLOCK, BLOCK)
        yield _block(model, seed, block).slice(first, last - first)


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
        rows = _drawn(model.vae, torch.from_numpy(part), random)
        blocks.append(_table(model, rows, random, block, len(part)))
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
        found.append(generate(vae, mean + noise * (0.5 * log_variance).exp(), _noise(vae, random, len(told)), told))
    return Rows({sort: torch.cat([rows.values[sort] for rows in found]) for sort in vae.layout.positions})


def _block(model: Fitted, seed: int, block: int) -> pa.Table:
    """The rows of a block."""
    random = stream(seed, "generate", block)
    if model.vae is None:
        return _table(model, None, random, block, BLOCK)
    choice = torch.from_numpy(strata(random, 1, BLOCK)[0])
    noise = torch.from_numpy(ndtri(strata(random, model.vae.shape.latent, BLOCK)).T.copy())
    with torch.no_grad():
        z = model.vae.prior.draw(choice, noise)
    rows = _drawn(model.vae, z, random)
    if rows is not None and model.shrinkage.share:
        rows = model.normalization.taken_apart(rows, model.shrinkage.share, stream(seed, "apart", block))
    return _table(model, rows, random, block, BLOCK)


def _drawn(vae: VAE | None, z: Tensor, random: np.random.Generator) -> Rows | None:
    """Rows drawn from p(x|z), at most a block of them."""
    return None if vae is None else generate(vae, z, _noise(vae, random, len(z)))


def _noise(vae: VAE, random: np.random.Generator, rows: int) -> Draws:
    """The noise of the first `rows` of a block. It is drawn for the whole block, whatever the number of rows."""
    layout = vae.layout
    uniform = torch.from_numpy(strata(random, len(layout), BLOCK)[:, :rows])
    normals = sum(variable.normals for variable in layout.variables)
    return Draws(uniform, torch.from_numpy(random.standard_normal((normals, BLOCK), dtype=np.float32)[:, :rows]))


def _table(model: Fitted, rows: Rows | None, random: np.random.Generator, block: int, count: int) -> pa.Table:
    """Turn the rows of a block into a table."""
    index = np.arange(block * BLOCK, (block + 1) * BLOCK)
    return model.normalization.decode(rows, random, index, count)
