"""Counters: fresh identifiers keep clear of rows that the codec has not seen."""

import re

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns import Encoded
from pipeline.columns.identifier import Identifier
from pipeline.columns.text import Text
from pipeline.schema import Column

RANDOM = np.random.default_rng(3)
ROWS = 1_500
CASES = {
    "plain": ([str(i) for i in range(500, 2_000)], r"[1-9]\d{2,3}"),
    "prefixed": ([f"INV-{i:06d}" for i in range(1, ROWS + 1)], r"INV-\d{6}"),
    "of a year": ([f"A-{i}/2023" for i in range(17, 17 + ROWS)], r"A-[1-9]\d{1,3}/2023"),
    "of every year": ([f"{y}-{i:05d}" for y in (2022, 2023, 2024) for i in range(500)], r"202[234]-\d{5}"),
    "padded": ([f"{i:08d}" for i in range(1, ROWS + 1)], r"0\d{7}"),
    "narrow": ([f"{i:04d}" for i in range(1, ROWS + 1)], r"\d{4}"),
    "by tens": ([str(i) for i in range(1_000, 16_000, 10)], r"[1-9]\d{2,3}0"),
    "large": ([str(i) for i in range(7_000_012_345, 7_000_012_345 + ROWS)], r"(70000|69999)\d{5}"),
    "half full": (RANDOM.choice([f"{i:04d}" for i in range(3_000)], ROWS, replace=False).tolist(), r"\d{4}"),
    "with gaps": ([f"U{i:07d}" for i in range(1, 20 * ROWS, 20)], r"U\d{7}"),
    "integers": (list(range(300_000, 300_000 + ROWS)), r"3\d{5}"),
    "16 bits": (np.arange(1, ROWS + 1, dtype=np.int16).tolist(), r"[1-9]\d{3,4}"),
    "end of a round range": (list(range(308_503, 308_503 + ROWS)), r"3\d{5}"),
}


def fresh(array: pa.Array, rows: int) -> pa.Array:
    """The identifiers of the first rows of a dataset."""
    codec = Identifier.fit(array, Column(name="id", kind="identifier", nullable=False, least_rows=5))
    return codec.decode(Encoded((), codec.draw((), RANDOM, np.arange(rows))))


@pytest.mark.parametrize("name", CASES)
def test_rows_that_the_codec_has_not_seen_are_not_made(name):
    """Of a counter in random order, 15 % are unseen. None of 3,000 fresh values is among all real ones.

    The last 20 numbers of a counter are unseen together with chance .15^20.
    """
    values, form = CASES[name]
    kind = pa.int16() if name == "16 bits" else None
    whole = pa.array(values, kind).take(pa.array(RANDOM.permutation(len(values))))
    made = fresh(whole.slice(0, int(0.85 * len(whole))), 3_000)
    assert made.type == whole.type
    assert len(made.unique()) == 3_000
    assert not set(made.to_pylist()) & set(values)
    assert all(re.fullmatch(form, str(value)) for value in made.to_pylist())


def test_lengths_that_occur_are_kept():
    """Numbers of three and four digits become numbers of three and four digits."""
    values = RANDOM.permutation([str(i) for i in range(500, 2_000)])[:1_275]
    assert {len(text) for text in fresh(pa.array(values), 3_000).to_pylist()} == {3, 4}


def test_a_counter_without_room_gets_more_digits_where_its_number_is():
    """More rows than there are numbers of the real lengths lengthen the number and nothing else."""
    values = [f"A-{i}/2023" for i in RANDOM.permutation(np.arange(100, 900))[:700]]
    made = fresh(pa.array(values), 5_000).to_pylist()
    assert len(set(made)) == 5_000
    assert not set(made) & {f"A-{i}/2023" for i in range(100, 900)}
    assert all(re.fullmatch(r"A-\d+/2023", text) for text in made)


def test_a_counter_that_has_gone_on_is_kept_clear_of():
    """A warm start knows the counter up to the fresh numbers of the first training, and not the rows after them."""
    column = Column(name="id", kind="identifier", nullable=False, least_rows=5)
    codec = Identifier.fit(pa.array(np.arange(300_000, 301_500)), column)
    first = codec.decode(Encoded((), np.arange(1)))[0].as_py()
    grown = codec.extend(pa.array(np.arange(300_000, first - 2)), column, "extend").codec
    made = grown.decode(Encoded((), np.arange(3_000))).to_pylist()
    assert len(set(made)) == 3_000
    assert min(made) >= first + 15


def test_telephone_numbers_keep_their_area():
    """An area code that all rows share stays, and so do calling codes and the number of digits."""
    real = [f"0171/{i}" for i in RANDOM.choice(np.arange(10**6, 10**7), ROWS, replace=False)]
    codec = Text.fit(pa.array(real), Column(name="phone", kind="text", nullable=False, least_rows=5))
    made = codec.decode(Encoded((), np.arange(3_000))).to_pylist()
    assert all(re.fullmatch(r"0171/\d{7}", text) for text in made)
    assert not set(made) & set(real)


def test_numbers_that_only_look_short_are_no_counter():
    """Two digits among letters that vary more are not a counter, even if all hundred occur."""
    letters = RANDOM.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (ROWS, 5))
    plates = [f"{a}{b}{i % 100:02d} {c}{d}{e}" for i, (a, b, c, d, e) in enumerate(letters)]
    made = fresh(pa.array(plates), 3_000).to_pylist()
    assert all(re.fullmatch(r"[A-Z]{2}\d\d [A-Z]{3}", text) for text in made)
    assert not set(made) & set(plates)


def test_the_ends_of_a_counter_are_not_told():
    """Counters whose ends differ by a few numbers leave out the same range in most cases."""
    rooms = set()
    for first in range(100_100, 100_140, 4):
        array = pa.array([f"K{i}" for i in range(first, first + 1_000)])
        codec = Identifier.fit(array, Column(name="id", kind="identifier", nullable=False, least_rows=5))
        rooms.add(codec.mould.fake.maker.layouts.layouts[0].room.stretches)
    assert len(rooms) <= 3
