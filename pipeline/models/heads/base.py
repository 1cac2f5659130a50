"""The base of heads. A head is one sort of variable inside the network.

The network knows only widths. Between it and the variables of a sort stands a head, which

- *reads* values: an `Reader` turns each value into a vector of the network's width;
- *generates* values: a `Likelihood` turns the own state of each variable into log-probabilities and draws;
- *inherits*: when a table has grown, its modules start from those of the ancestor's head.

In training, a head serves all its variables at once, so that no variable needs a Python call. In generation, it serves
one variable at a time. To add a sort, write a head and add it to `pipeline.models.heads.HEADS`.
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
"""Parameters, each with its weight decay relative to the one in the settings."""


class Reader(nn.Module, ABC):
    """How the network reads the variables of a sort: the embeddings E_i(x_i)."""

    @abstractmethod
    def forward(self, values: Tensor) -> Tensor:
        """Embeddings [variables, rows, width] of values [rows, variables, …]."""

    @abstractmethod
    def single(self) -> Read:
        """A function that embeds one variable at a time, with the current weights."""

    @abstractmethod
    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""


class Likelihood(nn.Module, ABC):
    """The likelihood of the variables of a sort under the decoder: p(x_j | own state of j)."""

    @abstractmethod
    def log_prob(self, states: Tensor, values: Tensor) -> Tensor:
        """log p of values [rows, variables, …] in nats, [variables, rows].

        Args:
            states: Own states in the order of `Head.order`, [variables, rows, hidden].
            values: The values, in the order of the variables.
        """

    @abstractmethod
    def draw(self, k: int, state: Tensor, uniform: Tensor, normal: Tensor, limit: Tensor | None = None) -> Tensor:
        """Draw values of the k-th variable, [rows, …].

        Args:
            k: Index of the variable in its sort.
            state: Its own state, [rows, hidden].
            uniform: Numbers in [0, 1), [rows].
            normal: Standard normals, [`Variable.normals`, rows].
            limit: The allowed values, in the form that the head's class defines. None for no limit.
        """

    @abstractmethod
    def log_mass(self, k: int, state: Tensor, limit: Tensor) -> Tensor:
        """log P(value of the k-th variable within `limit`) in nats, [rows]."""

    @abstractmethod
    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""

    def match_marginal(self, k: int, states: Sequence[Tensor], tally: Tensor) -> None:
        """Match the marginal of the k-th variable over `states` to that of the training rows, if a bias can.

        Args:
            k: Index of the variable in its sort.
            states: Its own states in generated rows, each [rows, hidden].
            tally: The `Head.tally` of the training rows.
        """


class Modules(NamedTuple):
    """The modules that a head has made for one network."""

    encoder: Reader
    decoder: Reader
    likelihood: Likelihood


@dataclass(frozen=True)
class Legacy:
    """What a variable inherits.

    Attributes:
        source: Its index in its sort in the ancestor. None for a new variable.
        origin: The origins of its symbols.
        values: Its values in the new training rows, [rows, …].
    """

    source: int | None
    origin: Origin
    values: Tensor


class Head(ABC):
    """One sort of variable inside the network. A head has no state: its methods make and connect modules."""

    @abstractmethod
    def order(self, variables: Sequence[Variable]) -> tuple[int, ...]:
        """Indices of the variables of the sort. Variables that are computed together are neighbours."""

    @abstractmethod
    def reader(self, variables: Sequence[Variable], width: int, among: int) -> Reader:
        """Make a reader that embeds values as vectors of `width`. A row sums `among` such vectors."""

    @abstractmethod
    def likelihood(self, variables: Sequence[Variable], shape: Shape) -> Likelihood:
        """Make a likelihood."""

    @abstractmethod
    def inherit(self, new: Modules, old: Modules | None, legacies: Sequence[Legacy]) -> None:
        """Let the modules of a grown table start from those of its ancestor.

        Args:
            new: The modules to change.
            old: The ancestor's modules. None if it had no variable of the sort.
            legacies: One legacy for each variable.
        """

    @abstractmethod
    def tally(self, variable: Variable, values: Tensor) -> Tensor:
        """Count what calibration needs of the values [rows, …] of a variable. Tallies of shards add up."""

    @abstractmethod
    def nats(self, tally: Tensor) -> float:
        """The marginal entropy of a variable with this tally, in nats per row."""

    @abstractmethod
    def check(self, variable: Variable, limit: Tensor) -> None:
        """Check a limit of a variable.

        Raises:
            SettingsError: It leaves no value that can be generated, in some row.
        """

    def blank(self, variables: Sequence[Variable], rows: int, device: torch.device) -> Tensor:
        """Values that are not drawn yet, all 0, [rows, variables, …]."""
        return torch.from_numpy(np.zeros((rows, len(variables)), variables[0].dtype)).to(device)
