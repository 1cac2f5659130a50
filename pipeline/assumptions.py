"""What resynth assumes about a table where nobody has chosen, and how each assumption is overruled.

Assumptions follow from what is known already: the schema with the reasons of its kinds, the relations that were found,
and what is withheld. What a person has chosen is no assumption. No text names a value of the data.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pyarrow as pa

from pipeline.arrow.domain import is_number
from pipeline.personal import PLURALS
from pipeline.privacy.disclosure import Withheld
from pipeline.records import Record
from pipeline.relations import Relation
from pipeline.relations.base import Following
from pipeline.relations.declared import Declared
from pipeline.relations.written import Written
from pipeline.schema import Column, Dropped, Schema

FEW = 6
"""Most names in a line."""
LONGEST = 40
"""Most characters of a name or an example in a line."""
MOST = 8
"""Most relations in a list, and most columns and relations in the settings beside it."""

Sort = Literal["identifier", "made up", "code", "left out", "constant", "rare labels", "extremes", "relation"]


class _Words(NamedTuple):
    """The title of a sort in a list, and what happens to its columns."""

    title: str
    meaning: str


SORTS: dict[Sort, _Words] = {
    "identifier": _Words("identifiers", "fresh values, none of which is real"),
    "made up": _Words("made up", "no real value appears"),
    "code": _Words("codes", "numbers taken as labels, none of which is invented"),
    "left out": _Words("left out", "cannot be modelled by themselves"),
    "constant": _Words("constant", "written as they are"),
    "rare labels": _Words("rare labels", "replaced, because too few rows share them"),
    "extremes": _Words("extremes", "moved in, because too few rows share them"),
    "relation": _Words("relations", "hold in every row"),
}
"""All sorts, in the order of a list."""
PUBLISHING: tuple[Sort, ...] = ("rare labels", "extremes")
"""Sorts of which settings publish more of single rows when they are overruled. A person has to ask for that."""


class Assumption(Record):
    """Something that resynth assumes about a table.

    Attributes:
        sort: What sort of assumption it is.
        columns: The columns that it is about.
        what: What is assumed in a few words, such as "e-mail addresses" or a relation. Empty if the sort says it.
        rows: Number of rows that show a relation, or whose value is withheld. None for other sorts.
        text: The assumption in a sentence, with the reason.
        overrule: Lines of `resynth.toml` that overrule it.

    Example:
        >>> import pandas as pd
        >>> from pipeline import infer
        >>> from pipeline.assumptions import assumed
        >>> schema = infer(pd.DataFrame({"age": [31, 54, 27], "year": [2024, 2024, 2024]}))
        >>> [(found.sort, found.overrule) for found in assumed(schema)]
        [('constant', 'columns.year = { kind = "drop" }  # leaves it out')]
    """

    sort: Sort
    columns: tuple[str, ...]
    what: str = ""
    rows: int | None = None
    text: str
    overrule: str


def assumed(
    schema: Schema, relations: Iterable[Relation] = (), withheld: Iterable[Withheld] = ()
) -> tuple[Assumption, ...]:
    """What is assumed about a table, sort by sort.

    Args:
        schema: From `pipeline.columns.infer`.
        relations: What holds in every row. Declared rules are no assumptions.
        withheld: What is withheld of columns of the schema.
    """
    relations = list(relations)
    dates = {own.target for own in relations if isinstance(own, Written)}  # texts that are neither made up nor labels
    free = [column for column in schema if not column.chosen and column.name not in dates]
    columns = [_column(column, schema.arrow.field(column.name).type) for column in free]
    found = [each for each in columns if each is not None]
    found += [_left_out(left) for left in schema.left_out if not left.chosen]
    found += [_withheld(each, schema[each.name].kind) for each in withheld if each.name not in dates]
    found += [_relation(each) for each in sorted(relations, key=_checked) if not isinstance(each, Declared)]
    order = list(SORTS)
    return tuple(sorted(found, key=lambda each: order.index(each.sort)))


def _checked(relation: Relation) -> bool:
    """Whether nothing is computed, so that people read of it later."""
    return not isinstance(relation, Following)


def rows(found: Sequence[Assumption]) -> list[tuple[str, str]]:
    """A list for people: the title of each sort and a text about its columns. Every relation has a row of its own.

    A long list of columns or relations is cut.
    """
    told: list[tuple[str, str]] = []
    for sort, words in SORTS.items():
        own = [each for each in found if each.sort == sort]
        if own and sort == "relation":
            texts = [f"{line(each.what, None)} ({each.rows:,} rows)" for each in own[:MOST]]
            texts += [f"and {len(own) - MOST:,} more"] * (len(own) > MOST)
            told += zip((words.title, *[""] * MOST), texts, strict=False)
        elif own:
            told.append((words.title, f"{words.meaning}: {_names(own)}"))
    return told


def settings(found: Sequence[Assumption]) -> str:
    """What overrules assumptions, as TOML to paste at the end of `resynth.toml`. Of many, it has some of every sort.

    Lines that would publish more of single rows are comments, one for each sort.
    """
    about = [each for each in found if each.sort != "relation"]
    free = [_parted(each) for each in _spread([each for each in about if each.sort not in PUBLISHING], MOST)]
    asked = [_parted(each) for sort in PUBLISHING for each in [each for each in about if each.sort == sort][:1]]
    width = max((len(setting) for setting, _ in free), default=0)
    lines = ["[columns]"] if about else []
    lines += [f"{setting:{width}}  # {comment}" for setting, comment in free]
    lines += [f"# {setting}  # {comment}" for setting, comment in asked]
    if len(about) > len(free) + len(asked):
        lines.append(f"# and {len(about) - len(free) - len(asked):,} more in the same way")
    if texts := off(found):
        lines += ["", "[relations]", "off = [", *(f"    {quoted(text)}," for text in texts[:MOST])]
        lines += [f"    # and {len(texts) - MOST:,} more"] * (len(texts) > MOST) + ["]"]
    return "\n".join(lines).strip()


def off(found: Iterable[Assumption]) -> list[str]:
    """The relations among assumptions, as `[relations] off` names them."""
    return [each.what for each in found if each.sort == "relation"]


def listed(names: Sequence[str], most: int = FEW) -> str:
    """The first of some names in a line, and the number of the others."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def line(text: str, longest: int | None = LONGEST) -> str:
    """A text in one line of limited length."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if longest is None or len(plain) <= longest else plain[: longest - 1] + "…"


def named(text: str, longest: int = LONGEST) -> str:
    """The name of a column in one line of limited length."""
    return line(text, longest).strip() or "(no name)"


def quoted(text: str) -> str:
    """A TOML string. The escapes of JSON are valid in TOML too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _column(column: Column, arrow: pa.DataType) -> Assumption | None:
    """The assumption that it is to take a column as it is taken. None for what is plain."""
    name, why = column.name, column.why
    plain, instead = ("numeric", "numbers") if is_number(arrow) else ("categorical", "labels")
    if not column.varies:
        text = f"column {name!r} has one value or none: it is written as it is and says nothing"
        return _made("constant", name, 'kind = "drop"', "leaves it out", text=text)
    if column.kind == "identifier":
        others = column.unique_with
        what = f"unique with {' and '.join(map(line, others))}" if others else ""
        text = f"column {name!r} is taken for an identifier ({why}): generated rows get fresh values"
        text += f", unique with {' and '.join(map(repr, others))}" if others else ""
        return _made(
            "identifier", name, f'kind = "{plain}"', f"{instead}, no identifier", *others, what=what, text=text
        )
    if column.kind == "text":
        what = next((noun for shape, noun in PLURALS.items() if shape == column.shape), "texts")
        text = f"column {name!r} is made up as {what}, and no real value appears ({why})"
        comment = f'{instead}; or "drop", or fake = "email"'
        return _made("made up", name, f'kind = "{plain}"', comment, what=what, text=text)
    if column.kind == "code":
        text = f"column {name!r} is taken for codes, none of which is invented ({why})"
        return _made("code", name, 'kind = "numeric"', "numbers, no codes", text=text)
    return None


