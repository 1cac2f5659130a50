"""Extended codecs: known values stay as they were, and new values have a place."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MADE_UP, arrays
from test_laws import generated, same, texts

from pipeline.arrow.arrays import numbers
from pipeline.columns import KINDS, Codec
from pipeline.columns.alphabet import RESOLUTION
from pipeline.columns.forms import FORMS
from pipeline.columns.variables import Discrete
from pipeline.errors import SchemaError
from pipeline.schema import Column


def column(kind: str, array: pa.Array, form: str | None = None) -> Column:
    """The column of an array."""
    return Column(name="x", kind=kind, nullable=array.null_count > 0, normalization=form)


def extended(first: pa.Array, second: pa.Array, form: str | None = None, novel="extend"):
    """A codec fitted to `first`, and its extension to `second`."""
    natural = (name for name, kind in KINDS.items() if name not in MADE_UP and kind.claim(first, "x", 5))
    kind = next(natural, "categorical")
    codec = KINDS[kind].fit(first, column(kind, first, form))
    return codec, codec.extend(second, column(kind, second, form), novel)


@st.composite
def halves(draw: st.DrawFn) -> tuple[pa.Array, pa.Array]:
    """An array of any type cut in two, either half with or without nulls and values of its own."""
    array = draw(arrays())
    order = draw(st.permutations(range(len(array))))
    cut = draw(st.integers(1, len(array)))
    return array.take(pa.array(order[:cut])), array.take(pa.array(order[cut:], pa.int64()))


@given(halves(), st.sampled_from([None, *FORMS]))
def test_both_tables_come_back_from_their_normal_form(pair, form):
    """Encoding is inverted exactly for the values of either table, in every normal form and type."""
    codec, _ = extended(*pair)
    if form is not None and form not in codec.forms:
        return
    _, (grown, _) = extended(*pair, form)
    for array in pair:
        assert same(grown.decode(grown.encode(array)), array)


@given(halves(), st.sampled_from([None, *FORMS]))
def test_known_values_keep_their_symbols(pair, form):
    """In variables with an origin, values of the first table keep their symbols and scores."""
    codec, _ = extended(*pair)
    if form is not None and form not in codec.forms:
        return
    codec, (grown, origins) = extended(*pair, form)
    old, new = codec.encode(pair[0]).values, grown.encode(pair[0]).values
    assert len(origins) == len(grown.variables)
    for variable, origin, values in zip(grown.variables, origins, new, strict=True):
        if isinstance(variable, Discrete):
            assert len(origin.symbols) == variable.size
        if origin.variable is None:
            continue
        if isinstance(variable, Discrete):
            assert np.array_equal(origin.symbols[values], old[origin.variable])
            assert len(set(origin.symbols[origin.symbols >= 0])) == (origin.symbols >= 0).sum()
        elif form != "robust":  # its scale may be as small as rounding
            assert np.allclose(values, old[origin.variable], rtol=1e-6, atol=1e-6)


@given(halves())
def test_an_extended_codec_generates_the_values_of_both_tables_only(pair):
    """Labels are never invented, numbers stay within the range of both, nulls come where one has nulls."""
    _, (grown, _) = extended(*pair)
    whole = pa.concat_arrays([a.dictionary_decode() if pa.types.is_dictionary(a.type) else a for a in pair])
    for array in pair:
        drawn = generated(grown, array)
        assert drawn.type == array.type
        assert drawn.null_count == array.null_count
        if grown.measure.labels:
            assert set(texts(drawn)) <= set(texts(whole))
        elif array.null_count < len(array):
            assert np.nanmin(numbers(drawn)) >= np.nanmin(numbers(whole))
            assert np.nanmax(numbers(drawn)) <= np.nanmax(numbers(whole))


@given(arrays(), st.sampled_from([None, *FORMS]))
def test_the_same_values_change_nothing(array, form):
    """An extension to the values of the fit has the fit's variables, identical origins, and draws the same."""
    codec, _ = extended(array, array)
    if form is not None and form not in codec.forms:
        return
    codec, (grown, origins) = extended(array, array, form)
    assert grown.variables == codec.variables
    assert [origin.variable for origin in origins] == list(range(len(codec.variables)))
    for variable, origin in zip(codec.variables, origins, strict=True):
        if isinstance(variable, Discrete):
            assert np.array_equal(origin.symbols, np.arange(variable.size))
    assert generated(grown, array).equals(generated(codec, array))


@given(halves())
def test_an_extended_codec_survives_being_saved(pair):
    """The extension is loaded as it was saved."""
    _, (grown, _) = extended(*pair)
    json, values = grown.state()
    again = type(grown).load(json, values, pair[1].type)
    assert generated(again, pair[1]).equals(generated(grown, pair[1]))


def labels(codec: Codec, values: list[str]) -> list[int]:
    """First symbols of some labels."""
    return codec.encode(pa.array(values)).values[0].tolist()


