"""Numbered texts: one to one with rows, never taken, in the real shares."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.personal.codes import Code
from pipeline.personal.layouts import Layouts, Pattern
from pipeline.personal.mixing import permuted
from pipeline.personal.rooms import Room


def code(texts, shape="code", check="", least_rows=5):
    """The fake of a column of codes."""
    return Code.fit(pa.array(texts, pa.string()), shape, check, least_rows)


@given(st.integers(1, 3000), st.integers(0, 2**40))
@settings(deadline=None, max_examples=50)
def test_a_permutation_takes_every_place_once(size, seed):
    """Permuted indices are all the numbers below the size."""
    assert sorted(permuted(np.arange(size), size, seed, "test").tolist()) == list(range(size))


@given(st.sets(st.integers(0, 10**12 - 1), max_size=300), st.integers(1, 9))
@settings(deadline=None, max_examples=50)
def test_stretches_hold_no_taken_number_and_part_enough_of_them(taken, least_rows):
    """Between two free stretches lie at least `least_rows` taken numbers, and none inside."""
    numbers = np.array(sorted(taken), dtype=np.int64)
    room = Room.between(numbers, 10**12, 100, least_rows, np.random.default_rng(0))
    edges = np.array([[first, first + length] for first, length in room.stretches])
    below = np.searchsorted(numbers, edges)
    assert (below[:, 0] == below[:, 1]).all()
    assert (np.diff(below[:, 0]) >= least_rows).all()
    drawn = room.numbers(np.linspace(0, room.size - 1, 50).astype(np.int64))
    assert not set(drawn.tolist()) & taken


def test_a_small_space_does_not_show_which_numbers_are_taken():
    """In a small space, only about half of the free numbers are kept, so those left out are mostly free."""
    taken = np.arange(0, 1000, 5)
    room = Room.between(taken, 1000, 10**6, 5, np.random.default_rng(0))
    kept = set(room.numbers(np.arange(room.size)).tolist())
    assert len(kept) == 400
    assert not kept & set(taken.tolist())


def test_lengths_keep_their_shares_until_the_room_is_used_up():
    """1,500 numbers of three and four digits become as many others of three and four digits."""
    made = code([str(number) for number in range(500, 2000)])
    texts = made.make(np.arange(3000), 1).to_pylist()
    assert {len(text) for text in texts} == {3, 4}
    assert 0.28 < Counter(map(len, texts[:500]))[3] / 500 < 0.39
    assert len(set(texts)) == 3000
    assert not set(texts) & {str(number) for number in range(500, 2000)}
    assert not any(text.startswith("0") for text in texts)


def test_full_layouts_get_longer_texts():
    """If every two-digit text is taken, new texts are longer than any real one, and all different."""
    made = code([f"{number:02d}" for number in range(100)])
    texts = made.make(np.arange(500), 1).to_pylist()
    assert len(set(texts)) == 500
    assert min(map(len, texts)) > 2


def test_rows_move_to_other_layouts_when_theirs_is_full():
    """Rows of a layout with little room get texts of other layouts before texts get longer."""
    small = Pattern(
        alphabets=("ab",), weight=900, room=Room.between(np.zeros(0, int), 2, 1, 1, np.random.default_rng(0))
    )
    large = Pattern(
        alphabets=("0123456789",) * 3,
        weight=100,
        room=Room.between(np.zeros(0, int), 1000, 1, 1, np.random.default_rng(0)),
    )
    texts = Layouts(layouts=(small, large), longest=3).make(np.arange(1100), 0).to_pylist()
    assert len(set(texts)) == 1100
    assert Counter(map(len, texts)) == {1: 2, 3: 1000, 4: 98}


def test_letters_that_rows_share_remain_and_others_do_not():
    """A prefix of many rows is kept, one of fewer than `least_rows` rows is not."""
    texts = [f"AB-{n:05d}" for n in range(0, 900, 3)] + [f"CD-{n:05d}" for n in range(0, 900, 3)] + ["QX-00007"] * 4
    made = code(texts)
    assert {text[:3] for text in made.make(np.arange(2000), 3).to_pylist()} == {"AB-", "CD-"}
    assert "Q" not in made.model_dump_json().replace(made.layouts.layouts[0].room.bitmap, "")[:200]


@pytest.mark.parametrize(
    ("texts", "shape", "check", "pattern"),
    [
        ([f"+49 17{n % 10} {n * 7919 % 10**7:07d}" for n in range(400)], "phone", "", r"\+49 17\d \d{7}"),
        ([f"DE{n % 97:02d}{n * 10**10 + 3:018d}" for n in range(400)], "iban", "iban", r"DE\d{20}"),
        ([f"4{n * 7919 % 10**15:015d}" for n in range(400)], "card", "card", r"4\d{15}"),
        ([f"{n:08x}-1234-4abc-8def-{n * n:012x}" for n in range(400)], "uuid", "", r"[0-9a-f]{8}-1234-4abc-8def-.{12}"),
    ],
)
def test_shapes_keep_prefix_and_grouping(texts, shape, check, pattern):
    """Made-up numbers match the real ones' pattern, and differ from each other and from them."""
    made = code(texts, shape, check).make(np.arange(2000), 5)
    assert pa.compute.all(pa.compute.match_substring_regex(made, f"^{pattern}$")).as_py()
    assert len(set(made.to_pylist())) == 2000
    assert not set(made.to_pylist()) & set(texts)
