"""Values composed of parts: a template is a sequence of literal texts and names of parts.

A part is written <like this> in lower case, <LIKE THIS> in capitals, and <Like this> in its own case.
"""

import re
from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from pipeline.personal.mixing import Ints
from pipeline.records import Record

PART = re.compile(r"(<[A-Za-z0-9 ]+>)")
Make = Callable[[str, Ints], pa.Array]
"""Makes the texts of a part for some rows."""


class Template(Record):
    """A sequence of literals and parts, and its frequency."""

    text: str = Field(min_length=1, max_length=400)
    weight: int = Field(ge=1)

    def render(self, index: Ints, make: Make) -> pa.Array:
        """The values of some rows; `index` is passed on to `make`."""
        pieces = []
        for piece in filter(None, PART.split(self.text)):
            if not PART.fullmatch(piece):
                pieces.append(pa.scalar(piece))
                continue
            name = piece[1:-1]
            made = make(name.lower(), index)
            if name.isupper() or name.islower():
                made = pc.utf8_upper(pc.replace_substring(made, "ß", "ss")) if name.isupper() else pc.utf8_lower(made)
            pieces.append(made)
        if all(isinstance(piece, pa.Scalar) for piece in pieces):
            return pa.array([self.text] * len(index), pa.string())
        return pc.binary_join_element_wise(*pieces, "")


def only(templates: tuple[Template, ...], parts: str) -> None:
    """Raise ValueError unless all parts of the templates match a regular expression."""
    for template in templates:
        for piece in PART.findall(template.text):
            if not re.fullmatch(parts, piece[1:-1].lower()):
                raise ValueError("a template has an unknown part")


def scattered(which: Ints, makers: Iterable[Callable[[Ints], pa.Array]]) -> pa.Array:
    """One array from several makers: maker k makes the places where `which` is k."""
    parts, order = [pa.array([], pa.string())], [np.zeros(0, dtype=np.int64)]
    for number, maker in enumerate(makers):
        places = np.flatnonzero(which == number)
        if len(places):
            parts.append(maker(places))
            order.append(places)
    return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(order), kind="stable")))


def commonest(templates: pa.Array, least_rows: int, most: int) -> tuple[Template, ...]:
    """The most frequent templates, each of at least `least_rows` rows. Empty texts are no templates."""
    counted = templates.value_counts()
    texts, rows = counted.field("values").to_pylist(), counted.field("counts").to_numpy()
    best = [place for place in np.argsort(-rows, kind="stable")[:most].tolist() if rows[place] >= least_rows]
    total = max(int(rows[best].sum()), 1)
    return tuple(
        Template(text=texts[place], weight=max(1, round(1000 * int(rows[place]) / total)))
        for place in best
        if texts[place] and len(texts[place]) <= 400  # noqa: PLR2004
    )
