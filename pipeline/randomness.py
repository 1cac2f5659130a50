"""Named, counter-based random streams.

All randomness comes from `stream(seed, *path)`: a Philox generator (Salmon et al. 2011, "Parallel random
numbers: as easy as 1, 2, 3") whose 128-bit key is the hash of the seed and of a path of names and numbers,
such as `stream(seed, "generate", block)`. Equal arguments give equal streams on any machine, in any order;
different arguments give independent ones. Nothing reads or sets a global random state.
"""

import hashlib

import numpy as np


def key(seed: int, *path: str | int) -> int:
    """The 128-bit key of a stream, as an integer."""
    text = "\x1f".join([str(int(seed)), *(f"{type(part).__name__}:{part}" for part in path)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """The random stream that belongs to `seed` and `path`."""
    return np.random.Generator(np.random.Philox(key=key(seed, *path)))


def torch_seed(seed: int, *path: str | int) -> int:
    """A 63-bit seed for a `torch.Generator`, drawn from the same tree of names."""
    return key(seed, *path) & (2**63 - 1)
