"""What is no rule: each text is refused in one line that quotes it, and nothing of it is ever run."""

import builtins

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.relations.rules import Rule

SCHEMA = pa.schema(
    {
        "a": pa.int64(),
        "b": pa.float64(),
        "paid": pa.bool_(),
        "t": pa.string(),
        "day": pa.date32(),
        "zoned": pa.timestamp("us", "UTC"),
        "clock": pa.time64("us"),
        "lasts": pa.duration("s"),
        "list": pa.list_(pa.int8()),
    }
)
NO_WORDS = "expected names, numbers, texts in quotes and signs"
NO_CONDITION = "expected a condition such as end >= start"
NODES = "expected names, literals, signs and comparisons"
REFUSED = {
    # nothing, or no condition
    "": "empty",
    " \n": "empty",
    "a": "expected a condition or a boolean column, got a number",
    "not a": "expected a condition or a boolean column",
    "paid and t": "expected a condition or a boolean column, got a text",
    "true": "got one on none",
    "1 == 1": "two literals",
    "paid or 'a' < 'b'": "two literals",
    "a ==": "'the end'",
    "(a == 1": NO_CONDITION,
    "a == 1)": NO_CONDITION,
    "a b == 1": NO_CONDITION,
    "a = 1": "got '='",
    "a <> 1": NO_CONDITION,
    "t == 'a' 'b'": NO_CONDITION,
    # names
    "c == 1": "expected a column of the table",
    "__class__ == 1": "got '__class__'",
    "__import__('os') == 1": NODES,
    "A == 1": "got 'A'",
    # what Python has and rules have not
    "a.real == 1": "got '.'",
    "a.__class__ == 1": "got '.'",
    "a(1) == 1": "got a call",
    "a[0] == 1": "got a subscript",
    "(a, b) == 1": "got a tuple",
    "[a] == 1": "got a list",
    "a, b": "got a tuple",
    "(*a, b) == 1": "got a tuple",
    "a ** 2 == 1": NO_CONDITION,
    "a == 10**9**9": NO_CONDITION,
    "a // 2 == 1": NO_CONDITION,
    "a % 2 == 1": "got '%'",
    "a | 1 == 1": "got '|'",
    "~a == 1": "got '~'",
    "a @ b == 1": "got '@'",
    "lambda: a": "got ':'",
    "[a for a in (1, 2)] == 1": NO_CONDITION,
    "{a} == 1": "got '{'",
    "(a := 3) == 3": "got ':'",
    "a if paid else b": NO_CONDITION,
    "await a == 1": NO_CONDITION,
    "f'{a}' == t": NO_CONDITION,
    "b'x' == t": NO_CONDITION,
    "a == 1; a == 2": "got ';'",
    "a == 1 # paid": "got '#'",
    "a == 1 \\\n or paid": NO_WORDS,
    # null
    "a == null": "null only after",
    "null is null": "null only after",
    "a in (1, null)": "null only after",
    "a is 1": "expected null after 'is'",
    "paid is true": "expected null after 'is'",
    "a is b": "expected null after 'is'",
    # lists
    "a in ()": "expected a list of literals",
    "a in (1 + 1, 2)": "expected a list of literals",
    "a in b": "expected a list such as",
    "t in 'abc'": "expected a list such as",
    "a in": "'the end'",
    "a in (b)": "only literals",
    "a in [1, b]": "only literals",
    "1 in (1, 2)": "expected a column before 'in'",
    "a in (1, 'x')": "got a number and a text",
    "a in (1, 2) == b": "got a tuple",
    # types
    "t == 1": "got a text and a number",
    "day == 1": "and a number",
    "day == t": "and a text",
    "paid == 1": "got a boolean and a number",
    "zoned == day": "got a timestamp with a zone and a date",
    "lasts == 3": "got a duration and a number",
    "lasts == '3 days'": "got a duration and a text",
    "day - day == 3": "got a duration and a number",
    "clock == day": "got a time of day and a date",
    "list == list": "of another type",
    "paid < true": "expected == or !=",
    "a + t == 1": r"that '\+' takes, got a number and a text",
    "day + day == day": r"that '\+' takes",
    "day + 1 == day": r"that '\+' takes",
    "clock + 1 hour == clock": r"that '\+' takes",
    "a - day == day": "that '-' takes",
    "lasts * lasts == lasts": r"that '\*' takes",
    "1 / lasts == 1": "that '/' takes",
    "-t == t": "after a sign, got a text",
    "-paid": "after a sign, got a boolean",
    "day in (1)": "and a number",
    # literals
    "day > 'soon'": "expected a date such as",
    "day > '2024-02-30'": "expected a date such as",
    "day > '2024-1-1'": "expected a date such as",
    "day > '20240101'": "expected a date such as",
    "day > '10:00'": "expected a date such as",
    "day > ''": "expected a date such as",
    "day > '2024-01-31T'": "expected a date such as",
    "day > '2024-01-31T10:00Z'": "expected a date such as",
    "day > '2024-01-31T25:00'": "expected a date such as",
    "zoned > '2024-01-31T10:00+99:00'": "expected a timestamp such as",
    "clock > '2024-01-31'": "expected a time such as",
    "clock > '10:00Z'": "expected a time such as",
    "lasts < 3 months": NO_CONDITION,
    "lasts < 3days": "got '3days'",
    "a == 1_000": "got '1_000'",
    "a == 0x10": "got '0x10'",
    "a == 1j": "got '1j'",
    "a == ١": NO_WORDS,
    "a == 1e999999999": "at most 76 digits",
    "a == 1e-999999999": "at most 76 digits",
    "a == " + "9" * 77: "at most 76 digits",
    # quotes and characters
    "t == 'a": NO_WORDS,
    "t == 'it's'": NO_WORDS,
    "t == 'it\\'s'": NO_WORDS,
    "`a == 1": NO_WORDS,
    "`` == 1": NO_WORDS,
    "`a`` == 1": NO_WORDS,
    "`a``b` == 1": "got 'a`b'",
    "`a`b` == 1": NO_WORDS,
    "`a` `b` == 1": NO_CONDITION,
    "`a == 1 or paid` == 1": "expected a column of the table",
    "`__import__('os')`": "expected a column of the table",
    "a\0 == 1": NO_WORDS,
    "t == '\0'": NO_WORDS,
    "`a\0` == 1": NO_WORDS,
    "t == '\ud800'": NO_WORDS,
    "a == 1\x1b[31m": NO_WORDS,
    # too much
    "a" * 1001: "at most 1,000 characters, got 1,001",
    "(" * 400 + "a == 1" + ")" * 400: NO_CONDITION,
    "not " * 240 + "paid": "levels of nesting",
    "-" * 990 + "a == 1": "levels of nesting",
    "a" + "+a" * 200 + " == 1": "levels of nesting",
    "(paid == " * 101 + "paid" + ")" * 85: NO_CONDITION,
}
"""Texts, and a part of what is said of them."""


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
def test_a_text_that_is_no_rule_is_refused_in_one_line(text):
    """The line quotes the rule, or its beginning, and says what was expected and what came."""
    with pytest.raises(SettingsError, match=REFUSED[text]) as caught:
        Rule.parse(text, SCHEMA)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith('rule "')
    assert "expected" in line
    assert ", got " in line
    assert line.startswith(f'rule "{text}"') or not text.isprintable() or len(text) > 1000


