"""How a table would be taken: the kind of each column and why, what is sensitive, and examples of generated values.

The examples are made up, or drawn column by column from values that may be shown. So nothing is trained, and no real
value of few rows is among them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import columns
from pipeline.arrow.arrays import combined
from pipeline.arrow.labels import can_label, counted
from pipeline.arrow.texts import Guess
from pipeline.assumptions import Assumption, line, listed, off, quoted
from pipeline.columns.base import Codec, Encoded
from pipeline.columns.categorical import Categorical
from pipeline.data.tables import ReadSettings
from pipeline.measures import NOMINAL
from pipeline.privacy.disclosure import Disclosure, Withheld
from pipeline.progress import Progress, part, silent, ticked
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.relations import Relation, Relations
from pipeline.relations.written import Written, written
from pipeline.schema import Column, PrivacySettings, Schema

EXAMPLES = 3


class Inspection(Record):
    """How one column would be taken.

    Attributes:
        name: The column.
        type: Its Arrow type.
        kind: Its kind, as in the settings; "drop" if it is left out.
        why: The reason in words.
        distinct: Number of different values. None if they cannot be counted.
        nulls: Number of rows without a value.
        fake: What the settings choose for its made-up values.
        locale: The locale that they choose for them.
        form: The form in which dates are written in texts. None for other columns.
        public: Whether everybody knows its labels, so that none is withheld.
        sensitive: Whether its values may identify a person, so that they are made up.
        withheld: Labels and rows that are withheld because too few rows share a value.
        examples: Generated values.
    """

    name: str
    type: str
    kind: str
    why: str
    distinct: int | None
    nulls: int
    fake: str | None = None
    locale: str | None = None
    form: str | None = None
    sensitive: bool = False
    public: bool = False
    withheld: Withheld | None = None
    examples: tuple[str, ...] = ()


def inspect(
    table: pa.Table, schema: Schema, relations: Iterable[Relation] = (), *, seed: int = 0, progress: Progress = silent
) -> tuple[Inspection, ...]:
    """Inspect every column of a table, in order.

    Args:
        table: The table, with the columns that `schema` drops.
        schema: From `pipeline.columns.infer`.
        relations: What holds in every row. They tell texts that are dates.
        seed: The seed of the examples.
        progress: Called after every column.
    """
    dates = {own.target: own for own in relations if isinstance(own, Written)}
    read = Relations(schema, list(dates.values()))
    rows, taken = read.free(table.select(schema.names)), read.free_schema
    rule = Disclosure.of(rows, taken)
    withheld = {each.name: each for each in rule.withheld if each.name not in dates}
    codecs = columns.fit(rule.apply(rows, seed=seed), taken, rows, part(progress, 0, 0.8, "examples"))
    why = {left.name: left.why for left in schema.left_out}
    found = []
    for name in ticked(table.column_names, "examples", part(progress, 0.8, 1)):
        array = table[name]
        kind, reason = columns.DROP, why.get(name, "")
        if name in schema.names:
            kind, reason = schema[name].kind, schema[name].why
        form = dates[name].form if name in dates else None
        drawn = stream(seed, "inspect", name)
        found.append(
            Inspection(
                name=name,
                type=str(array.type),
                kind=kind,
                why=reason if form is None else f"dates, written as {form}",
                distinct=_distinct(array),
                nulls=array.null_count,
                fake=schema[name].fake if name in schema.names else None,
                locale=schema[name].locale if name in schema.names else None,
                form=form,
                sensitive=form is None and kind != columns.DROP and columns.KINDS[kind].way == "made up",
                public=name in schema.names and _public(schema[name]),
                withheld=withheld.get(name),
                examples=_examples(codecs[name], rows[name], drawn, form) if name in codecs else (),
            )
        )
    return tuple(found)


def _public(column: Column) -> bool:
    """Whether everybody knows the labels of a column, so that the settings have to say so where they choose a kind."""
    return column.kind == Categorical.kind and column.least_rows <= 1


def brief(schema: Schema) -> tuple[str, ...]:
    """A summary of how a table is taken, one line per group of columns."""
    groups: dict[str, list[str]] = {"modelled": [], "made up": [], "published all null": []}
    for column in schema:
        group = columns.KINDS[column.kind].way
        groups[group].append(f"{column.name} ({column.kind})" if group == "made up" else column.name)
    groups["left out"] = list(schema.dropped)
    return tuple(f"columns {group}: {listed(list(map(line, names)))}" for group, names in groups.items() if names)


def settings(
    found: tuple[Inspection, ...],
    privacy: PrivacySettings,
    given: Mapping[str, str],
    assumed: Sequence[Assumption] = (),
    guessed: Mapping[str, Guess] | None = None,
    read: ReadSettings | None = None,
) -> str:
    """Write what was found as a `resynth.toml` that can be edited.

    Args:
        found: From `inspect`.
        privacy: What may be published.
        given: Settings for the first lines, such as `data`.
        assumed: What is assumed about the table. Its relations are listed as comments.
        guessed: What was guessed about types that files do not tell. They are written, for later files.
        read: How the table is read. What is not the default is written.
    """
    lines = [f"{key} = {quoted(value)}" for key, value in given.items()]
    if needed := (read or ReadSettings()).model_dump(exclude_defaults=True):
        lines += ["", "[read]", *(f"{key} = {json.dumps(value)}" for key, value in needed.items())]
    lines += ["", "[privacy]", f"least_rows = {privacy.least_rows}  # what fewer rows share is not published"]
    for column in found:
        mark = "" if column.form is None else "# "  # a kind that is chosen would make dates up
        lines += ["", f"[columns.{quoted(column.name)}]", f"{mark}kind = {quoted(column.kind)}  # {line(column.why)}"]
        kind = (guessed or {}).get(column.name, Guess(pa.null())).type
        chosen = {"type": None if pa.types.is_null(kind) else str(kind), "fake": column.fake, "locale": column.locale}
        lines += [f"{key} = {quoted(value)}" for key, value in chosen.items() if value is not None]
        if column.public:
            lines.append("public = true")
        if column.withheld is not None and column.withheld.labels:
            lines.append(f"# public = true  # would publish {column.withheld.labels} labels more")
    if relations := off(assumed):
        lines += ["", "[relations]", "off = [  # a relation is not kept if the # before it is deleted"]
        lines += [*(f"    # {quoted(text)}," for text in relations), "]"]
    return "\n".join(lines) + "\n"


def _examples(codec: Codec, array: pa.ChunkedArray, random: np.random.Generator, form: str | None) -> tuple[str, ...]:
    """Generated values, dates in a form. Each has the symbols of a row drawn at random."""
    if not len(array):
        return ()
    rows = array.take(pa.array(random.integers(len(array), size=EXAMPLES)))
    values = codec.encode(rows).values
    made = codec.decode(Encoded(values, codec.draw(values, random, np.arange(EXAMPLES))))
    if form is not None:
        made = written(made, form)
    texts = (NOMINAL if form is not None else codec.measure or NOMINAL).texts(
        made
    )  # columns that are not compared still have labels
    return tuple(
        "null" if gone else line(str(text)) for text, gone in zip(texts, made.is_null().to_pylist(), strict=True)
    )


def _distinct(array: pa.ChunkedArray) -> int | None:
    try:
        return int(pc.count_distinct(combined(array)).as_py())
    except pa.ArrowNotImplementedError:
        return len(counted(array)[0]) if can_label(array.type) else None
