"""Categories: rates, dictionaries, high cardinality."""

import numpy as np
import pyarrow as pa

from pipeline.columns import Encoded
from pipeline.columns.categorical import Categorical
from pipeline.schema import Column

COLUMN = Column(name="x", kind="categorical", nullable=False)


def drawn(codec: Categorical, array: pa.Array) -> pa.Array:
    """Redraw the training rows from their symbols."""
    values = codec.encode(array).values
    return codec.decode(Encoded(values, codec.draw(values, np.random.default_rng(0), np.arange(len(array)))))


def test_rare_categories_are_kept_at_their_rate():
    """4,000 codes with a Zipf tail: bounded symbols, no code invented, the rare half kept within 10 % of its rate."""
    random = np.random.default_rng(1)
    weights = 1 / np.arange(1, 4_001)
    codes = random.choice(4_000, 40_000, p=weights / weights.sum())
    array = pa.array([f"code-{i:04d}" for i in codes])
    codec = Categorical.fit(array, COLUMN)
    assert sum(variable.size for variable in codec.variables) <= 2 * 257
    again = drawn(codec, array)
    assert set(again.to_pylist()) <= set(array.to_pylist())
    rare = {f"code-{i:04d}" for i in range(2_000, 4_000)}
    before, after = (np.mean([value in rare for value in a.to_pylist()]) for a in (array, again))
    assert abs(after / before - 1) < 0.1


def test_dictionaries_keep_order_and_flag():
    """An ordered dictionary comes back with its order, its index type and its flag."""
    source = pa.DictionaryArray.from_arrays(pa.array([2, 0, 1, 0] * 9, pa.int8()), ["low", "mid", "high"], ordered=True)
    codec = Categorical.fit(source, COLUMN)
    again = drawn(codec, source)
    assert again.type == source.type
    assert again.dictionary.to_pylist() == ["low", "mid", "high"]
    assert again.to_pylist() == source.to_pylist()


def test_an_unknown_category_is_read_as_null():
    """A category that training did not have enters the network as the null symbol, not as some other category."""
    codec = Categorical.fit(pa.array(["a", "b"] * 10), COLUMN)
    assert codec.encode(pa.array(["c", "a"])).values[0][0] == 0
