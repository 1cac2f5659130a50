"""Optimizers, schedules of the learning rate, and annealing of the weight of the KL, by name."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch

from pipeline.errors import SettingsError

CYCLES = 4
"""Number of cycles of cyclical annealing. In each, β starts again from 0."""


def one_cycle(done: float, rise: float = 0.1, start: float = 0.05, end: float = 1e-3) -> float:
    """Learning rate relative to its peak when the share `done` is over: up until `rise`, then down, by cosines."""
    if done < rise:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * done / rise))
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (done - rise) / (1 - rise)))


OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "adam": partial(torch.optim.Adam, fused=True),
    "nadam": torch.optim.NAdam,
    "sgd": partial(torch.optim.SGD, momentum=0.9),
}
"""Optimizers by name, called with parameter groups and the rate."""
SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "one-cycle": one_cycle,
    "cosine": partial(one_cycle, rise=0.0),
    "constant": lambda done: 1.0,  # noqa: ARG005
}
"""Learning rate relative to its peak, given the share of the training that is over."""


def warmed(done: float, warmup: float, annealing: Literal["linear", "cyclical"]) -> float:
    """Weight of the KL relative to β when the share `done` of the training is over. It rises during `warmup`."""
    place = done if annealing == "linear" else done * CYCLES % 1
    return min(1.0, place / warmup) if warmup else 1.0


def device_of(name: str) -> torch.device:
    """The device called `name`. "auto" is the GPU if there is one.

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
