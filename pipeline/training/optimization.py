"""The only training loop.

It maximises the ELBO with AdamW, or another optimizer, on a one-cycle learning rate (Smith & Topin 2018). Validation
uses a running mean of the weights that looks back over a fixed share of the steps (polynomial-decay averaging: Shamir &
Zhang 2013). At the same validation ELBO, the mean has learned less by heart than any single iterate. A mean is kept if
its validation ELBO is higher than that of the one kept before by more than `MARGIN` standard errors (after the one-
standard-error rule of Breiman et al. 1984): the last gains are small, and bought with rows learned by heart. When no
mean is kept any more, or the cycle is nearly over, training returns to the kept one and *settles*: a few steps at a low
rate in which nothing is dropped or blanked, so that the end is trained as rows are generated.
`pipeline.training.ending` does the rest. The size of the table fixes the number of steps, so that a seed reproduces a
training. A time limit can only shorten it. Then the rate falls to its end in the remaining time.
"""

import math
import time
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from pipeline.errors import ResynthError
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE, Terms
from pipeline.progress import Progress, Tick, silent
from pipeline.randomness import stream, torch_seed
from pipeline.threads import one_thread
from pipeline.training import ending
from pipeline.training.feed import Feed
from pipeline.training.gaps import EVERY, Gaps
from pipeline.training.history import Epoch
from pipeline.training.recipe import Recipe
from pipeline.training.schedules import OPTIMIZERS, SCHEDULES, device_of, warmed

MEMORY = 8.0
"""How short the memory of the mean is: step t enters it with weight (MEMORY + 1) / (t + MEMORY)."""
MARGIN = 0.5
"""By how many standard errors a validation ELBO must exceed that of the weights kept before."""
LEAST_STEPS = 300
"""Earlier weights are never the best: until this step a network has learned columns, but hardly their dependence."""
_INSTANT = 0.01
"""Share of the time limit before which the clock is ignored, so that very short trainings depend on steps only."""


@one_thread()
@torch.random.fork_rng()  # dropout has no generator argument; this restores the global random state
def train(
    model: VAE, feed: Feed, validation: Rows, recipe: Recipe, *, seed: int, progress: Progress = silent
) -> tuple[Epoch, ...]:
    """Fit `model` in place. It settles when nothing was kept for `recipe.patience` epochs.

    Args:
        model: The VAE, on the CPU. It is moved to the device and back.
        feed: Training rows.
        validation: Rows held out to choose when to stop. If there are none, every epoch is trained.
        recipe: All numbers of the training.
        seed: Fixes order, noise and dropout.
        progress: Receives a tick per step.

    Returns:
        The history: one record per epoch, and one for the settling.

    Raises:
        ResynthError: The gradient is not finite.
        SettingsError: This machine has no such device.
    """
    device = device_of(recipe.device)
    torch.manual_seed(torch_seed(seed, "dropout"))
    model.to(device).train()
    feed, validation = feed.to(device), validation.to(device)
    run = _Run(model, feed, recipe, seed)
    history: list[Epoch] = []
    kept = _Kept(-math.inf, 0, model.state_dict())
    while not run.learned and len(history) - kept.epoch < recipe.patience:
        trained = run.epoch(progress)
        held = validate(run.mean, validation, seed=seed) if len(validation) else Held(*trained, -math.inf)
        history.append(run.record(len(history), trained, held))
        kept = _better(kept, run, history[-1], held.error)
    model.load_state_dict(kept.weights)
    trained = run.settle(progress)
    held = validate(model, validation, seed=seed) if len(validation) else Held(*trained, 0.0)
    history.append(run.record(len(history), trained, held))
    model.eval()
    ending.refit_prior(model, feed, until=run.began + (run.limit + recipe.time_limit) / 2, seed=seed)
    ending.fit_marginals(model, feed, seed=seed)
    model.to("cpu")
    progress(Tick("train", 1, 1, {"validation_elbo": history[-1].validation_elbo}))
    return tuple(history)