def test_new_labels_get_a_symbol_each_or_share_one_or_are_refused():
    """The three policies; a bucket is drawn from at the labels' rates."""
    first, second = pa.array(["a", "a", "b"]), pa.array(["b", "c", "c", "c", "d"])
    _, (grown, _) = extended(first, second)
    assert labels(grown, ["a", "b", "c", "d"]) == [1, 2, 3, 4]
    _, (grown, _) = extended(first, second, novel="bucket")
    assert labels(grown, ["a", "b", "c", "d"]) == [1, 2, 3, 3]
    drawn = generated(grown, pa.array(["c"] * 4000)).to_pylist()
    assert drawn.count("c") / 4000 == pytest.approx(0.75, abs=0.03)  # four standard deviations
    with pytest.raises(SchemaError, match=r"column 'x': expected known labels only, got 2 new ones"):
        extended(first, second, novel="refuse")
    assert extended(first, first, novel="refuse")


def test_the_alphabet_of_labels_stays_bounded():
    """After adding a thousand new labels again and again, symbols stay few, and no label is lost."""
    codec = KINDS["categorical"].fit(pa.array(["0"]), column("categorical", pa.array(["0"])))
    for k in range(1, 6):
        array = pa.array([str(i) for i in range(k * 1000)])
        codec = codec.extend(array, column("categorical", array), "extend").codec
    assert codec.variables[0].size <= 2 * 256 + 5
    assert codec.decode(codec.encode(array)).equals(array)


@pytest.mark.parametrize("form", FORMS)
def test_new_extremes_are_reached(form):
    """Values far beyond the first table's ends are generated at about their rate, within the new ends."""
    random = np.random.default_rng(0)
    first, second = random.normal(0, 1, 3000).round(3), np.append(random.normal(0, 1, 2000), random.normal(9, 1, 1000))
    codec, (grown, _) = extended(pa.array(first), pa.array(second.round(3)), form)
    before, after = (np.asarray(generated(c, pa.array(second.round(3)))) for c in (codec, grown))
    assert before.max() <= first.max()
    assert np.mean(after > 5) == pytest.approx(1 / 3, abs=0.01)
    assert after.max() <= second.round(3).max()


def test_a_handful_beyond_an_end_widens_it_and_many_get_cells():
    """Five values above a range of many are too few for a cell; a third of the rows get as many cells as in a fit."""
    random = np.random.default_rng(0)
    first = pa.array(random.normal(0, 1, 3000))
    few, many = (pa.array(np.append(random.normal(0, 1, 2000), random.uniform(6, 9, n))) for n in (5, 1000))
    codec, (grown, _) = extended(first, few)
    assert grown.variables == codec.variables
    codec, (grown, _) = extended(first, many)
    assert grown.variables[0].size - codec.variables[0].size == pytest.approx(RESOLUTION * 1000 ** (1 / 3), abs=10)


def test_a_value_between_values_that_stand_alone_gets_a_cell_in_its_place():
    """Ratings of 1, 2, 4 and 5 learn of a 3, in order, and a finer grid of halves."""
    first = pa.array([1, 2, 4, 5] * 50)
    _, (grown, origins) = extended(first, pa.array([3, 4] * 50))
    assert origins[0].symbols.tolist() == [0, 1, 2, -1, 3, 4]
    assert generated(grown, pa.array([3] * 10)).to_pylist() == [3] * 10
    halved = pa.array([1.0, 2.0, 4.0] * 50), pa.array([1.5, 4.0] * 50)
    _, (grown, origins) = extended(*halved)
    assert origins[0].symbols.tolist() == [0, 1, -1, 2, 3]
    assert generated(grown, halved[1]).equals(halved[1])


def test_nulls_become_possible():
    """A column without nulls learns them as a new symbol, in tokens and labels, or as a new flag."""
    for first, second, form in (
        (pa.array([1, 2, 3]), pa.array([1, None]), None),
        (pa.array(["a", "b"]), pa.array(["a", None]), None),
        (pa.array([dt.date(2020, 1, 1), dt.date(2021, 1, 1)]), pa.array([None, dt.date(2020, 1, 1)]), None),
    ):
        codec, (grown, origins) = extended(first, second, form)
        assert not codec.variables[0].missing
        assert grown.variables[0].missing
        assert origins[0].symbols[0] == -1
        assert generated(grown, second).null_count == 1
    _, (grown, origins) = extended(pa.array([1.0, 2.0]), pa.array([1.0, None]), "zscore")
    assert [origin.variable for origin in origins] == [None, 0]
    assert generated(grown, pa.array([1.0, None])).null_count == 1


def test_identifiers_are_fresh_for_both_tables():
    """Generated numbers are in neither table, even if the new table continues into the first table's fresh ones.

    Texts avoid the table that they were last fitted to.
    """
    for first, second in (
        (pa.array(range(100, 200)), pa.array(range(1000, 1100))),
        (
            pa.array([f"k{i:04}" for i in [*range(300), 1999]]),
            pa.array([f"k{i:04}" for i in range(290, 1250)] + ["longer-key"]),
        ),
    ):
        codec = KINDS["identifier"].fit(first, column("identifier", first))
        if pa.types.is_integer(first.type):  # the old codec would run into them; texts are scattered
            assert set(generated(codec, first).to_pylist()) & set(second.to_pylist())
        grown, origins = codec.extend(second, column("identifier", second), "extend")
        drawn = generated(grown, pa.concat_arrays([first] * 5)).to_pylist()
        assert not set(drawn) & set(second.to_pylist())
        if pa.types.is_integer(first.type):
            assert not set(drawn) & set(first.to_pylist())
        assert len(set(drawn)) == len(drawn)
        assert origins == ()
