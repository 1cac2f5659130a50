"""Normal forms of numbers, against their textbook definitions."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from pipeline.columns import Encoded
from pipeline.columns.numeric import Numeric
from pipeline.columns.variables import Real
from pipeline.schema import Column

RANDOM = np.random.default_rng(7)
SKEWED = RANDOM.lognormal(0, 1, 4_000)


def fitted(values: np.ndarray, form: str) -> tuple[Numeric, np.ndarray]:
    """A codec of a form, and the real variable's values."""
    array = pa.array(values)
    codec = Numeric.fit(array, Column(name="x", kind="numeric", nullable=False, normalization=form))
    return codec, np.asarray(codec.encode(array).values[-1])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("zscore", (SKEWED - SKEWED.mean()) / SKEWED.std()),
        ("minmax", 2 * (SKEWED - SKEWED.min()) / (SKEWED.max() - SKEWED.min()) - 1),
        ("robust", (SKEWED - np.median(SKEWED)) / (np.quantile(SKEWED, 0.75) - np.quantile(SKEWED, 0.25))),
    ],
)
def test_affine_forms_are_what_they_are_called(form, expected):
    """z-score, min-max and robust forms equal their definitions."""
    _, values = fitted(SKEWED, form)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)


def test_quantile_form_is_normal():
    """Ranks become normal scores: KS distance to N(0, 1) below .01, exact scores within .01 (1,024 knots)."""
    _, values = fitted(SKEWED, "quantile")
    assert stats.kstest(values, "norm").statistic < 0.01
    exact = stats.norm.ppf((stats.rankdata(SKEWED) - 0.5) / len(SKEWED))
    middle = np.abs(exact) < 2.5
    np.testing.assert_allclose(values[middle], exact[middle], atol=0.01)


def test_an_inflated_value_owns_its_ranks():
    """A value that fills 60 % of the rows comes back exactly from 60 % of a normal variable's mass."""
    values = np.where(RANDOM.random(5_000) < 0.6, 0.0, SKEWED[RANDOM.integers(0, 4_000, 5_000)])
    codec, _ = fitted(values, "quantile")
    z = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    variable = codec.variables[0]
    assert isinstance(variable, Real)
    z = np.clip(z, variable.low, variable.high)
    drawn = np.asarray(codec.decode(Encoded((z,), codec.draw((z,), RANDOM, np.arange(len(z))))))
    assert np.mean(drawn == 0.0) == pytest.approx(np.mean(values == 0.0), abs=0.005)
    assert stats.ks_2samp(drawn, values).statistic < 0.01


def test_token_draws_follow_the_training_distribution():
    """Cells drawn at their training rate and values inside them give the training distribution (KS < .02).

    4,000 draws from the distribution itself would exceed .03 with odds of 1 in 1,000.
    """
    array = pa.array(SKEWED)
    codec = Numeric.fit(array, Column(name="x", kind="numeric", nullable=False))
    values = codec.encode(array).values
    drawn = np.asarray(codec.decode(Encoded(values, codec.draw(values, RANDOM, np.arange(len(array))))))
    assert stats.ks_2samp(drawn, SKEWED).statistic < 0.02


def test_ends_of_the_range_come_up():
    """The greatest training value is generated in most tables of the training size (odds of failure e⁻⁹)."""
    codec, _ = fitted(SKEWED, "tokens")
    array = pa.array(SKEWED)
    values = codec.encode(array).values
    hits = 0
    for seed in range(20):
        rest = codec.draw(values, np.random.default_rng(seed), np.arange(len(array)))
        drawn = np.asarray(codec.decode(Encoded(values, rest)))
        hits += drawn.max() == SKEWED.max()
    assert hits >= 10


def test_nan_is_null():
    """NaN is encoded as a null and comes back as one."""
    array = pa.array([1.5, float("nan"), None, 2.5] * 10)
    codec = Numeric.fit(array, Column(name="x", kind="numeric", nullable=True))
    assert codec.decode(codec.encode(array)).to_pylist() == [1.5, None, None, 2.5] * 10


def test_no_draw_is_a_rounding_error_beyond_the_range():
    """A place is kept as its distance from the cell's start; the sum of both may round up, past the greatest value."""
    random = np.random.default_rng(0)
    for _ in range(40):
        values = random.normal(size=400) * 10.0 ** random.integers(-3, 4)
        codec = Numeric.fit(pa.array(values), Column(name="x", kind="numeric", nullable=False))
        last = np.full(4000, codec.variables[0].size - 1)
        rest = codec.draw((last,), random, np.arange(4000))
        drawn = codec.decode(Encoded((last,), rest)).to_numpy()
        assert values.max() - 2 * np.spacing(values.max()) <= drawn.max() <= values.max()