class Held(NamedTuple):
    """Held-out rows under a model, in nats per row.

    Attributes:
        reconstruction: Mean log p(x|z).
        kl: Mean KL.
        error: Standard error of the ELBO over rows.
    """

    reconstruction: float
    kl: float
    error: float


@torch.no_grad()
def validate(model: VAE, rows: Rows, *, seed: int) -> Held:
    """The terms of the ELBO of `rows`, with one z per row, which is the same in every call."""
    model.eval()
    generator = torch.Generator().manual_seed(torch_seed(seed, "validation"))
    parts = []
    for part in rows.parts():
        noise = torch.randn(len(part), model.shape.latent, generator=generator).to(part.device)
        terms = model(part, noise, beta=1.0, free_bits=0.0)
        parts.append(torch.stack([terms.reconstruction, terms.kl]).double())
    model.train()
    reconstruction, kl = torch.cat(parts, 1)
    deviation = float((reconstruction - kl).std(correction=0))
    return Held(float(reconstruction.mean()), float(kl.mean()), deviation / math.sqrt(len(rows)))


class _Kept(NamedTuple):
    """The weights to which training returns, their validation ELBO and the number of epochs that led to them."""

    elbo: float
    epoch: int
    weights: Mapping[str, Tensor]


def _better(kept: _Kept, run: "_Run", last: Epoch, error: float) -> _Kept:
    """The weights to keep after an epoch. The last weights, if there is nothing to compare yet."""
    known = run.step >= LEAST_STEPS
    if known and last.validation_elbo <= kept.elbo + MARGIN * error:
        return kept
    weights = {name: value.clone() for name, value in run.mean.state_dict().items()}
    return _Kept(last.validation_elbo if known else -math.inf, last.epoch + 1, weights)


