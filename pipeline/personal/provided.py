"""Made-up values of a provider of the library Faker, such as jobs, colours or licence plates.

Values are drawn while fakes are fitted. Those that occur in the column are left out, and so are those with a word of a
real name. Case and accents do not count. A random half of the rest is kept, so a missing value was not necessarily a
real one. Generation reads the kept values and does not import Faker.
"""

import re
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from pipeline.errors import SchemaError, SettingsError
from pipeline.personal.folding import Words, folded, secret
from pipeline.personal.mixing import Ints, below, permuted
from pipeline.records import Record

if TYPE_CHECKING:
    from faker.generator import Generator

USUAL = "en_US"
"""The locale of values if none is chosen."""
_DRAWS, _MOST_DRAWS, _MOST_LETTERS = 2**13, 2**16, 2**20
_SEEDS = 2**32
_WORD = re.compile(r"[^\W\d_]{3,}")
"""Fewer letters are no name: those of a licence plate may be anybody's initials."""


class Provider(Record):
    """A provider method of Faker that makes texts without arguments, in a locale."""

    name: str
    locale: str = USUAL

    def known(self) -> frozenset[str]:
        """The names of all provider methods of the locale. Raises AttributeError if Faker has no such locale."""
        return _methods(self._generator())

    def check(self) -> None:
        """Raise a SettingsError unless the method makes texts without arguments."""
        try:
            made = self._generator().format(self.name)
        except Exception as error:  # noqa: BLE001 - a provider may raise anything
            what = f"{self.name!r} cannot be called without any ({type(error).__name__})"
            raise SettingsError(f"expected a provider of Faker that needs no arguments, {what}") from None
        if not isinstance(made, str):
            what = f"{self.name!r} makes values of type {type(made).__name__}"
            raise SettingsError(f"expected a provider of Faker that makes texts, {what}")

    def draw(self, draws: int, seed: int) -> list[str]:
        """Different texts, in the order in which they were first drawn. Draws end early if texts are long."""
        generator, found, letters = self._generator(), dict[str, None](), 0
        generator.seed_instance(seed)
        for _ in range(draws):
            text = str(generator.format(self.name))
            letters += len(text)
            if text.strip():
                found[text] = None
            if letters > _MOST_LETTERS:
                break
        return list(found)

    def _generator(self) -> "Generator":
        from faker import Faker  # noqa: PLC0415 - generation never imports it

        generator: Generator = Faker(self.locale).factories[0]
        return generator


class Provided(Record):
    """Values that Faker made, for rows to choose from.

    Attributes:
        provider: The method that made them.
        values: All different.
    """

    kind: Literal["provided"] = "provided"
    provider: str
    values: tuple[str, ...] = Field(min_length=1, max_length=_MOST_DRAWS)

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.values)) < len(self.values):
            raise ValueError("values that repeat")
        return self

    @classmethod
    def fit(cls, values: pa.Array, provider: Provider, besides: Words | None, *, fresh: bool) -> Self:
        """Draw values that are no real ones, more if rows are to differ. Raises SchemaError if there are none."""
        random = secret(values, provider.name)
        drawn = provider.draw(_MOST_DRAWS if fresh else _DRAWS, int(random.integers(_SEEDS)))
        real = set(_plain(values.unique()).to_pylist())
        folds = _plain(pa.array(drawn, pa.string())).to_pylist()
        free = {fold: text for fold, text in zip(folds, drawn, strict=True) if fold not in real}
        free = {fold: text for fold, text in free.items() if besides is None or not _named(fold, besides)}
        if not free:
            made = f"{len(drawn):,} that Faker's {provider.name!r} makes"
            raise SchemaError(f"expected a made-up value that is no real one, got none among the {made}")
        texts = list(free.values())
        kept = random.permutation(len(texts))[: (len(texts) + 1) // 2].tolist()
        return cls(provider=provider.name, values=tuple(sorted(texts[place] for place in kept)))

    @property
    def room(self) -> int:
        """Number of rows with values of their own: the first ones."""
        return len(self.values)

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The value of each row. Each run of as many rows as there are values has all of them."""
        size = len(self.values)
        block, place = np.divmod(index, size)
        numbers = (permuted(place, size, seed, "value") + below(block, size, seed, "block")) % size
        return pa.array(self.values, pa.string()).take(pa.array(numbers))


def _plain(values: pa.Array) -> pa.Array:
    return folded(pc.utf8_trim_whitespace(values))


def _named(fold: str, names: Words) -> bool:
    """Whether a folded text has a word of a real name."""
    return any(names.holds(word) for word in _WORD.findall(fold))


def _methods(generator: "Generator") -> frozenset[str]:
    """The names of the methods that a generator has from its providers."""
    providers = generator.get_providers()
    return frozenset(
        name for provider in providers for name in dir(provider) if name[0] != "_" and callable(getattr(provider, name))
    )
