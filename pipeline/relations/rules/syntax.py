"""The text of a rule, as words and as a tree of Python's grammar.

Python's parser never sees a name, number or text that a user wrote. Each of them becomes a placeholder, `_0`, `_1`, …,
and only the signs of `WORD` and the words of `KEYWORDS` go through. So a name of a column may hold any character,
numbers stay exact decimals, and what rules do not have (a dot, a colon, a power) is refused before it is parsed.
"""

import ast
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

LONGEST = 1000
"""Most characters of a rule."""
DIGITS = 76
"""Most digits of a number before and after its point: those of Arrow's widest decimal."""
KEYWORDS = {word: word for word in ("and", "or", "not", "in", "is")}
KEYWORDS |= {"null": "None", "none": "None", "true": "True", "false": "False"}
SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
"""Units of durations."""
WORD = re.compile(
    rf"""
    (?P<quoted>`(?:[^`\0\ud800-\udfff]|``)+`)
  | (?P<text>'(?:[^'\0\ud800-\udfff]|'')*'|"(?:[^"\0\ud800-\udfff]|"")*")
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w.])(?:\s+(?i:(?P<unit>{"|".join(SECONDS)})s?)\b)?
  | (?P<name>[^\W\d]\w*)
  | (?P<sign><=|>=|==|!=|[-+*/<>()\[\],])
    """,
    re.VERBOSE,
)


class Refused(Exception):  # noqa: N818 - no error of its own: it becomes a SettingsError that quotes the rule
    """A text is no rule. The message says what was expected and what came."""


class Word(NamedTuple):
    """A word of a rule.

    Attributes:
        written: The word as written.
        python: The same for Python's parser.
        value: What a placeholder stands for: a column (`Mention`), a text, a number or a duration (`Lasting`).
    """

    written: str
    python: str
    value: "Mention | Lasting | Decimal | str | None" = None


class Mention(NamedTuple):
    """The name of a column."""

    name: str


class Lasting(NamedTuple):
    """A duration."""

    seconds: Decimal


def quoted(text: str) -> str:
    """The text of a rule on one line, for messages. Only the beginning of a text that is too long."""
    shown = text if len(text) <= LONGEST else text[:60] + "…"
    line = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in shown)
    return f'rule "{line}"'


def words(text: str) -> tuple[Word, ...]:
    """The words of a rule.

    Raises:
        Refused: The text is empty or too long, or something in it is no word of a rule.
    """
    if len(text) > LONGEST:
        raise Refused(f"expected at most {LONGEST:,} characters, got {len(text):,}")
    found: list[Word] = []
    at = 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        if (match := WORD.match(text, at)) is None:
            came = re.match(r"\w+|.", rest, re.DOTALL)
            assert came is not None
            advice = "; write ==" if came[0] == "=" else ""
            raise Refused(f"expected names, numbers, texts in quotes and signs such as ==, got {came[0]!r}{advice}")
        found.append(_word(match, f"_{len(found)}"))
        at = match.end()
    if not found:
        raise Refused("expected a condition such as end >= start, got an empty text")
    return tuple(found)


def tree(found: Sequence[Word]) -> ast.expr:
    """The words as a tree of Python's grammar.

    Raises:
        Refused: The words make no expression, or one that is nested too deeply for the parser.
    """
    for word, following in zip(found, [*found[1:], Word("the end", "")], strict=True):
        if word.python == "in" and following.python not in {"(", "["}:
            raise Refused(f"expected a list such as ('a', 'b') after 'in', got {following.written!r}")
    try:
        return ast.parse(" ".join(word.python for word in found), mode="eval").body
    except SyntaxError as error:
        at, place = 0, (error.offset or 0) - 1  # nowhere if the words end too early
        came = "the end"
        for word in found:
            if at <= place < at + len(word.python) + 1:
                came = word.written
            at += len(word.python) + 1
        raise Refused(f"expected a condition such as end >= start, got no such thing at {came!r}") from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise Refused("expected fewer levels of nesting, got too many to read") from error


def _word(match: re.Match[str], placeholder: str) -> Word:
    written = match[0]
    if match["sign"]:
        return Word(written, written)
    if (name := match["name"]) is not None:
        keyword = KEYWORDS.get(name.lower())
        return Word(written, keyword) if keyword else Word(written, placeholder, Mention(name))
    if match["quoted"]:
        return Word(written, placeholder, Mention(_unquoted(written)))
    if match["text"]:
        return Word(written, placeholder, _unquoted(written))
    number, written = Decimal(match["number"]), " ".join(written.split())
    if number.adjusted() >= DIGITS or number.as_tuple().exponent < -DIGITS:  # type: ignore[operator] # is finite
        raise Refused(f"expected numbers of at most {DIGITS} digits before and after the point, got {written!r}")
    unit = match["unit"]
    return Word(written, placeholder, Lasting(number * SECONDS[unit.lower()]) if unit else number)


def _unquoted(written: str) -> str:
    """The text between quotes. A quote inside is written twice, as in SQL."""
    return written[1:-1].replace(written[0] * 2, written[0])
