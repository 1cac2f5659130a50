"""What a head is: one sort of variable inside the network.

The network knows widths only. Between it and the variables of a sort stands a head, which

- *reads* values: an `Embedding` turns each into a vector of the network's width;
- *says* values: a `Likelihood` turns the own state of each variable into log-probabilities and draws;
- *passes on* what an ancestor's head had learned to the head of a table that has grown.

A head serves all its variables at once in training, so that no variable costs a Python call, and one variable at a time
in generation. To add a sort, write a head and name it in `pipeline.models.heads.HEADS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.columns.base import Origin
from pipeline.columns.variables import Variable
from pipeline.models.shape import Shape

Read = Callable[[int, Tensor], Tensor]
"""Embeds values [rows, …] of the k-th variable of a sort alone, [rows, width]."""
Decays = Iterator[tuple[nn.Parameter, float]]
"""Parameters, each with its weight decay relative to the one that the settings ask for."""


class Embedding(nn.Module, ABC):
    """How the network reads the variables of a sort: E_i(x_i)."""

    @abstractmethod
    def forward(self, values: Tensor) -> Tensor:
        """Embeddings [variables, rows, width] of values [rows, variables, …]."""

    @abstractmethod
    def reader(self) -> Read:
        """Reads one variable at a time, with the weights as they are now."""

    @abstractmethod
    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""


class Likelihood(nn.Module, ABC):
    """What the decoder says of the variables of a sort: p(x_j | own state of j)."""

    @abstractmethod
    def log_prob(self, states: Tensor, values: Tensor) -> Tensor:
        """log p of values [rows, variables, …] in nats, [variables, rows].

        Args:
            states: Own states in the order of `Head.order`, [variables, rows, hidden].
            values: In the order of the variables.
        """

    @abstractmethod
    def draw(self, k: int, state: Tensor, uniform: Tensor, normal: Tensor, limit: Tensor | None = None) -> Tensor:
        """Values of the k-th variable, [rows, …].

        Args:
            k: Which variable of the sort.
            state: Its own state, [rows, hidden].
            uniform: Numbers in [0, 1), [rows].
            normal: Standard normals, [`Variable.normals`, rows].
            limit: What the values are limited to, in the form that the head's class says; None for no limit.
        """

    @abstractmethod
    def log_mass(self, k: int, state: Tensor, limit: Tensor) -> Tensor:
        """log P(value of the k-th variable within `limit`) in nats, [rows]."""

    @abstractmethod
    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""

    def calibrate(self, k: int, states: Sequence[Tensor], tally: Tensor) -> None:
        """Make the marginal of the k-th variable over `states` that of the training rows, where a bias can.

        Args:
            k: Which variable of the sort.
            states: Its own states where it is generated, each [rows, hidden].
            tally: What `Head.tally` counted of the training rows.
        """


class Modules(NamedTuple):
    """What a head has made for one network."""

    encoder: Embedding
    decoder: Embedding
    likelihood: Likelihood


@dataclass(frozen=True)
class Legacy:
    """What a variable inherits.

    Attributes:
        source: Which variable of the sort in the ancestor it was; None for a new one.
        origin: What its symbols were.
        values: Its values in the rows to come, [rows, …].
    """

    source: int | None
    origin: Origin
    values: Tensor


class Head(ABC):
    """One sort of variable inside the network; stateless, its methods make and connect modules."""

    @abstractmethod
    def order(self, variables: Sequence[Variable]) -> tuple[int, ...]:
        """The variables of the sort, those that are computed together side by side."""

    @abstractmethod
    def embedding(self, variables: Sequence[Variable], width: int, among: int) -> Embedding:
        """A new embedding of vectors of `width`, of which `among` in all are summed up in a row."""

    @abstractmethod
    def likelihood(self, variables: Sequence[Variable], shape: Shape) -> Likelihood:
        """A new likelihood."""

    @abstractmethod
    def inherit(self, new: Modules, old: Modules | None, legacies: Sequence[Legacy]) -> None:
        """Let the modules of a grown table begin as those of its ancestor.

        Args:
            new: The modules to change.
            old: The ancestor's; None where it had no variable of the sort.
            legacies: One for each variable.
        """

    @abstractmethod
    def tally(self, variable: Variable, values: Tensor) -> Tensor:
        """What calibration needs to know of the values [rows, …] of a variable; tallies of shards add up."""

    @abstractmethod
    def nats(self, tally: Tensor) -> float:
        """What a variable of this tally tells by itself, in nats per row: its marginal entropy."""

    def blank(self, variables: Sequence[Variable], rows: int, device: torch.device) -> Tensor:
        """Values not yet drawn, all 0, [rows, variables, …]."""
        return torch.from_numpy(np.zeros((rows, len(variables)), variables[0].dtype)).to(device)