def _left_out(left: Dropped) -> Assumption:
    text = f"column {left.name!r} is left out: {left.why}"
    return _made("left out", left.name, 'kind = "categorical"', 'labels; or "text", made up', text=text)


def _withheld(found: Withheld, kind: str) -> Assumption:
    what = "1 label" if found.labels == 1 else f"{found.labels:,} labels" if found.labels else ""
    sort: Sort = "rare labels" if found.labels else "extremes"
    setting, comment = f'kind = "{kind}", public = true', f"publishes {what or 'the extremes'}"
    return _made(sort, found.name, setting, comment, what=what, rows=found.rows, text=found.text)


def _relation(relation: Relation) -> Assumption:
    return Assumption(
        sort="relation",
        columns=(relation.target, *relation.sources),
        what=relation.text,
        rows=relation.support,
        text=f"{relation.text} in every generated row, as in all real ones",
        overrule=f"relations.off = [{quoted(relation.text)}]",
    )


def _made(
    sort: Sort, name: str, setting: str, comment: str, *others: str, text: str, what: str = "", rows: int | None = None
) -> Assumption:
    """An assumption about a column, and perhaps about others beside it, that a setting of this column overrules."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)
    overrule = f"columns.{key} = {{ {setting} }}  # {comment}"
    return Assumption(sort=sort, columns=(name, *others), what=what, rows=rows, text=text, overrule=overrule)


def _names(found: Sequence[Assumption]) -> str:
    """The columns of assumptions of one sort in a line. Made-up columns are grouped by what they are made up as."""
    own: dict[str, list[str]] = {}
    for each in found:
        own.setdefault(each.what, []).append(line(each.columns[0]))
    if found[0].sort == "made up":
        return ", ".join(f"{what} ({listed(names, FEW // 2)})" for what, names in own.items())
    return listed([f"{name} ({what})" if what else name for what, names in own.items() for name in names])


def _parted(found: Assumption) -> tuple[str, str]:
    """The line that overrules an assumption about a column, below `[columns]`, and its comment."""
    setting, _, comment = found.overrule.removeprefix("columns.").rpartition("  # ")
    return setting, comment


def _spread(found: Sequence[Assumption], most: int) -> list[Assumption]:
    """At most so many assumptions, of every sort about as many, in their order."""
    places = {sort: [i for i, each in enumerate(found) if each.sort == sort] for sort in SORTS}
    order = sorted((rank, i) for own in places.values() for rank, i in enumerate(own))
    return [found[i] for i in sorted(i for _, i in order[:most])]
