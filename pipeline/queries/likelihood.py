"""The likelihood of single rows, and of a cell given the other cells of its row.

z is drawn at the same points for every row: `DRAWS` standard normals in pairs of opposite sign. So a value is a
function of the model and the row alone, whatever stands beside it. A cell that the network cannot see is unknown: a
label or a null that training lacked, and columns that are left out.

*Agreement* is how much better the joint model explains a row than its columns alone do,

    log p(x) − Σ_j log p(x_j)        (the pointwise total correlation; Watanabe 1960),

where log p(x) is the importance-weighted bound (Burda et al. 2016). It does not depend on how a number is cut into
cells, and it is low where values are ordinary one by one but do not go together.
"""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.columns.variables import Discrete
from pipeline.models.heads import HEADS
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE, gaussian_log_prob
from pipeline.normalization import Normalization
from pipeline.randomness import stream

DRAWS = 4
"""Draws of z for each row."""
_PSEUDO = 0.5
"""Rows that are added to the count of every symbol."""


class Likelihoods(NamedTuple):
    """The likelihood of rows in nats.

    Attributes:
        bound: The importance-weighted bound on log p(x), [rows].
        alone: Σ_j log p(x_j) of the columns alone, [rows].
    """

    bound: NDArray[np.float64]
    alone: NDArray[np.float64]

    @property
    def agreement(self) -> NDArray[np.float64]:
        """How much better the joint model explains each row than its columns alone, [rows]."""
        return self.bound - self.alone


class CellLikelihood:
    """Scores rows in normal form.

    Args:
        vae: The network.
        normalization: Which variable belongs to which column.
        own: Generated rows, which give the marginal of each variable.
        without: Columns that are left out.
    """

    def __init__(self, vae: VAE, normalization: Normalization, own: Rows, without: Collection[str]) -> None:
        self.vae, self.normalization = vae, normalization
        self.usable = normalization.known(without)
        self.marginals = [self._marginal(i, own) for i in range(len(vae.layout))]
        random = stream(0, "likelihood")
        half = random.standard_normal((DRAWS // 2, vae.shape.latent), dtype=np.float32)
        self.noise = torch.from_numpy(np.concatenate([half, -half]))

    @torch.no_grad()
    def rows(self, rows: Rows) -> Likelihoods:
        """The likelihood of each row."""
        bounds, alone = [], []
        for part in self.known(rows).parts():
            weights, cells = self._weights(part)
            bounds.append(torch.logsumexp(weights, 0) - math.log(DRAWS))
            alone.append((self._alone(part) * (cells != 0)).sum(0))
        return Likelihoods(*(torch.cat(found).double().numpy() for found in (bounds, alone)))

    @torch.no_grad()
    def surprise(self, rows: Rows, own: Sequence[int]) -> NDArray[np.float64]:
        """log p(x_j) − log p(x_j | the other cells): how much less likely a column is beside the others, [rows].

        Args:
            rows: The rows.
            own: The variables of the column.
        """
        found = []
        place = torch.tensor(own)
        for part in self.known(rows).parts():
            assert part.known is not None
            hidden = part.known.clone()
            hidden[:, place] = 0
            mean, log_variance = self.vae.encoder(part.knowing(hidden))
            cells = [
                self.vae.log_likelihood(mean + noise * (0.5 * log_variance).exp(), part)[place].sum(0)
                for noise in self.noise
            ]
            beside = torch.logsumexp(torch.stack(cells), 0) - math.log(DRAWS)
            found.append(self._alone(part)[place].sum(0) - beside)
        return np.asarray(torch.cat(found).double().numpy())

    def known(self, rows: Rows) -> Rows:
        """The rows, with cells that the network has never seen marked as unknown."""
        known = self.usable.expand(len(rows), -1).clone()
        for i, variable in enumerate(self.vae.layout.variables):
            if isinstance(variable, Discrete) and not variable.missing and variable.applies is None:
                strange = rows.values[variable.sort][:, self.vae.layout.places[i]] == 0
                owner = self.normalization.owners[i]
                beside = torch.tensor([other == owner for other in self.normalization.owners])
                known[strange.unsqueeze(1) & beside] = 0
        return rows.knowing(known)

    def _weights(self, part: Rows) -> tuple[Tensor, Tensor]:
        """log p(x, z)/q(z|x) for each draw of z, [draws, rows]; log p(x_j|z, x_<j) at the last, [variables, rows]."""
        mean, log_variance = self.vae.encoder(part)
        weights, cells = [], mean
        for noise in self.noise:
            z = mean + noise * (0.5 * log_variance).exp()
            cells = self.vae.log_likelihood(z, part)
            log_q = gaussian_log_prob(noise.expand_as(mean), log_variance)
            weights.append(cells.sum(0) + self.vae.prior.log_prob(z) - log_q)
        return torch.stack(weights), cells

    def _alone(self, part: Rows) -> Tensor:
        """log p(x_j) of each variable alone, 0 where it is unknown, [variables, rows]."""
        layout = self.vae.layout
        found = []
        for i, (variable, marginal) in enumerate(zip(layout.variables, self.marginals, strict=True)):
            values = part.values[variable.sort][:, layout.places[i]]
            discrete = isinstance(variable, Discrete)
            found.append(marginal[values] if discrete else marginal.expand(len(part)))
        assert part.known is not None
        return torch.stack(found) * part.known.T

    def _marginal(self, i: int, own: Rows) -> Tensor:
        """log p of each symbol of a variable; of another sort, minus its entropy."""
        variable = self.vae.layout.variables[i]
        values = own.values[variable.sort][:, self.vae.layout.places[i]]
        if not isinstance(variable, Discrete):
            head = HEADS[variable.sort]
            return torch.tensor(-head.nats(head.tally(variable, values)))
        counts = torch.bincount(values, minlength=variable.size) + _PSEUDO
        if variable.applies is not None:
            counts[0] = _PSEUDO  # where it does not apply, it is 0 and costs nothing
        return (counts / counts.sum()).log()