class _Run:
    """Optimizer, schedule and random streams of one training."""

    def __init__(self, model: VAE, feed: Feed, recipe: Recipe, seed: int) -> None:
        self.model, self.feed, self.recipe, self.seed = model, feed, recipe, seed
        self.optimizer = OPTIMIZERS[recipe.optimizer](_groups(model, recipe.weight_decay), recipe.rate)
        self.noise = torch.Generator().manual_seed(torch_seed(seed, "posterior"))
        self.gaps = Gaps(model.layout, seed)
        self.averaged = AveragedModel(model, avg_fn=_recent)
        self.steps = recipe.epochs * max(1, len(feed) // recipe.batch)
        self.step = 0
        self.began = time.monotonic()
        self.limit = recipe.time_limit - min(ending.SECONDS, ending.MOST_SHARE * recipe.time_limit)
        self.rate = 0.0
        self.seen = 0.0, 0.0  # reconstruction and KL of the latest rows without gaps

    @property
    def mean(self) -> VAE:
        """The network with the running mean of the weights."""
        model = self.averaged.module
        assert isinstance(model, VAE)
        return model

    @property
    def done(self) -> float:
        """Place in the cycle, in [0, 1], by steps or by time, whichever is further. The first instants do not count."""
        spent = (time.monotonic() - self.began) / self.limit
        position = self.step / self.steps
        return min(1.0, position if spent < _INSTANT else max(position, spent))

    @property
    def learned(self) -> bool:
        """Whether the steps or the time before settling are used up."""
        return self.done >= self.recipe.settling.learning

    def epoch(self, progress: Progress) -> tuple[float, float]:
        """Train on every row once, or until settling is due. Returns mean reconstruction and KL of the rows."""
        sums = _Sums(progress)
        for batch in self._batches():
            done = self.done
            self._count(sums, batch, SCHEDULES[self.recipe.schedule](done), done, done)
            self.averaged.update_parameters(self.model)
            if self.learned:
                break
        return self._means(sums)

    def settle(self, progress: Progress) -> tuple[float, float]:
        """Train as rows are generated, for a share of the steps or of the time. Returns reconstruction and KL."""
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        settling = self.recipe.settling
        sums, steps = _Sums(progress), max(1, round(settling.length * self.step))
        batches = chain.from_iterable(iter(self._batches, None))
        for k, batch in enumerate(islice(batches, steps)):
            left = 1 - k / steps
            self._count(sums, batch, settling.rate * left, 1.0, 1 - (1 - settling.learning) * left)
            if time.monotonic() - self.began >= self.limit:
                break
        return self._means(sums)

    def record(self, number: int, trained: tuple[float, float], held: Held) -> Epoch:
        """The record of an epoch, from reconstruction and KL of training and validation rows."""
        return Epoch(
            epoch=number,
            seconds=time.monotonic() - self.began,
            learning_rate=self.rate,
            reconstruction=trained[0],
            kl=trained[1],
            elbo=trained[0] - trained[1],
            validation_reconstruction=held.reconstruction,
            validation_kl=held.kl,
            validation_elbo=held.reconstruction - held.kl,
        )

    def _count(self, sums: "_Sums", batch: Rows, share: float, done: float, shown: float) -> None:
        """Make one step, now and then on rows with gaps, and count its batch; see `_step` and `_Sums.add`."""
        gaps = self.step % EVERY == EVERY - 1
        sums.add(self._step(self.gaps.hide(batch) if gaps else batch, share, done), shown, whole=not gaps)

    def _means(self, sums: "_Sums") -> tuple[float, float]:
        """Nats per row. If all batches had gaps, those of the latest batches without gaps."""
        self.seen = sums.means if sums.count else self.seen
        return self.seen

    def _batches(self) -> Iterator[Rows]:
        """All rows in a random order, a batch at a time."""
        return self.feed.batches(self.recipe.batch, stream(self.seed, "order", self.step))

    def _step(self, batch: Rows, share: float, done: float) -> Terms:
        """Take one step at a share of the peak rate, when the share `done` of the cycle is over."""
        recipe = self.recipe
        self.rate = recipe.rate * share
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        noise = torch.randn(len(batch), recipe.shape.latent, generator=self.noise).to(batch.device)
        beta = recipe.beta * warmed(done, recipe.warmup, recipe.annealing)
        terms: Terms = self.model(batch, noise, beta=beta, free_bits=recipe.free_bits)
        self.optimizer.zero_grad(set_to_none=True)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip)
        if not torch.isfinite(norm):
            raise ResynthError(f"training diverged at step {self.step}: the gradient is not finite; lower the rate")
        self.optimizer.step()
        self.step += 1
        return terms


class _Sums:
    """Sums of reconstruction and KL of the training rows, and a tick for each batch."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.sums, self.count = progress, torch.zeros(2, dtype=torch.float64), 0

    def add(self, terms: Terms, done: float, *, whole: bool) -> None:
        """Count a batch, if its rows have no gaps. `done` is the share of the training that is over."""
        if whole:
            self.sums += torch.stack([terms.reconstruction.detach().sum(), terms.kl.detach().sum()]).double().cpu()
            self.count += len(terms.kl)
        reconstruction, kl = self.means
        self.progress(Tick("train", done, 1, {"elbo": reconstruction - kl}))

    @property
    def means(self) -> tuple[float, float]:
        """Reconstruction and KL in nats per row."""
        reconstruction, kl = (self.sums / max(1, self.count)).tolist()
        return reconstruction, kl


def _recent(mean: Tensor, weight: Tensor, steps: Tensor | int) -> Tensor:
    """The mean after another step, weighted as in Shamir & Zhang (2013, section 4)."""
    return torch.lerp(mean, weight, (MEMORY + 1) / (steps + 1 + MEMORY))


def _groups(model: VAE, weight_decay: float) -> list[dict[str, object]]:
    """The parameters grouped by weight decay, in the form that optimizers take."""
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for parameter, share in model.decays():
        groups.setdefault(share, []).append(parameter)
    return [{"params": own, "weight_decay": share * weight_decay} for share, own in groups.items()]
