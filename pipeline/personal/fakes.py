"""Made-up values for columns that identify people.

A `Fake` is fitted to all real values of a column and holds none of them. The value that it makes for a row is a
function of its state, a seed and the row's index. No made-up value is a real one, by construction; the module of each
fake says how.
"""

from typing import Annotated, Any, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, ValidationError

from pipeline.errors import FormatError
from pipeline.personal.codes import Code, CodeShape
from pipeline.personal.folding import Words
from pipeline.personal.handles import Handle
from pipeline.personal.mixing import Ints
from pipeline.personal.networks import Network
from pipeline.personal.people import Person
from pipeline.personal.places import Address
from pipeline.personal.pools import LANGUAGES, Language
from pipeline.personal.prose import Prose
from pipeline.personal.provided import Provided, Provider
from pipeline.personal.recognition import Recognition
from pipeline.records import Record

_CODES: dict[str, CodeShape] = {
    "phone": "phone",
    "iban": "iban",
    "card": "card",
    "national id": "national id",
    "uuid": "uuid",
    "mac address": "mac address",
    "code": "code",
}
_CHECKS = {"iban": "iban", "card": "card"}
LEAST_ROWS = 5

Maker = Annotated[Code | Handle | Network | Person | Address | Prose | Provided, Field(discriminator="kind")]


class Fake(Record):
    """Made-up values for one column."""

    maker: Maker

    @classmethod
    def fit(
        cls,
        values: pa.Array,
        look: Recognition | Provider,
        least_rows: int = LEAST_ROWS,
        besides: Words | None = None,
        *,
        fresh: bool = False,
    ) -> Self:
        """Learn from real values what made-up values should look like.

        Args:
            values: Every real value, with repeats, without nulls: strings or integers.
            look: What the column holds, or the provider of Faker that is chosen for it.
            least_rows: A layout, prefix or format of fewer rows is not kept.
            besides: Real words of other columns. No made-up name, address or handle uses them either.
            fresh: Whether as many rows as possible are to have values of their own.

        Raises:
            SchemaError: There is no made-up value that is no real one.
        """
        digits, values = digits_of(values.type), values.cast(pa.string())
        if isinstance(look, Provider):
            return cls(maker=Provided.fit(values, look, besides, fresh=fresh))
        shape, language = look.shape, look.language
        if look.usual:  # no format has as many rows
            least_rows = len(values) + 1
        maker: Code | Handle | Network | Person | Address | Prose
        match shape:
            case "email" | "user name" | "url":
                maker = Handle.fit(values, shape, language, least_rows, besides)
            case "person" | "first name" | "last name" | "company":
                maker = Person.fit(values, shape, language, least_rows, besides)
            case "address":
                maker = Address.fit(values, language, least_rows, besides)
            case "ip":
                maker = Network.fit(values, least_rows)
            case "free text":
                maker = Prose.fit(values, language, least_rows, besides)
            case _:
                check = _CHECKS.get(shape, look.check)
                maker = Code.fit(values, _CODES[shape], check, least_rows, language, digits)
        return cls(maker=maker)

    @property
    def room(self) -> int:
        """Number of rows with values of their own. 0 for values that repeat, as those of names do."""
        return 0 if isinstance(self.maker, Person | Address | Prose) else self.maker.room

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up value of each of the rows numbered `index`, as strings."""
        return self.maker.make(index, seed)

    def state(self) -> dict[str, Any]:
        """The fake as JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def load(cls, state: dict[str, Any]) -> Self:
        """The inverse of `state`. Raises FormatError if the state is damaged."""
        try:
            return cls.model_validate(state)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise FormatError(f"the saved made-up values of a column are damaged at {place!r}") from None


def digits_of(arrow: pa.DataType) -> int:
    """The most digits that every number of an integer type may have. 0 for other types."""
    return len(str(np.iinfo(arrow.to_pandas_dtype()).max)) - 1 if pa.types.is_integer(arrow) else 0


__all__ = ["LANGUAGES", "LEAST_ROWS", "Fake", "Language"]
