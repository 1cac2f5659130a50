"""Laws that every kind of column keeps, on tables that Hypothesis makes."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save
from strategies import MADE_UP, VALUES, arrays

from pipeline.arrow.arrays import numbers
from pipeline.arrow.labels import labels
from pipeline.columns import KINDS, Codec, Encoded
from pipeline.columns.forms import FORMS
from pipeline.columns.variables import Discrete
from pipeline.schema import Column


def fitted(array: pa.Array, form: str | None = None) -> tuple[Codec, pa.Array]:
    """A codec of the natural kind (never one that makes values up) for an array, categorical where there is none."""
    natural = (name for name, kind in KINDS.items() if name not in MADE_UP and kind.claim(array, "x", 5))
    kind = next(natural, "categorical")
    column = Column(name="x", kind=kind, nullable=array.null_count > 0, normalization=form)
    return KINDS[kind].fit(array, column), array


def generated(codec: Codec, array: pa.Array, seed: int = 0) -> pa.Array:
    """What the codec makes of the training rows' own variables and a random rest."""
    values = codec.encode(array).values
    return codec.decode(Encoded(values, codec.draw(values, np.random.default_rng(seed), np.arange(len(array)))))


def same(a: pa.Array, b: pa.Array) -> bool:
    """Equality of values and type; floats to within rounding."""
    if pa.types.is_floating(a.type):
        x, y = (np.asarray(v.cast(pa.float64()).to_numpy(zero_copy_only=False)) for v in (a, b))
        return a.type == b.type and np.allclose(x, y, rtol=1e-6, atol=1e-12, equal_nan=True)
    return a.type == b.type and texts(a) == texts(b)


def texts(array: pa.Array) -> list[str | None]:
    """The values of any type as texts."""
    return labels(array).dictionary_decode().to_pylist()


@given(arrays())
def test_decoding_an_encoded_column_gives_it_back(array):
    """De-normalization is the inverse of normalization, for every type, with nulls."""
    codec, array = fitted(array)
    assert same(codec.decode(codec.encode(array)), array)


@given(arrays(), st.sampled_from(tuple(FORMS)))
def test_every_normal_form_of_a_number_or_time_is_invertible(array, form):
    """Min-max, z-score, robust, quantile and token forms all invert."""
    codec, array = fitted(array)
    if form not in codec.forms:
        return
    codec, array = fitted(array, form)
    assert same(codec.decode(codec.encode(array)), array)


@given(arrays())
def test_generated_values_keep_type_range_and_categories(array):
    """Drawn values have the column's type, lie in its range, and are never a new category or a new null."""
    codec, array = fitted(array)
    drawn = generated(codec, array)
    assert drawn.type == array.type
    assert drawn.null_count == array.null_count
    if codec.measure.labels:
        assert set(texts(drawn)) <= set(texts(array))
    elif array.null_count < len(array):
        real, new = numbers(array), numbers(drawn)
        assert np.nanmin(new) >= np.nanmin(real)
        assert np.nanmax(new) <= np.nanmax(real)


@pytest.mark.parametrize("width", [8, 16, 32])
def test_generated_nulls_never_overflow_a_narrow_type(width):
    """Null rows are null whatever position their row number would have, in a type that is full to its ends."""
    info = np.iinfo(f"int{width}")
    values = np.random.default_rng(0).integers(info.min, info.max, 400, endpoint=True).tolist()
    array = pa.array([None if i % 5 == 0 else value for i, value in enumerate(values)], f"int{width}")
    codec, _ = fitted(array)
    assert generated(codec, array).null_count == 80


def test_times_of_the_first_and_last_day_stay_in_range():
    """Date and time of day are drawn apart, and still no instant lies before the first or after the last one."""
    random = np.random.default_rng(0)
    start = 1_600_000_000 + 50_000
    array = pa.array(start + random.integers(0, 5 * 86_400, 3_000), pa.timestamp("s"))
    codec, _ = fitted(array)
    values = codec.encode(array).values
    shuffled = tuple(random.permutation(value) for value in values)
    rest = codec.draw(shuffled, random, np.arange(len(array)))
    drawn = numbers(codec.decode(Encoded(shuffled, rest)))
    real = numbers(array)
    assert real.min() <= drawn.min()
    assert drawn.max() <= real.max()


