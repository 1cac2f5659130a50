"""Named, counter-based random streams.

All randomness comes from `stream(seed, *path)`: a Philox generator (Salmon et al. 2011, "Parallel random numbers: as
easy as 1, 2, 3"). Its 128-bit key is the hash of the seed and of a path of names and numbers, such as
`stream(seed, "generate", block)`. Equal arguments give equal streams on any machine, in any order. Different arguments
give independent streams. The global random state is never changed.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

BLOCK = 8192
"""Rows of a block, which share a random stream. The size is part of the definition of row i: do not change it."""


def key(seed: int, *path: str | int) -> int:
    """The 128-bit key of a stream, as an integer."""
    text = "\x1f".join([str(int(seed)), *(f"{type(part).__name__}:{part}" for part in path)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """The random stream of `seed` and `path`."""
    return np.random.Generator(np.random.Philox(key=key(seed, *path)))


def torch_seed(seed: int, *path: str | int) -> int:
    """A 63-bit seed for a `torch.Generator`, from the same tree of names."""
    return key(seed, *path) & (2**63 - 1)


def strata(random: np.random.Generator, variables: int, rows: int) -> NDArray[np.float32]:
    """Draw uniform numbers in (0, 1) for each variable, one per stratum, in random order, [variables, rows].

    The strata are `rows` equal intervals. Each number is uniform. Together they are spread more evenly than independent
    ones, and so are the marginals of rows that are made from them (Latin hypercube sampling: McKay, Beckman & Conover
    1979).
    """
    intervals = random.permuted(np.broadcast_to(np.arange(rows, dtype=np.float32), (variables, rows)), axis=1)
    places = (intervals + random.random((variables, rows), dtype=np.float32)) / np.float32(max(rows, 1))
    return places.clip(np.finfo(np.float32).tiny, 1 - np.finfo(np.float32).epsneg)


class Apart(np.random.Generator):
    """A stream for rows that must not depend on each other: `spread` gives them independent numbers."""


def apart(seed: int, *path: str | int) -> Apart:
    """The same stream as `stream`, for rows that must not depend on each other."""
    return Apart(np.random.Philox(key=key(seed, *path)))


def spread(random: np.random.Generator, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw uniform numbers in [0, 1), spread evenly over the rows of each group, [rows].

    Each number is uniform, and a group of m rows has one in each of m equal intervals (`strata`). So a total over rows
    scatters little. A row's number depends on the other rows of its group, unless the stream is `Apart`.

    Args:
        random: The stream.
        groups: The group of each row, from 0. A row of group −1 needs no number, [rows].
    """
    noise = random.random((2, len(groups)))
    if isinstance(random, Apart):
        return np.asarray(noise[0])
    rows = np.flatnonzero(groups >= 0)
    own = groups[rows]
    order = np.argsort(own + noise[0, rows])
    sizes = np.bincount(own, minlength=1)
    rank = np.empty(len(rows))
    rank[order] = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    noise[1, rows] = (rank + noise[1, rows]) / sizes[own]
    return np.asarray(noise[1])
