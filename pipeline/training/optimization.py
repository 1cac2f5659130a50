"""The only training loop.

Maximises the ELBO with AdamW on a one-cycle rate (Smith & Topin 2018). What validation judges, and what is kept, is a
running mean of the weights that looks back over a fixed share of the steps taken (polynomial-decay averaging: Shamir &
Zhang 2013): at the same validation ELBO it has learned less by heart than any single iterate. Once the mean no longer
improves, or the cycle is nearly over, training goes back to the best mean and *settles*: a few steps at a low rate in
which nothing is dropped or blanked, so that the end is trained as rows are generated. Last, the prior is fitted to the
finished encoder by expectation maximisation, and the marginals of generated rows are calibrated. The length of a
training is a number of steps fixed by the size of the table, so that a seed reproduces it; a time limit only shortens
it, and the rate then falls to its end in the time that is left.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from pipeline.errors import ResynthError, SettingsError
from pipeline.models.priors import Mixture
from pipeline.models.vae import VAE, Terms
from pipeline.progress import Progress, Tick, silent
from pipeline.randomness import stream, torch_seed
from pipeline.records import Record
from pipeline.settings import TrainingSettings
from pipeline.threads import one_thread

CYCLES = 4
"""Times that cyclical annealing starts β anew."""
MEMORY = 8.0
"""How short the memory of the mean is: step t enters it with weight (MEMORY + 1) / (t + MEMORY)."""
LEAST_PATIENCE = 5
"""Fewest epochs that a better validation ELBO is waited for."""
LEAST_STEPS = 300
"""Steps before which no weights are the best: until then a network has learned columns, but hardly what joins them."""
ENDING, MOST_ENDING = 5.0, 0.25
"""Seconds of the time limit that are kept for the refit of the prior and the calibration, and their largest share."""
SYMBOLS = 5.0
"""Weight decay of what belongs to one symbol alone, relative to that of what many symbols share."""
REFITS = 30
"""Steps of expectation maximisation that match the prior to the finished encoder."""
REFIT_ROWS = 65_536
"""Most rows used for that."""
CALIBRATION_ROWS, CALIBRATION_CELLS = 32_768, 2**22
"""Rows generated to calibrate marginals, and values: of more than 128 variables fewer rows, lest it take too long."""
PART_ROWS, PART_VALUES = 2048, 2**17
"""Rows, and values, that are looked at together where no gradient is needed."""
_INSTANT = 0.01
"""Share of the time limit in which the clock has no say, so that only steps count in a training that keeps to it."""


class Settling(NamedTuple):
    """How training ends.

    Attributes:
        length: Steps relative to those taken before.
        rate: The rate that they begin at relative to the peak; it falls to 0.
    """

    length: float = 0.1
    rate: float = 0.1

    @property
    def learning(self) -> float:
        """Share of the cycle that leaves room for them."""
        return 1 / (1 + self.length)


SETTLING = Settling()
"""Of a training from nothing."""


class Epoch(Record):
    """What one epoch brought; all but seconds and rate in nats per row."""

    epoch: int
    seconds: float
    learning_rate: float
    reconstruction: float
    kl: float
    elbo: float
    validation_reconstruction: float
    validation_kl: float
    validation_elbo: float


class Rows(NamedTuple):
    """Encoded rows: symbols [rows, D] as int64 and reals [rows, R] as float32."""

    codes: Tensor
    reals: Tensor

    def take(self, index: NDArray[np.int64] | slice) -> "Rows":
        """The rows at `index`."""
        where = torch.from_numpy(index) if isinstance(index, np.ndarray) else index
        return Rows(self.codes[where], self.reals[where])

    def parts(self, order: NDArray[np.int64] | None = None) -> Iterator["Rows"]:
        """All rows, or those at `order`, so many at a time that a network without gradients needs little memory."""
        variables = self.codes.shape[1] + self.reals.shape[1]
        size = min(PART_ROWS, max(PART_ROWS // 8, PART_VALUES // max(1, variables)))
        for start in range(0, len(self) if order is None else len(order), size):
            part = slice(start, start + size)
            yield self.take(part if order is None else order[part])

    def to(self, device: torch.device) -> "Rows":
        """The rows on `device`."""
        return Rows(self.codes.to(device), self.reals.to(device))

    def __len__(self) -> int:
        return len(self.codes)


@one_thread()
@torch.random.fork_rng()  # dropout has no generator argument: whoever draws after us draws as before
def train(
    model: VAE,
    rows: Rows,
    validation: Rows,
    settings: TrainingSettings,
    *,
    epochs: int,
    batch: int,
    seed: int,
    settling: Settling = SETTLING,
    progress: Progress = silent,
) -> tuple[Epoch, ...]:
    """Fit `model` in place; a gain in validation ELBO must come within `patience` epochs, or training settles.

    Args:
        model: The VAE, on the CPU; it is moved to the device and back.
        rows: Training rows.
        validation: Rows held out to choose when to stop; may be empty, then every epoch is trained.
        settings: See `TrainingSettings`; its `epochs` and `batch` are resolved by the caller, and its `free_bits` and
            `weight_decay` where they are not 0.
        epochs: Passes over `rows`.
        batch: Rows of a step.
        seed: Fixes order, noise and dropout.
        settling: How it ends.
        progress: Receives a tick per step.

    Returns:
        The history, one record per epoch, and one of the settling.

    Raises:
        ResynthError: The loss is no longer finite.
    """
    device = device_of(settings.device)
    torch.manual_seed(torch_seed(seed, "dropout"))
    model.to(device).train()
    rows, validation = rows.to(device), validation.to(device)
    run = _Run(model, rows, settings, settling, epochs=epochs, batch=min(batch, len(rows)), seed=seed)
    history: list[Epoch] = []
    patience = max(LEAST_PATIENCE, epochs // 10) if settings.patience is None else settings.patience
    best = _Best(-math.inf, 0, model.state_dict())
    while not run.learned and len(history) - best.epoch < patience:
        trained = run.epoch(progress)
        held = evaluate(run.mean, validation, seed=seed) if len(validation) else trained
        history.append(run.record(len(history), trained, held))
        known = run.step >= LEAST_STEPS
        if not known or history[-1].validation_elbo > best.elbo or not len(validation):
            weights = {name: value.clone() for name, value in run.mean.state_dict().items()}
            best = _Best(history[-1].validation_elbo if known else -math.inf, len(history), weights)
    model.load_state_dict(best.weights)
    trained = run.settle(progress)
    held = evaluate(model, validation, seed=seed) if len(validation) else trained
    history.append(run.record(len(history), trained, held))
    model.eval()
    _refit_prior(model, rows, until=run.began + (run.limit + settings.time_limit) / 2, seed=seed)
    _calibrate(model, rows, seed=seed)
    model.to("cpu")
    progress(Tick("train", 1, 1, {"validation_elbo": history[-1].validation_elbo}))
    return tuple(history)


@torch.no_grad()
def evaluate(model: VAE, rows: Rows, *, seed: int) -> tuple[float, float]:
    """Mean reconstruction log p(x|z) and mean KL of `rows` in nats, one z per row, the same at every call."""
    model.eval()
    generator = torch.Generator().manual_seed(torch_seed(seed, "validation"))
    sums = np.zeros(2)
    for part in rows.parts():
        noise = torch.randn(len(part), model.shape.latent, generator=generator).to(part.codes.device)
        terms = model(part.codes, part.reals, noise, beta=1.0, free_bits=0.0)
        sums += float(terms.reconstruction.sum()), float(terms.kl.sum())
    model.train()
    reconstruction, kl = sums / len(rows)
    return float(reconstruction), float(kl)


@torch.no_grad()
def _refit_prior(model: VAE, rows: Rows, *, until: float, seed: int) -> None:
    """Match the prior to what the finished encoder says of the training rows, by expectation maximisation."""
    if not isinstance(model.prior, Mixture):
        return
    generator = torch.Generator().manual_seed(torch_seed(seed, "prior"))
    order = stream(seed, "prior").permutation(len(rows))[:REFIT_ROWS]
    parts = [model.encoder(*part) for part in rows.parts(order)]
    for _ in range(REFITS):
        if time.monotonic() > until:
            return
        noises = [torch.randn(mean.shape, generator=generator).to(mean.device) for mean, _ in parts]
        model.prior.refit(m + e * (0.5 * v).exp() for (m, v), e in zip(parts, noises, strict=True))


@torch.no_grad()
def _calibrate(model: VAE, rows: Rows, *, seed: int) -> None:
    """Match the marginals of generated rows to those of the training rows."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "calibration"))
    device, layout = rows.codes.device, model.layout
    count = min(CALIBRATION_ROWS, max(1024, CALIBRATION_CELLS // len(layout)))
    # evenly spread choices of the prior's component: less noise than independent ones
    choice = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    z = model.prior.draw(
        choice.to(device), torch.randn(len(choice), model.shape.latent, generator=generator).to(device)
    )
    uniform = torch.rand(len(layout), len(choice), generator=generator).to(device)
    noise = torch.randn(len(layout.real), len(choice), generator=generator).to(device)
    counts = [torch.bincount(rows.codes[:, k], minlength=size).float() for k, size in enumerate(layout.sizes)]
    model.calibrate(counts, z, uniform, noise)


def device_of(name: str) -> torch.device:
    """The device called `name`; "auto" is the GPU where there is one.

    Raises:
        SettingsError: This machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _, _, number = name.partition(":")
    found = torch.cuda.device_count() if name.startswith("cuda") else 1
    if int(number or 0) >= found:
        raise SettingsError(f"training.device: expected a device of this machine ({found} GPUs), got {name!r}")
    return torch.device(name)


class _Best(NamedTuple):
    """The highest validation ELBO so far, the number of epochs that reached it, and the weights."""

    elbo: float
    epoch: int
    weights: Mapping[str, Tensor]


class _Run:
    """Optimizer, schedule and random streams of one training."""

    def __init__(
        self,
        model: VAE,
        rows: Rows,
        settings: TrainingSettings,
        settling: Settling,
        *,
        epochs: int,
        batch: int,
        seed: int,
    ) -> None:
        self.model, self.rows, self.settings, self.settling = model, rows, settings, settling
        self.seed, self.batch = seed, batch
        self.optimizer = OPTIMIZERS[settings.optimizer](_groups(model, settings.weight_decay or 0.0), settings.rate)
        self.noise = torch.Generator().manual_seed(torch_seed(seed, "posterior"))
        self.averaged = AveragedModel(model, avg_fn=_recent)
        self.per_epoch = max(1, len(rows) // batch)
        self.steps = epochs * self.per_epoch
        self.step = 0
        self.began = time.monotonic()
        self.limit = settings.time_limit - min(ENDING, MOST_ENDING * settings.time_limit)
        self.rate = 0.0

    @property
    def mean(self) -> VAE:
        """The network with the running mean of the weights."""
        model = self.averaged.module
        assert isinstance(model, VAE)
        return model

    @property
    def done(self) -> float:
        """Place in the cycle, in [0, 1], by steps or by time, whichever is further; the first instants do not count."""
        spent = (time.monotonic() - self.began) / self.limit
        position = self.step / self.steps
        return min(1.0, position if spent < _INSTANT else max(position, spent))

    @property
    def learned(self) -> bool:
        """Whether the steps or the time that settling leaves are used up."""
        return self.done >= self.settling.learning

    def epoch(self, progress: Progress) -> tuple[float, float]:
        """Train on every row once, or until all is learned; mean reconstruction and KL on the way."""
        sums = _Sums(progress)
        for batch in self._batches():
            done = self.done
            sums.add(self._step(batch, SCHEDULES[self.settings.schedule](done), done), done)
            self.averaged.update_parameters(self.model)
            if self.learned:
                break
        return sums.means

    def settle(self, progress: Progress) -> tuple[float, float]:
        """Train as rows are generated, for a share of the steps taken or of the time; reconstruction and KL."""
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        sums, steps = _Sums(progress), max(1, round(self.settling.length * self.step))
        batches = chain.from_iterable(iter(self._batches, None))
        for k, batch in enumerate(islice(batches, steps)):
            left = 1 - k / steps
            sums.add(self._step(batch, self.settling.rate * left, 1.0), 1 - (1 - self.settling.learning) * left)
            if time.monotonic() - self.began >= self.limit:
                break
        return sums.means

    def record(self, number: int, trained: tuple[float, float], held: tuple[float, float]) -> Epoch:
        """What an epoch brought, from reconstruction and KL of training and of validation rows."""
        return Epoch(
            epoch=number,
            seconds=time.monotonic() - self.began,
            learning_rate=self.rate,
            reconstruction=trained[0],
            kl=trained[1],
            elbo=trained[0] - trained[1],
            validation_reconstruction=held[0],
            validation_kl=held[1],
            validation_elbo=held[0] - held[1],
        )

    def _batches(self) -> Iterator[Rows]:
        """All rows in a random order, a batch at a time."""
        order = stream(self.seed, "order", self.step).permutation(len(self.rows))
        for k in range(self.per_epoch):
            yield self.rows.take(order[k * self.batch : (k + 1) * self.batch])

    def _step(self, batch: Rows, share: float, done: float) -> Terms:
        """One step at a share of the peak rate, after a share `done` of the cycle."""
        self.rate = self.settings.rate * share
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        noise = torch.randn(len(batch), self.model.shape.latent, generator=self.noise).to(batch.codes.device)
        beta = self.settings.beta * warmed(done, self.settings)
        terms: Terms = self.model(batch.codes, batch.reals, noise, beta=beta, free_bits=self.settings.free_bits or 0.0)
        self.optimizer.zero_grad(set_to_none=True)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        if not torch.isfinite(norm):
            raise ResynthError(f"training diverged at step {self.step}: the gradient is not finite; lower the rate")
        self.optimizer.step()
        self.step += 1
        return terms


class _Sums:
    """Reconstruction and KL of the rows trained on, and a tick for each batch of them."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.sums, self.count = progress, torch.zeros(2, dtype=torch.float64), 0

    def add(self, terms: Terms, done: float) -> None:
        """Count a batch, after which a share `done` of the training is over."""
        self.sums += torch.stack([terms.reconstruction.detach().sum(), terms.kl.detach().sum()]).double().cpu()
        self.count += len(terms.kl)
        reconstruction, kl = self.means
        self.progress(Tick("train", done, 1, {"elbo": reconstruction - kl}))

    @property
    def means(self) -> tuple[float, float]:
        """Nats per row."""
        reconstruction, kl = (self.sums / self.count).tolist()
        return reconstruction, kl


def _recent(mean: Tensor, weight: Tensor, steps: Tensor | int) -> Tensor:
    """The mean after a further step, with the weight that Shamir & Zhang (2013, section 4) give it."""
    return torch.lerp(mean, weight, (MEMORY + 1) / (steps + 1 + MEMORY))


def one_cycle(done: float, rise: float = 0.1, start: float = 0.05, end: float = 1e-3) -> float:
    """Learning rate relative to its peak after a share `done` of the training: up in `rise`, then down, by cosines."""
    if done < rise:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * done / rise))
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (done - rise) / (1 - rise)))


OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "adam": partial(torch.optim.Adam, fused=True),
    "nadam": torch.optim.NAdam,
    "sgd": partial(torch.optim.SGD, momentum=0.9),
}
"""By name, called with parameter groups and the rate."""
SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "one-cycle": one_cycle,
    "cosine": partial(one_cycle, rise=0.0),
    "constant": lambda done: 1.0,  # noqa: ARG005
}
"""Learning rate relative to its peak after a share of the training."""


def warmed(done: float, settings: TrainingSettings) -> float:
    """Weight of the KL relative to β after a share `done` of the training."""
    place = done if settings.annealing == "linear" else done * CYCLES % 1
    return min(1.0, place / settings.warmup) if settings.warmup else 1.0


def _groups(model: VAE, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices, more for what belongs to one symbol; none for biases, norms and the prior."""
    decayed: list[torch.nn.Parameter] = []
    symbols: list[torch.nn.Parameter] = []
    free: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        plain = name.endswith("bias") or "biases" in name or "norm" in name or name.startswith("prior")
        if plain or parameter.ndim < 2:  # noqa: PLR2004
            free.append(parameter)
        else:
            (symbols if "table" in name or name.startswith("softmax.weights") else decayed).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": symbols, "weight_decay": SYMBOLS * weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