@given(arrays())
def test_the_same_stream_draws_the_same_values(array):
    """A draw is a function of variables, random stream and row numbers."""
    codec, array = fitted(array)
    assert generated(codec, array, 3).equals(generated(codec, array, 3))


@given(arrays(), st.sampled_from([None, *FORMS]))
def test_a_loaded_codec_is_the_saved_one(array, form):
    """State survives JSON and safetensors, and no pickle is involved."""
    codec, _ = fitted(array)
    if form is not None and form not in codec.forms:
        return
    codec, array = fitted(array, form)
    json, arrays_ = codec.state()
    again = type(codec).load(json, load(save({k: np.ascontiguousarray(v) for k, v in arrays_.items()})), array.type)
    assert again.variables == codec.variables
    assert same(again.decode(codec.encode(array)), array)


@given(arrays())
def test_symbols_stay_within_their_variable(array):
    """Every symbol is within the variable's size, and a refining symbol is 0 exactly where it does not apply."""
    codec, array = fitted(array)
    encoded = codec.encode(array)
    assert len(encoded.values) == len(codec.variables)
    for i, (variable, value) in enumerate(zip(codec.variables, encoded.values, strict=True)):
        if isinstance(variable, Discrete):
            assert value.min() >= 0
            assert value.max() < variable.size
            if variable.applies is not None:
                applies = np.asarray(variable.applies)[encoded.values[i - 1]]
                assert ((value > 0) == applies).all()


@pytest.mark.parametrize("arrow", sorted(VALUES, key=str), ids=str)
def test_an_all_null_column_comes_back_all_null(arrow):
    """A column without values is kept as it is."""
    array = pa.nulls(30, arrow)
    for form in (None, *(form for form in FORMS if form in fitted(array)[0].forms)):
        codec, _ = fitted(array, form)
        assert codec.decode(codec.encode(array)).equals(array)
        assert generated(codec, array).null_count == 30


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_integers_span_their_whole_width_exactly(width):
    """The ends of every signed and unsigned width survive both token and quantile forms."""
    for signed in (True, False):
        info = np.iinfo(f"{'' if signed else 'u'}int{width}")
        values = np.array([info.min, info.max, info.min + 1, info.max // 3], dtype=info.dtype)
        array = pa.array(np.repeat(values, 3))
        for form in FORMS:
            codec, _ = fitted(array, form)
            assert codec.decode(codec.encode(array)).equals(array), (width, signed, form)


def test_integers_and_decimal_places_keep_their_grid():
    """Values drawn inside bins stay on the training grid: multiples of 50, two decimal places, whole days."""
    random = np.random.default_rng(0)
    fifties = pa.array(random.integers(0, 10_000, 5_000) * 50)
    assert pc.sum(pc.not_equal(pc.bit_wise_and(generated(fitted(fifties)[0], fifties), 1), 0)).as_py() == 0
    assert set(np.asarray(generated(fitted(fifties)[0], fifties)) % 50) == {0}
    cents = pa.array(np.round(random.lognormal(3, 1, 5_000), 2))
    drawn = np.asarray(generated(fitted(cents)[0], cents))
    assert np.array_equal(drawn, np.round(drawn, 2))
    days = pa.array(random.integers(0, 3_000, 5_000) * 86_400, pa.timestamp("s"))
    assert set(np.asarray(generated(fitted(days)[0], days).cast(pa.int64())) % 86_400) == {0}


def test_local_midnights_stay_local_midnights():
    """Daily data in a zone with summer time are modelled on the wall clock, though UTC hours differ."""
    naive = pa.array(np.arange(730) * 86_400 + 1_577_836_800, pa.timestamp("s"))
    array = pc.assume_timezone(naive, "Europe/Berlin")
    codec, _ = fitted(array)
    wall = pc.local_timestamp(generated(codec, array))
    assert set(np.asarray(wall.cast(pa.int64())) % 86_400) == {0}
