"""A finder of texts that are written together from others."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.arrow.arrays import combined, is_text
from pipeline.columns.identifier import Identifier
from pipeline.relations.base import Following
from pipeline.relations.search.sample import FEWEST, Extract
from pipeline.relations.texts import WAYS, Composed, Fragment, Way, written
from pipeline.schema import Schema, value_type

ROWS = 200
"""Rows in which parts are looked for."""
MOST = 60
"""Most columns of texts that are looked at."""
DISTINCT = 5
"""Different values of a text that is written together."""

Part = tuple[str, Way]


def composed(sample: Extract) -> Iterator[Following]:
    """Propose target = text · source · text · source …, of columns of which at least one part is a text.

    A text that may not be shown needs a part that is made up, which is no real one.
    """
    if sample.rows < FEWEST:
        return
    texts, told = _told(sample)
    for target, values in sorted(texts.items(), key=lambda pair: -sum(map(len, pair[1]))):  # the whole, not a part
        shown = columns.is_modelled(sample.schema[target].kind)
        inside = {part: own for part, own in told.items() if part[0] != target and _inside(own, values)}
        nearer = sorted(inside, key=lambda part: columns.is_modelled(sample.schema[part[0]].kind) != shown)
        inside = {part: inside[part] for part in nearer}  # of equally long parts, those that are shown as the text is
        found = _pieces(values, inside)
        if found is not None and _allowed(sample.schema, target, found[0]):
            names = tuple(dict.fromkeys(name for name, _ in found[0]))
            order = [names.index(name) for name, _ in found[0]]
            pieces = tuple(
                p if p.source is None else p.model_copy(update={"source": order[p.source]}) for p in found[1]
            )
            yield Composed(target=target, sources=names, pieces=pieces)


def _told(sample: Extract) -> tuple[dict[str, list[str]], dict[Part, list[str]]]:
    """The values of columns of texts in a few rows, and how they and whole numbers may be written in another column."""
    rows = pa.array(np.linspace(0, sample.whole.num_rows - 1, min(sample.whole.num_rows, ROWS)).astype(np.int64))
    texts: dict[str, list[str]] = {}
    told: dict[Part, list[str]] = {}
    for name in [column.name for column in sample.schema if column.name not in sample.keys][:MOST]:
        array = combined(sample.whole[name])
        if array.null_count or not (is_text(array.type) or pa.types.is_integer(value_type(array.type))):
            continue
        head = array.take(rows)
        if is_text(array.type) and len(head.unique()) >= DISTINCT:
            texts[name] = head.cast(pa.string()).to_pylist()
        for way in WAYS if is_text(array.type) else WAYS[:1]:
            made = written(head, way)
            if len(made.unique()) > 1:
                told[name, way] = made.to_pylist()
    return texts, told


def _inside(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether a text is part of another one in each row."""
    return all(one and one in other for one, other in zip(part, whole, strict=True))


def _pieces(values: Sequence[str], told: dict[Part, list[str]]) -> tuple[list[Part], list[Fragment]] | None:
    """The parts of a text and its pieces, each with the index of its part. Longer parts are found first.

    None if something between the parts differs from row to row.
    """
    order = sorted(told, key=lambda part: -sum(map(len, told[part])))
    spans: list[tuple[int, int, Part]] = []  # in the first row
    first = values[0]
    for part in order:
        text, at = told[part][0], -1
        while (at := first.find(text, at + 1)) >= 0:
            if all(at + len(text) <= begin or end <= at for begin, end, _ in spans):
                trial = sorted([*spans, (at, at + len(text), part)])
                if _consistent(values, [each for _, _, each in trial], told):
                    spans = trial
                    break
    if not spans:
        return None
    parts, pieces, at = [part for _, _, part in spans], list[Fragment](), 0
    for i, (begin, end, (_, way)) in enumerate(spans):
        pieces.append(Fragment(text=first[at:begin], source=i, way=way))
        at = end
    pieces.append(Fragment(text=first[at:]))
    whole = [_made(pieces, [told[part][row] for part in parts]) for row in range(len(values))]
    return (parts, pieces) if whole == list(values) else None


def _consistent(values: Sequence[str], parts: Sequence[Part], told: dict[Part, list[str]]) -> bool:
    """Whether all rows have the parts in this order."""
    for row, value in enumerate(values):
        at = 0
        for part in parts:
            at = value.find(told[part][row], at)
            if at < 0:
                return False
            at += len(told[part][row])
    return True


def _made(pieces: Sequence[Fragment], parts: Sequence[str]) -> str:
    return "".join(piece.text + (parts[piece.source] if piece.source is not None else "") for piece in pieces)


def _allowed(schema: Schema, target: str, parts: Sequence[Part]) -> bool:
    """Whether the parts keep the promises of the target: no real values, and fresh ones for each row of a key.

    A label is not written from made-up parts, for it would be another label than those that the model has learned.
    """
    kind, whole = schema[target].kind, [schema[name].kind for name, way in parts if "first letter" not in way]
    if kind == Identifier.kind:
        return Identifier.kind in whole
    if columns.is_modelled(kind):
        return all(columns.is_modelled(schema[name].kind) for name, _ in parts)
    return any(not columns.is_modelled(each) for each in whole)