def test_two_columns_of_one_name_are_refused():
    """It would be open which is meant."""
    with pytest.raises(SettingsError, match="expected a column of the table"):
        Rule.parse("a > 1", pa.schema([("a", pa.int64()), ("a", pa.int64())]))


def test_an_unknown_zone_is_refused():
    """A text beside a column of a zone that does not exist has no meaning."""
    with pytest.raises(SettingsError, match="expected a zone that this machine knows, got 'Nowhere/Else'"):
        Rule.parse("z > '2024-01-01'", pa.schema([("z", pa.timestamp("us", "Nowhere/Else"))]))


def test_nested_chains_are_computed_once():
    """Ninety comparisons inside each other take no time, as no operand is made or computed twice."""
    text = "(paid == " * 45 + "paid" + " == paid)" * 45
    table = pa.table({name: pa.nulls(3, kind) for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)})
    assert Rule.parse(text, SCHEMA).holds(table).all()


WORDS = [
    *SCHEMA.names,
    *"()[],+-*/<>=.:;{}@%&|^~!`'\"\\#\0",
    "==",
    "!=",
    "<=",
    ">=",
    "**",
    "//",
    ":=",
    "->",
    "1",
    "1e9",
]
WORDS += [
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "None",
    "True",
    "lambda",
    "if",
    "else",
    "for",
    "await",
    "yield",
    "del",
]
WORDS += ["'2024-01-31'", "'x'", '"y"', "3 days", "__import__", "exec", "eval", "f'{a}'", "\n", "\t", "é", "\ud800"]


@given(st.lists(st.sampled_from(WORDS), max_size=25), st.sampled_from(["", " "]))
def test_any_mixture_of_words_is_a_rule_or_a_line(some, between):
    """Whatever the words, parsing gives a rule that runs over rows of null, or a SettingsError."""
    table = pa.table({name: pa.nulls(2, kind) for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)})
    try:
        rule = Rule.parse(between.join(some), SCHEMA)
    except SettingsError as error:
        line = str(error)
    else:
        line = ""
        assert rule.holds(table).shape == (2,)
    assert line.isprintable()


def test_nothing_is_run(monkeypatch):
    """Neither eval, exec nor an import is used for a rule that holds or for one that does not."""
    ran = []
    for name in ("eval", "exec", "__import__"):
        monkeypatch.setattr(builtins, name, lambda *given, **_: ran.append(given))
    Rule.parse("a > 1", SCHEMA)
    for text in ("__import__('os').system('x') == 1", "exec('x')", "a.__class__ == 1"):
        with pytest.raises(SettingsError):
            Rule.parse(text, SCHEMA)
    monkeypatch.undo()
    assert ran == []
