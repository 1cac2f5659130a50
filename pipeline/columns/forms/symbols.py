"""Symbols of an alphabet as variables: a cell, and a leaf within it if cells have leaves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.alphabet import Alphabet
from pipeline.columns.variables import Discrete, Variable


def alphabet_variables(alphabet: Alphabet, *, nulls: bool) -> tuple[Variable, ...]:
    """The variables of an alphabet. None if nothing varies, and a second one if cells have leaves."""
    if alphabet.size + nulls <= 1 and len(alphabet.cells) <= 1:
        return ()
    first = Discrete(alphabet.size + 1, missing=nulls)
    if len(alphabet.cells) == alphabet.size:
        return (first,)
    spoken = (False, *(bool(leaves > 1) for leaves in alphabet.leaves))
    return (first, Discrete(int(alphabet.leaves.max()) + 1, applies=spoken))


def leaf_of(alphabet: Alphabet, values: tuple[NDArray[Any], ...], rows: int) -> NDArray[np.int64]:
    """Leaf of every row, −1 for null. A column without variables has its only leaf, or none, in every row."""
    if not values:
        return np.full(rows, len(alphabet.cells) - 1, dtype=np.int64)
    first = np.asarray(values[0], dtype=np.int64)
    second = np.asarray(values[1], dtype=np.int64) if len(values) > 1 else np.zeros_like(first)
    return alphabet.leaf(first, second)
