"""The tree of a rule, checked against the types of a table and made into functions of its columns.

Only what is named here is evaluated: and, or, not, comparisons, lists, + - * /, names and literals. Every other node of
Python's grammar is refused. Types are checked here too, so that evaluation meets no surprise.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.arrow.widening import value_type
from pipeline.relations.rules.reading import DATED, Sort, exact, moment, sort_of
from pipeline.relations.rules.syntax import Lasting, Mention, Refused, Word
from pipeline.relations.rules.values import (
    Number,
    Plain,
    Test,
    Truth,
    Value,
    added,
    compared,
    divided,
    every,
    multiplied,
    ordered,
    same,
    some,
    subtracted,
    times,
    truth,
)

DEEPEST = 100
"""Most levels of nesting."""
Cells = Callable[[str], Value]
"""The values of a column, by its name."""
TESTS: Mapping[type[ast.cmpop], Test] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
SUMS = (ast.Add, ast.Sub)
COMPUTED: Mapping[type[ast.operator], tuple[str, Callable[[Number, Number], Number]]] = {
    ast.Add: ("+", added),
    ast.Sub: ("-", subtracted),
    ast.Mult: ("*", multiplied),
    ast.Div: ("/", divided),
}
RESULTS: Mapping[tuple[str, Sort, Sort], Sort] = {
    **{(sign, Sort.NUMBER, Sort.NUMBER): Sort.NUMBER for sign in "+-*/"},
    **{(sign, Sort.DURATION, Sort.DURATION): Sort.DURATION for sign in "+-"},
    **{("-", sort, sort): Sort.DURATION for sort in DATED},
    **{(sign, sort, Sort.DURATION): sort for sign in "+-" for sort in (Sort.MOMENT, Sort.ZONED)},
    **{("+", Sort.DURATION, sort): sort for sort in (Sort.MOMENT, Sort.ZONED)},
    **{(sign, Sort.DURATION, Sort.NUMBER): Sort.DURATION for sign in "*/"},
    ("*", Sort.NUMBER, Sort.DURATION): Sort.DURATION,
    ("/", Sort.DURATION, Sort.DURATION): Sort.NUMBER,
}
"""The sort of what is computed from two values. Nothing else is computed."""


@dataclass(frozen=True)
class Expression:
    """A part of a rule.

    Attributes:
        sort: What its values are.
        of: Its values, given the columns.
        stored: Whether a column is part of it.
        products: How many products or quotients are summed in it.
        zone: The zone of its timestamps.
        text: The text of a literal, which may yet be read as a date.
    """

    sort: Sort
    of: Callable[[Cells], Any]
    stored: bool = False
    products: int = 0
    zone: str | None = None
    text: str | None = None


class Link(NamedTuple):
    """A comparison of a chain: a test of the values of both sides, or of the left side alone."""

    left: Expression
    right: Expression | None
    test: Callable[[Any, Any], Truth]


@dataclass(frozen=True)
class Compiler:
    """Makes expressions of the nodes of a tree, and notes the columns that they use.

    Attributes:
        schema: The columns of the table.
        words: The words that the placeholders stand for.
        used: The columns used so far, in order, with their sorts.
    """

    schema: pa.Schema
    words: Mapping[str, Word]
    used: dict[str, Sort] = field(default_factory=dict)

    def rule(self, node: ast.expr) -> Expression:
        """A condition on columns.

        Raises:
            Refused: The node holds something that rules do not have, or its types do not fit.
        """
        found = self._condition(node, 0)
        if not found.stored:
            raise Refused("expected a condition on a column, got one on none")
        return found

    def _condition(self, node: ast.expr, depth: int) -> Expression:
        """An expression whose values are truths."""
        found = self._expression(node, depth)
        if found.sort is not Sort.TRUTH:
            raise Refused(f"expected a condition or a boolean column, got {found.sort}")
        return found

    def _expression(self, node: ast.expr, depth: int) -> Expression:
        """An expression of any sort."""
        if depth > DEEPEST:
            raise Refused(f"expected at most {DEEPEST} levels of nesting, got more")
        match node:
            case ast.BoolOp():
                return self._joined(node, depth + 1)
            case ast.UnaryOp(op=ast.Not()):
                inside = self._condition(node.operand, depth + 1)
                return replace(inside, of=lambda cells: inside.of(cells).negated())
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return self._signed(node, depth + 1)
            case ast.BinOp() if type(node.op) in COMPUTED:
                return self._computed(node, depth + 1)
            case ast.Compare():
                return self._chain(node, depth + 1)
            case ast.Name() | ast.Constant():
                return self._operand(node)
        raise Refused(f"expected names, literals, signs and comparisons, got a {type(node).__name__.lower()}")

    def _joined(self, node: ast.BoolOp, depth: int) -> Expression:
        parts = [self._condition(part, depth) for part in node.values]
        join = every if isinstance(node.op, ast.And) else some
        stored = any(part.stored for part in parts)
        return Expression(Sort.TRUTH, lambda cells: join([part.of(cells) for part in parts]), stored)

    def _signed(self, node: ast.UnaryOp, depth: int) -> Expression:
        inside = self._expression(node.operand, depth)
        if inside.sort not in {Sort.NUMBER, Sort.DURATION}:
            raise Refused(f"expected a number or a duration after a sign, got {inside.sort}")
        sign = -1 if isinstance(node.op, ast.USub) else 1
        return replace(inside, of=lambda cells: times(inside.of(cells), sign))

    def _computed(self, node: ast.BinOp, depth: int) -> Expression:
        left, right = self._expression(node.left, depth), self._expression(node.right, depth)
        sign, compute = COMPUTED[type(node.op)]
        if sign == "-":
            left, right = _dated(left, right), _dated(right, left)
        sort = RESULTS.get((sign, left.sort, right.sort))
        if sort is None:
            raise Refused(f"expected numbers, dates or durations that {sign!r} takes, got {left.sort} and {right.sort}")
        products = left.products + right.products if isinstance(node.op, SUMS) else 1
        return Expression(
            sort,
            lambda cells: compute(left.of(cells), right.of(cells)),
            left.stored or right.stored,
            products,
            left.zone or right.zone,
        )

    def _chain(self, node: ast.Compare, depth: int) -> Expression:
        """Comparisons that share their middles. A middle is made and computed once, else nesting would double it."""
        links: list[Link] = []
        left, before = self._expression(node.left, depth), None
        for op, after in zip(node.ops, node.comparators, strict=True):
            if before is not None:
                left = links[-1].right or self._expression(before, depth)
            if isinstance(op, ast.Is | ast.IsNot):
                links.append(_null(left, op, after))
            elif isinstance(op, ast.In | ast.NotIn):
                links.append(self._among(left, op, after, depth))
            else:
                links.append(_link(left, self._expression(after, depth), TESTS[type(op)]))
            before = after

        def of(cells: Cells) -> Truth:
            truths, right, value = [], None, None
            for link in links:
                one = value if link.left is right else link.left.of(cells)
                right, value = link.right, link.right.of(cells) if link.right else None
                truths.append(link.test(one, value))
            return every(truths)

        stored = any(part.stored for link in links for part in (link.left, link.right) if part)
        return Expression(Sort.TRUTH, of, stored)

    def _among(self, left: Expression, op: ast.cmpop, node: ast.expr, depth: int) -> Link:
        """`in` and `not in`: equal to one of several literals."""
        nodes = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
        if not nodes or not all(isinstance(part, ast.Name | ast.Constant | ast.UnaryOp) for part in nodes):
            raise Refused("expected a list of literals such as ('a', 'b') after 'in', got another list")
        items = [self._expression(part, depth) for part in nodes]
        if any(item.stored for item in items) or not left.stored:
            raise Refused("expected a column before 'in' and only literals after it, got others")
        no_columns: dict[str, Value] = {}
        links = [_link(left, item, operator.eq) for item in items]
        values = [(link.test, link.right.of(no_columns.__getitem__)) for link in links if link.right]

        def test(one: Value, _: Value | None) -> Truth:
            found = some([equal(one, value) for equal, value in values])
            return found.negated() if isinstance(op, ast.NotIn) else found

        return Link(left, None, test)

    def _operand(self, node: ast.Name | ast.Constant) -> Expression:
        if isinstance(node, ast.Constant):
            if node.value is None:
                raise Refused("expected null only after 'is' or 'is not', got it elsewhere")
            return _constant(Sort.TRUTH, truth(np.asarray([node.value]), np.ones(1, bool)))
        word = self.words[node.id]
        match word.value:
            case Mention(name):
                return self._column(name)
            case Lasting(seconds):
                return _constant(Sort.DURATION, exact(seconds))
            case Decimal() as number:
                return _constant(Sort.NUMBER, exact(number))
            case str() as text:
                value = Plain(pa.scalar(text, pa.large_string()), np.ones(1, bool))
                return replace(_constant(Sort.TEXT, value), text=text)
        raise AssertionError(word)

    def _column(self, name: str) -> Expression:
        if self.schema.names.count(name) != 1:
            raise Refused(f"expected a column of the table (in backticks where it is no plain name), got {name!r}")
        kind = value_type(self.schema.field(name).type)
        sort = self.used.setdefault(name, sort_of(kind))
        return Expression(sort, lambda cells: cells(name), stored=True, zone=getattr(kind, "tz", None))


def _constant(sort: Sort, value: Value) -> Expression:
    return Expression(sort, lambda _: value)


def _dated(one: Expression, other: Expression) -> Expression:
    """A text literal beside a date, timestamp or time is one too."""
    if one.text is None or other.sort not in DATED:
        return one
    return _constant(other.sort, moment(one.text, other.sort, other.zone))


def _null(left: Expression, op: ast.cmpop, node: ast.expr) -> Link:
    """`is null` and `is not null`, which are never unknown."""
    if not (isinstance(node, ast.Constant) and node.value is None):
        raise Refused("expected null after 'is' or 'is not', got something else")
    known = isinstance(op, ast.IsNot)
    return Link(left, None, lambda one, _: truth(one.known == known, np.ones(1, bool)))


def _link(left: Expression, right: Expression, test: Test) -> Link:
    """A comparison of two values of one sort."""
    left, right = _dated(left, right), _dated(right, left)
    if left.sort is not right.sort:
        raise Refused(f"expected two values of one type to compare, got {left.sort} and {right.sort}")
    if left.sort is Sort.OTHER:
        raise Refused(f"expected numbers, texts, booleans, dates or times to compare, got {left.sort}")
    if not (left.stored or right.stored):
        raise Refused("expected a column on one side of each comparison, got two literals")
    if left.sort is Sort.TRUTH:
        if test not in {operator.eq, operator.ne}:
            raise Refused("expected == or != between booleans, got another comparison")
        return Link(left, right, partial(same, test))
    if left.sort is Sort.TEXT:
        return Link(left, right, partial(ordered, test))
    # a literal is meant exactly: its decimal places say nothing of how the other side was rounded
    products = (left.products * right.stored, right.products * left.stored)
    return Link(left, right, partial(compared, test, products=products))
