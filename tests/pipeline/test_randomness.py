"""Random streams: named, repeatable, independent."""

import numpy as np
from scipy import stats

from pipeline.randomness import key, strata, stream, torch_seed


def test_equal_names_give_equal_streams():
    """The same seed and path give the same numbers, in any order of use."""
    later = stream(3, "generate", 7).random(5)
    stream(3, "generate", 8).random(100)
    assert np.array_equal(stream(3, "generate", 7).random(5), later)


def test_different_names_give_different_keys():
    """Seed, names, numbers and their grouping all count; "1" is not 1."""
    paths = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", "0"), (0, "a0")]
    assert len({key(*path) for path in paths}) == len(paths)
    assert 0 <= torch_seed(0, "a") < 2**63


def test_neighbouring_blocks_look_independent():
    """Streams of neighbouring blocks are uniform and uncorrelated (each check fails with odds of 1 in 10,000)."""
    a, b = (stream(0, "generate", block).random(20_000) for block in (0, 1))
    assert stats.kstest(a, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(a, b)[0, 1]) < 3.9 / np.sqrt(20_000)


def test_the_numbers_themselves_are_fixed():
    """Rows already handed out stay reproducible: the generator's output is part of the contract."""
    np.testing.assert_allclose(stream(0, "generate", 0).random(2), [0.6319741892805768, 0.06572233002837014], rtol=0)


def test_strata_hold_one_number_each():
    """Every variable has one number in each of the equal intervals, uniform in it, in an order of its own."""
    numbers = strata(stream(0, "strata"), 3, 4096)
    assert numbers.shape == (3, 4096)
    places = np.floor(numbers.astype(float) * 4096)
    assert (np.sort(places, axis=1) == np.arange(4096)).mean() > 0.999  # float32 rounds a few across a border
    within = numbers.astype(float).ravel() * 4096 % 1
    assert stats.kstest(within[:512], "uniform").pvalue > 1e-4  # fails by chance once in 10,000 seeds
    assert np.abs(np.corrcoef(numbers)[np.triu_indices(3, 1)]).max() < 0.08  # five standard errors
    assert numbers.min() > 0
    assert numbers.max() < 1
