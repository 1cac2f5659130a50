"""Made-up texts, and integers that are written like texts."""

from typing import Literal, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import personal
from pipeline.arrow.widening import is_string
from pipeline.checks import expect
from pipeline.columns.moulds.leaf import ENDLESS, Leaf, Wanted
from pipeline.personal import Fake, Provider, Recognition
from pipeline.personal.mixing import Ints

CODES = ("code", "uuid", "iban", "card", "national id", "mac address", "phone")
"""Shapes of texts that are written like numbers."""
SENTENCE = 2.0
"""Mean number of spaces. Texts with at least as many are sentences."""


class Texts(Leaf):
    """Texts, or integers that are written like texts, such as telephone numbers."""

    kind: Literal["texts"] = "texts"
    fake: Fake

    @classmethod
    def fit(cls, values: pa.Array, look: Recognition | Provider, wanted: Wanted) -> Self:
        """Learn how the texts look. `look` is what they are recognised as, or what the settings choose."""
        fake = Fake.fit(values, look, wanted.least_rows, wanted.besides, fresh=wanted.fresh)
        return cls(fake=fake, pool=wanted.pool(len(values.unique())))

    @property
    def room(self) -> int:
        """Unlimited for codes, which get longer if there is no room left. 0 for names, which rows share."""
        return min(self.fake.room, ENDLESS)

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
        """Texts. Raises ArrowInvalid if they do not fit into integers."""
        return self.fake.make(self.pooled(index, seed), seed).cast(arrow)

    def check(self, arrow: pa.DataType) -> None:
        """Expect a type of texts or integers."""
        whole = bool(pa.types.is_integer(arrow)) and self.fake.maker.kind == "code"
        expect(is_string(arrow) or whole, "made-up texts for texts, or codes for integers")


def shape_of(name: str, values: pa.Array) -> Recognition:
    """How made-up values look: as what is recognised, else as prose or codes."""
    return personal.recognise(name, values) or unrecognised(values)


def unrecognised(values: pa.Array) -> Recognition:
    """How made-up values look if nothing is recognised: as prose if there are sentences, else as codes."""
    words = pc.mean(pc.count_substring(values.cast(pa.string()), " ")).as_py() or 0.0
    return Recognition(shape="free text" if words >= SENTENCE else "code", reason="no shape was recognised")


def code_of(name: str, values: pa.Array) -> Recognition:
    """How fresh texts look: as codes, of a standard form if they have one."""
    found = personal.recognise(name, values)
    return found if found is not None and found.shape in CODES else Recognition(shape="code", reason="")
