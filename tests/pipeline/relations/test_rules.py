"""Rules over columns: what they mean, against plain Python row by row, and which rows a check names."""

import datetime as dt
import operator
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import arrays

from pipeline.errors import SchemaError, SettingsError
from pipeline.relations.rules import Rule, check
from pipeline.relations.rules.reading import Sort, sort_of

ROWS = 60
START = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - without a zone, as the columns are
DAY = 86_400 * 10**9
TESTS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class Part(NamedTuple):
    """A part of a rule: its text, and its value in a row of plain Python. None is null, and unknown."""

    text: str
    value: Callable[[Mapping[str, Any]], Any]


def at(half_days: int) -> dt.datetime:
    """A moment, a number of half days after the first of 2024."""
    return START + dt.timedelta(hours=12 * half_days)


def ticks(half_days: int) -> int:
    """The same in nanoseconds."""
    return int((at(half_days) - dt.datetime(1970, 1, 1)).total_seconds()) * 10**9  # noqa: DTZ001


LETTERS = ["", "a", "b", "ü", "it's"]
COLUMNS: dict[str, tuple[pa.DataType, Callable[[int], Any], Callable[[int], Any]]] = {
    "i": (pa.int8(), int, int),
    "u": (pa.uint64(), lambda k: k % 3 or 2**64 - 1, lambda k: k % 3 or 2**64 - 1),
    "n": (pa.int64(), lambda k: k or -(2**63), lambda k: k or -(2**63)),
    "f": (pa.float64(), lambda k: k / 10, lambda k: Fraction(k, 10)),
    "g": (pa.float32(), lambda k: k / 10, lambda k: Fraction(k, 10)),
    "d": (pa.decimal128(20, 2), lambda k: Decimal(k) / 10, lambda k: Fraction(k, 10)),
    "w": (pa.decimal256(60, 3), lambda k: Decimal(10**25 + k), lambda k: 10**25 + k),
    "order day": (pa.date32(), lambda k: at(k).date(), lambda k: ticks(k // 2 * 2)),
    "e": (pa.date64(), lambda k: at(k).date(), lambda k: ticks(k // 2 * 2)),
    "s": (pa.timestamp("s"), at, ticks),
    "ns": (pa.timestamp("ns"), lambda k: ticks(k) + k, lambda k: ticks(k) + k),
    "l": (pa.duration("ms"), lambda k: dt.timedelta(hours=12 * k), lambda k: DAY // 2 * k),
    "t": (pa.string(), lambda k: LETTERS[k % 5], lambda k: LETTERS[k % 5]),
    "c": (pa.dictionary(pa.int8(), pa.string()), lambda k: LETTERS[k % 5], lambda k: LETTERS[k % 5]),
    "v": (pa.string_view(), lambda k: LETTERS[k % 5], lambda k: LETTERS[k % 5]),
    "p": (pa.bool_(), lambda k: k > 0, lambda k: k > 0),
    "q": (pa.bool_(), lambda k: k > 1, lambda k: k > 1),
}
"""Columns of every sort: the type, and the k-th value in Arrow and in plain Python (dates in nanoseconds)."""
NUMBERS, MOMENTS, TEXTS = ("i", "u", "n", "f", "g", "d", "w"), ("order day", "e", "s", "ns"), ("t", "c", "v")


def drawn(seed: int) -> tuple[pa.Table, list[dict[str, Any]]]:
    """A table of all columns, a quarter of whose values are null or NaN, and the same rows in plain Python."""
    rng, arrays, plain = np.random.default_rng(seed), {}, {}
    for name, (arrow, make, meant) in COLUMNS.items():
        ks = [None if k > 4 else int(k) for k in rng.integers(-4, 8, ROWS)]
        nothing = float("nan") if name == "f" else None
        values = [nothing if k is None else make(k) for k in ks]
        array = pa.array(values, arrow.value_type if name == "c" else arrow)
        arrays[name] = array.dictionary_encode().cast(arrow) if name == "c" else array
        plain[name] = [None if k is None else meant(k) for k in ks]
    return pa.table(arrays), [{name: plain[name][i] for name in COLUMNS} for i in range(ROWS)]


def named(name: str) -> Part:
    """A column, in backticks where its name needs them."""
    return Part(f"`{name}`" if " " in name else name, lambda row: row[name])


def computed(sign: str, one: Part, other: Part) -> Part:
    """A sum or difference."""

    def value(row: Mapping[str, Any]) -> Any:
        x, y = one.value(row), other.value(row)
        return None if x is None or y is None else x + y if sign == "+" else x - y

    return Part(f"({one.text} {sign} {other.text})", value)


def compared(sign: str, one: Part, other: Part) -> Part:
    """A comparison of three-valued logic."""

    def value(row: Mapping[str, Any]) -> bool | None:
        x, y = one.value(row), other.value(row)
        return None if x is None or y is None else getattr(operator, TESTS[sign])(x, y)

    return Part(f"{one.text} {sign} {other.text}", value)


def joined(word: str, parts: list[Part]) -> Part:
    """Conditions joined by `and` or `or`, as SQL defines it."""
    ends = word.lower() == "or"

    def value(row: Mapping[str, Any]) -> bool | None:
        values = [part.value(row) for part in parts]
        return ends if ends in values else None if None in values else not ends

    return Part("(" + f" {word} ".join(part.text for part in parts) + ")", value)


@st.composite
def numbers(draw: st.DrawFn, depth: int = 2) -> Part:
    """A column of numbers, or sums and differences of columns and a literal."""
    if depth == 0 or draw(st.booleans()):
        return named(draw(st.sampled_from(NUMBERS)))
    some = draw(st.sampled_from(["0.1", "2", "3e-1", "18446744073709551615", ".25"]))
    other = draw(st.one_of(numbers(depth - 1), st.just(Part(some, lambda _: Fraction(some)))))
    return computed(draw(st.sampled_from("+-")), draw(numbers(depth - 1)), other)


@st.composite
def moments(draw: st.DrawFn) -> Part:
    """A column of dates or timestamps, or one some time later."""
    one = named(draw(st.sampled_from(MOMENTS)))
    text, length = draw(st.sampled_from([("1.5 days", DAY * 3 // 2), ("12 HOURS", DAY // 2), ("1 second", 10**9)]))
    by = draw(st.sampled_from([None, Part(text, lambda _: length), named("l")]))
    return one if by is None else computed(draw(st.sampled_from("+-")), one, by)


@st.composite
def comparisons(draw: st.DrawFn) -> Part:
    """A comparison, a chain of two, a list or a test for null."""
    texts, signs = st.sampled_from(TEXTS).map(named), st.sampled_from(list(TESTS))
    sort = draw(st.sampled_from([numbers(), moments(), texts]))
    match draw(st.sampled_from(["pair", "pair", "chain", "null", "date", "list", "time"])):
        case "chain":
            one, other, third = draw(sort), draw(sort), draw(sort)
            first, second = compared(draw(signs), one, other), compared(draw(signs), other, third)
            both = joined("and", [first, second])
            return Part(first.text + second.text.removeprefix(other.text), both.value)
        case "null":
            one = draw(sort)
            return Part(f"{one.text} IS NOT NULL", lambda row: one.value(row) is not None)
        case "date":
            return compared(draw(signs), draw(moments()), Part("'2024-01-01T12:00'", lambda _: ticks(1)))
        case "time":
            lengths = st.sampled_from([named("l"), Part("0.5 days", lambda _: DAY // 2)])
            return compared(draw(signs), computed("-", draw(moments()), draw(moments())), draw(lengths))
        case "list":
            one, some = draw(texts), draw(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3))
            shown = ", ".join("'" + value.replace("'", "''") + "'" for value in some)
            text = f"{one.text} not in ({shown})"
            return Part(text, lambda row: None if (x := one.value(row)) is None else x not in some)
    return compared(draw(signs), draw(sort), draw(sort))


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> Part:
    """Comparisons and booleans, joined and negated."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.one_of(comparisons(), comparisons(), st.sampled_from("pq").map(named)))
    if draw(st.integers(0, 3)) == 0:
        inside = draw(conditions(depth - 1))
        return Part(f"not ({inside.text})", lambda row: None if (x := inside.value(row)) is None else not x)
    parts = draw(st.lists(conditions(depth - 1), min_size=2, max_size=3))
    return joined(draw(st.sampled_from(["and", "or", "AND", "OR"])), parts)


@given(conditions(), st.integers(0, 9))
@settings(max_examples=400)
def test_a_rule_means_what_plain_python_says(condition, seed):
    """Rows hold unless their rule is false in three-valued logic, with exact decimals and dates, over random rules."""
    table, rows = drawn(seed)
    rule = Rule.parse(condition.text, table.schema)
    expected = [condition.value(row) is not False for row in rows]
    assert rule.holds(table).tolist() == expected
    assert rule.holds(pa.concat_tables([table[:7], table[7:]])).tolist() == expected


def held(text: str, **columns: Any) -> list[bool]:
    """Which rows of these columns hold."""
    table = pa.table(columns)
    return Rule.parse(text, table.schema).holds(table).tolist()


@given(arrays())
def test_every_type_can_be_asked(array):
    """Values of all comparable types equal themselves. A null of any type is found."""
    table = pa.table({"x": array})
    gone = [not value.is_valid for value in array]
    assert Rule.parse("x is not null", table.schema).holds(table).tolist() == [not null for null in gone]
    if sort_of(array.type) is not Sort.OTHER:
        assert Rule.parse("x == x", table.schema).holds(table).all()
        assert Rule.parse("x != x", table.schema).holds(table).tolist() == gone


def cents(values: list[Decimal], arrow: pa.DataType) -> pa.Array:
    """Amounts as floats or decimals."""
    return pa.array([float(value) if arrow == pa.float64() else value for value in values], arrow)


@pytest.mark.parametrize("rounding", [ROUND_HALF_UP, ROUND_HALF_EVEN])
@pytest.mark.parametrize("arrow", [pa.float64(), pa.decimal128(20, 2)])
def test_a_total_may_be_rounded_either_way(rounding, arrow):
    """Every rounded total holds, and one that is a cent off only where the product is a tie between both."""
    rng, cent = np.random.default_rng(1), Decimal("0.01")
    pairs = [(Decimal(int(q)) / 100, Decimal(int(p)) / 100) for q, p in rng.integers(1, 999, (2000, 2))]
    totals = [(q * p).quantize(cent, rounding) for q, p in pairs]
    factors = {name: cents([pair[i] for pair in pairs], arrow) for i, name in enumerate("qp")}
    for text in ("q * p == total", "total >= q * p", "q * p <= total", "not (q * p < total)"):
        assert all(held(text, **factors, total=cents(totals, arrow)))
    ties = 0
    for other in ([total + cent for total in totals], [total - cent for total in totals]):
        expected = [abs(total - q * p) <= cent / 2 for total, (q, p) in zip(other, pairs, strict=True)]
        assert held("q * p == total", **factors, total=cents(other, arrow)) == expected
        ties += sum(expected)
    assert 0 < ties < 100


def test_what_is_rounded():
    """Each product of a sum and a quotient may have been rounded. Literals are exact, and so are sums."""
    some = {"a": [1.15], "b": [0.1], "c": [2.35]}
    assert held("a * b + c * b == d", **some, d=[0.36]) == [True]  # 0.115 + 0.235 = 0.35, and 0.12 + 0.24 = 0.36
    assert held("a * b + c * b == d", **some, d=[0.37]) == [False]
    assert held("a / b == c", a=[10.0, 10.0], b=[3, 3], c=[3.33, 3.34]) == [True, False]
    assert held("a * b >= 1", a=[0.99], b=[1.0]) == [False]
    assert held("a * b == 0.11", a=[1.15], b=[0.1]) == [False]
    assert held("a + b == c", a=[0.125], b=[0.0], c=[0.13]) == [False]
    assert held("a * b == c", a=[1], b=[1], c=[1.5]) == [False]  # the product has fewer places


def test_floats_off_every_grid_have_a_tolerance_of_their_largest_term():
    """A billionth of the largest term is equal for ==, !=, <= and >=, not for < and >. More is unequal."""
    x = np.random.default_rng(0).random(1000) * 1e3
    y = np.random.default_rng(1).random(1000)
    columns = {"x": x, "y": y, "z": (x + y) * (1 + 1e-12), "far": (x + y) * (1 + 1e-8)}
    for text, result in (("x + y == z", True), ("z <= x + y", True), ("x + y != z", False), ("z - x == y", True)):
        assert set(held(text, **columns)) == {result}
    for text in ("far == x + y", "far <= x + y", "z < x", "z - x - y > 0.1"):
        assert set(held(text, **columns)) == {False}
    assert set(held("x + y < z", **columns)) == {True}
    infinite = {"a": [np.inf, np.inf, -np.inf, 1.0], "b": [np.inf, 5.0, np.inf, np.inf]}
    assert held("a == b", **infinite) == [True, False, False, False]
    assert held("a - b == 0", **infinite) == [True, False, False, False]  # ∞ − ∞ is unknown


def test_integers_do_not_overflow():
    """Sums, products, negatives and other units of the largest integers are exact."""
    big = {"a": pa.array([2**63 - 1, -(2**63)]), "b": pa.array([2**63 - 1, 2**63 - 1])}
    assert held("a + b > 0", **big) == [True, False]
    assert held("a + b > 0 and b - a == 0", a=[2**63 - 1], b=[2**63 - 1]) == [True]
    assert held("a * b * b * b > 0", **big) == [True, False]
    assert held("-a > 0", **big) == [False, True]
    assert held("a * 1.5 > b", **big) == [True, False]
    assert held(" * ".join(["a"] * 60) + " > 0", **big) == [True, True]
    much, little = " * ".join(["a", *["1e70"] * 4]), " * ".join(["a", *["1e-70"] * 4])
    assert held(f"({much} + {little}) / b > 1e70 and {little} * 1e-70 / b < 1", a=[1], b=[1]) == [True]
    far = {"day": [dt.date(9999, 12, 31)], "ns": pa.array([2**63 - 1], pa.timestamp("ns"))}
    assert held("day > ns and day > '9999-12-30T23:59:59.999999999' and ns < '9999-12-31'", **far) == [True]
    assert held("a == b", a=[2**53 + 1], b=[2**53]) == [False]
    wide = pa.array([Decimal(k) for k in (-(2**200), -1, 0, 2**130, 2**63)], pa.decimal256(76, 9))
    assert held(f"a == {-(2**200)} or a in (-1, 0) or a == {2**130}", a=wide) == [True, True, True, True, False]


def test_a_quotient_by_zero_is_unknown():
    """It neither holds nor fails, so its row holds, and it is null."""
    columns = {"a": [1, 1, 0], "b": [0, 2, 0]}
    assert held("a / b > 5", **columns) == [True, False, True]
    assert held("a / b is null", **columns) == [True, False, True]


def test_times_and_zones():
    """A text is local in the zone of its column unless it has an offset. Zones and times of day compare exactly."""
    summer = dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC)  # 12:00 in Berlin
    zoned = {
        name: pa.array([summer], pa.timestamp("us", zone)) for name, zone in (("b", "Europe/Berlin"), ("u", "UTC"))
    }
    for text in ("b == u", "b == '2024-07-01T12:00'", "u == '2024-07-01 10:00:00'", "u == '2024-07-01T12:00+02:00'"):
        assert held(text, **zoned) == [True]
    assert held("b + 1 week > '2024-07-08T12:00:00Z'", **zoned) == [False]
    fine = {"t": ["2024-01-01"], "n": pa.array(["2024-01-01T00:00:00.000000007"]).cast(pa.timestamp("ns"))}
    assert held("n == '2024-01-01T00:00:00.000000007'", **fine) == [True]
    assert held("t == '2024-01-01' < n < '2024-01-01T00:00:00.00000001'", **fine) == [True]
    clock = {"o": [dt.time(8)], "c": pa.array([dt.time(17, 30)], pa.time32("s"))}
    assert held("o < c and c == '17:30' and c - o == 9.5 hours and (c - o) / 1 hour == 9.5", **clock) == [True]
    assert held("l * 2 == 3 days and 2 * l / 2 == l and -l < 0 days", l=[dt.timedelta(hours=36)]) == [True]


def test_conditions_are_values():
    """Booleans and conditions are equal or not, in lists or not. A null is found in columns of any type."""
    columns = {"p": [True, False, None], "x": [1, 2, None], "any": [[1], None, []]}
    assert held("p == (x == 1)", **columns) == [True, True, True]
    assert held("p in (TRUE)", **columns) == [True, False, True]
    assert held("x in [-1, 1.0]", **columns) == [True, False, True]
    assert held("any is not null", **columns) == [True, False, True]
    assert held("(x == 1) is not null", **columns) == [True, True, False]
    assert held("p is null", p=pa.nulls(2)) == [True, True]


def test_names_are_only_names():
    """A column may have any name, in backticks where needed, also words of the language and of Python."""
    names = ["and", "lambda", "_0", "__class__", "größe", "ﬁ", "a`b", "a'b", "x == y", " ", "days"]
    table = pa.table({name: [i] for i, name in enumerate(names)})
    for i, name in enumerate(names):
        rule = Rule.parse("`" + name.replace("`", "``") + f"` == {i}", table.schema)
        assert rule.columns == (name,)
        assert rule.holds(table).tolist() == [True]
    assert Rule.parse("lambda + days > _0 + lambda", table.schema).columns == ("lambda", "days", "_0")


def test_rules_are_equal_up_to_blanks():
    """Blanks between words do not count, those inside names and texts do."""
    schema = pa.schema({"a": pa.string(), "b": pa.string(), "l": pa.duration("s")})
    one, same, other = (Rule.parse(text, schema) for text in ("a=='x  y'", " a == \n'x  y'", "a == 'x y'"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert Rule.parse("l < 3  days", schema) == Rule.parse("l < 3 days", schema)


def test_a_check_names_the_first_broken_rule_and_no_value():
    """The line has the share to two digits, the number of rows and the position of one, and no value."""
    table = pa.table({"a": [777_777] * 300, "b": [777_777] * 299 + [888_888]})
    rules = [Rule.parse(text, table.schema) for text in ("a > 0", "a == b", "a > b")]
    check(rules[:1], table)
    check(rules, table[:0])
    with pytest.raises(SettingsError, match=r"^rule \"a == b\": .*got 1 of 300 rows \(0\.33 %\).* row 299 ") as caught:
        check(rules, table)
    assert "\n" not in str(caught.value)
    assert "888" not in str(caught.value)
    with pytest.raises(SettingsError, match=r"300 of 300 rows \(100 %\).* row 0 "):
        check(rules[2:], table)


def test_a_table_of_other_columns_is_refused():
    """A table that lacks a column, or has one of another sort, is refused. Another width is the same sort."""
    rule = Rule.parse("a > 1", pa.schema({"a": pa.int64()}))
    assert rule.holds(pa.table({"a": pa.array([1, 2], pa.float32())})).tolist() == [False, True]
    for table in (pa.table({"b": [1]}), pa.table({"a": ["x"]})):
        with pytest.raises(SchemaError, match=r"expected a column 'a' that holds a number"):
            rule.holds(table)
