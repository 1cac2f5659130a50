"""What follows the last step of a training.

The prior is fitted to the finished encoder by expectation maximisation. Then the marginals of generated rows are
matched to those of the training rows.
"""

import time

import torch

from pipeline.models.generation import Draws, match_marginals
from pipeline.models.priors import Mixture
from pipeline.models.vae import VAE
from pipeline.randomness import stream, torch_seed
from pipeline.training.feed import Feed

SECONDS, MOST_SHARE = 5.0, 0.25
"""Seconds of the time limit that are reserved for the ending, and their largest share of it."""
REFITS = 30
"""Number of steps of expectation maximisation that match the prior to the finished encoder."""
REFIT_ROWS = 65_536
"""Largest number of rows for these steps."""
CALIBRATION_ROWS, CALIBRATION_CELLS = 32_768, 2**22
"""Rows that are generated to calibrate marginals, and a limit on their values, so that it does not take too long: with
more than 128 variables there are fewer rows."""


@torch.no_grad()
def refit_prior(model: VAE, feed: Feed, *, until: float, seed: int) -> None:
    """Match a mixture prior to the posteriors of the training rows. It stops when the clock reaches `until`."""
    if not isinstance(model.prior, Mixture):
        return
    generator = torch.Generator().manual_seed(torch_seed(seed, "prior"))
    parts = [model.encoder(part) for part in feed.sample(REFIT_ROWS, stream(seed, "prior"))]
    for _ in range(REFITS):
        if time.monotonic() > until:
            return
        noises = [torch.randn(mean.shape, generator=generator).to(mean.device) for mean, _ in parts]
        model.prior.refit(m + e * (0.5 * v).exp() for (m, v), e in zip(parts, noises, strict=True))


@torch.no_grad()
def fit_marginals(model: VAE, feed: Feed, *, seed: int) -> None:
    """Match the marginals of generated rows to those of the training rows."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "calibration"))
    device, layout = feed.rows.device, model.layout
    count = min(CALIBRATION_ROWS, max(1024, CALIBRATION_CELLS // len(layout)))
    # evenly spread choices of the prior's component have less noise than independent ones
    choice = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    z = model.prior.draw(choice.to(device), torch.randn(count, model.shape.latent, generator=generator).to(device))
    uniform = torch.rand(len(layout), count, generator=generator).to(device)
    normals = sum(variable.normals for variable in layout.variables)
    normal = torch.randn(normals, count, generator=generator).to(device)
    match_marginals(model, feed.tallies, z, Draws(uniform, normal))
