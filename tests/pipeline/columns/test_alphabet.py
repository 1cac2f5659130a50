"""Alphabets: bounded, complete, and fair to heavy values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.columns.alphabet import Alphabet, partition

COUNTS = st.lists(st.integers(1, 1000), min_size=1, max_size=3000).map(np.asarray)


@given(COUNTS, st.sampled_from([8, 64, 128]), st.sampled_from([1, 5]))
def test_an_alphabet_is_a_bounded_partition(counts, width, leaf_rows):
    """Leaves cover every value once, in order; cells and leaves of a cell never exceed the width."""
    alphabet = Alphabet.fit(counts, width=width, leaf_rows=leaf_rows)
    assert alphabet.starts[0] == 0
    assert (np.diff(alphabet.starts) > 0).all()
    assert alphabet.size <= width
    assert alphabet.leaves.max() <= width
    leaf = np.arange(len(alphabet.starts))
    assert (alphabet.leaf(*alphabet.symbols(leaf)) == leaf).all()


def test_few_values_are_exact():
    """If there are at most as many values as symbols, each has one cell."""
    assert partition(np.array([5, 1, 900, 3]), 4, 1).tolist() == [0, 1, 2, 3]


def test_heavy_values_stand_alone_and_the_rest_is_shared_fairly():
    """A value with most of the mass has a cell of its own; no light cell has over four times its equal share."""
    counts = np.ones(10_000, dtype=int)
    counts[5_000] = 50_000
    starts = partition(counts, 128, 1)
    assert {5_000, 5_001} <= set(starts)
    masses = np.add.reduceat(counts, starts)
    assert np.sort(masses)[-2] < 4 * 10_000 / 128


def test_memory_does_not_follow_cardinality():
    """A million distinct values still need at most width² leaves."""
    alphabet = Alphabet.fit(np.ones(1_000_000, dtype=int), width=128, leaf_rows=1)
    assert len(alphabet.starts) <= 128**2
