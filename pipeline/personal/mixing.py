"""Random numbers and permutations as functions of a seed and a row's index, without state.

`bits` hashes (seed, name, index) to 64 bits (the finalizer of SplitMix64: Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators"). `permuted` is a bijection of [0, size): a few invertible rounds on the next power
of two, repeated for results that fall outside (cycle walking: Black & Rogaway 2002).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.randomness import key

Ints = NDArray[np.int64]
_WORD = 2**64 - 1


def bits(index: Ints, seed: int, name: str) -> NDArray[np.uint64]:
    """64 random bits for each index. Equal arguments give equal bits."""
    start = np.uint64(key(seed, "personal", name) & _WORD)
    z = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def below(index: Ints, size: int, seed: int, name: str) -> Ints:
    """A random number in [0, size) for each index."""
    return (bits(index, seed, name) % np.uint64(size)).astype(np.int64)


def permuted(index: Ints, size: int, seed: int, name: str) -> Ints:
    """The images of indices under a random permutation of [0, size); size is at most 2**62."""
    width = max((size - 1).bit_length(), 1)
    mask, half = np.uint64(2**width - 1), np.uint64(width // 2 + 1)
    numbers = [key(seed, "personal", name, turn) & _WORD for turn in range(3)]
    x = index.astype(np.uint64)
    outside = np.ones(len(x), dtype=bool)
    while outside.any():
        y = x[outside]
        for number in numbers:
            y = ((y + np.uint64(number)) * np.uint64(number | 1)) & mask
            y ^= y >> half
        x[outside] = y
        outside = x >= np.uint64(size)
    return x.astype(np.int64)


def chosen(index: Ints, weights: tuple[int, ...], seed: int, name: str) -> Ints:
    """A random position in `weights` for each index, with probability proportional to the weights."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.int64))
    return np.searchsorted(bounds, below(index, int(bounds[-1]), seed, name), side="right").astype(np.int64)
