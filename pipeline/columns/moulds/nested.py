"""Made-up lists, structures and maps. They are composed of other moulds, as their types are.

Lists are as long as real ones, up to `LONGEST`. A length that only a few lists have is not kept. Nulls inside occur at
about their rate. Fresh values have no nulls inside and no empty lists. One component with enough room makes the whole
value different from all others.
"""

from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from pipeline.arrow.labels import counted, labels, values
from pipeline.arrow.nesting import Codes, entries, list_lengths, lists, structs
from pipeline.arrow.widening import is_bytes, is_list, is_string
from pipeline.checks import expect
from pipeline.columns.moulds.leaf import ENDLESS, Leaf, Nothing, Wanted, lengths_of
from pipeline.columns.moulds.octets import Octets
from pipeline.columns.moulds.steps import Steps
from pipeline.columns.moulds.texts import Texts, code_of, shape_of
from pipeline.personal import look, recognise
from pipeline.personal.mixing import Ints, below, chosen
from pipeline.randomness import key

LONGEST = 4_096
"""Largest number of values in a made-up list without a fixed size."""


class Sized(Leaf):
    """The base of lists and maps.

    Attributes:
        lengths: Possible numbers of values.
        weights: The weight of each length.
    """

    lengths: tuple[int, ...] = Field(min_length=1)
    weights: tuple[int, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.lengths) != len(self.weights) or not all(0 < weight < 2**40 for weight in self.weights):
            raise ValueError("lengths and their weights differ")
        return self

    @property
    def most(self) -> int:
        """The greatest length, at least 1."""
        return max(1, *self.lengths)

    def expect_lengths(self, size: int | None) -> None:
        """Raise a DamagedError unless the lengths are possible for lists, of the fixed `size` if there is one."""
        possible = all(0 <= length <= LONGEST for length in self.lengths) if size is None else self.lengths == (size,)
        expect(possible, "possible lengths of lists")

    def counts(self, index: Ints, seed: int) -> Codes:
        """The number of values of each index."""
        return np.asarray(self.lengths, dtype=np.int64)[chosen(index, self.weights, seed, "length")]

    def inner(self, index: Ints, counts: Codes) -> tuple[Ints, Ints]:
        """The index of each value inside, one list after the other, and its place in its list."""
        place = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(index, counts) * self.most + place, place


class Lists(Sized):
    """Lists of any sort, without maps."""

    kind: Literal["lists"] = "lists"
    element: "Mould"

    @property
    def room(self) -> int:
        """The room of a list's first value, if no list is empty."""
        return self.element.room // self.most if min(self.lengths) else 0

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
        """Lists."""
        counts = self.counts(index, seed)
        inner, _ = self.inner(index, counts)

        def elements(kind: pa.DataType) -> pa.Array:
            return within(self.element, inner, child_seed(seed, 0), kind)

        return lists(counts, elements, arrow, np.zeros(len(index), dtype=bool))

    def check(self, arrow: pa.DataType) -> None:
        """Expect a list type, and equal lengths if its size is fixed."""
        expect(is_list(arrow) and not pa.types.is_map(arrow), "made-up lists for lists")
        self.expect_lengths(arrow.list_size if pa.types.is_fixed_size_list(arrow) else None)
        check(self.element, arrow.value_type)


class Structs(Leaf):
    """Structures."""

    kind: Literal["structs"] = "structs"
    children: tuple["Mould", ...]

    @property
    def room(self) -> int:
        """The room of the child that has most."""
        return max((child.room for child in self.children), default=0)

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
        """Structures."""
        children = [
            within(child, index, child_seed(seed, i), arrow.field(i).type) for i, child in enumerate(self.children)
        ]
        return structs(children, arrow, np.zeros(len(index), dtype=bool))

    def check(self, arrow: pa.DataType) -> None:
        """Expect a structure type with as many children, each of which its mould can make."""
        expect(
            pa.types.is_struct(arrow) and arrow.num_fields == len(self.children), "made-up structures for structures"
        )
        for i, child in enumerate(self.children):
            check(child, arrow.field(i).type)


class Maps(Sized):
    """Maps. Keys are fresh, so that no map repeats one. `keys` is the number of different keys, 0 if unlimited."""

    kind: Literal["maps"] = "maps"
    key: "Mould"
    item: "Mould"
    keys: int = Field(ge=0, le=ENDLESS)

    @property
    def room(self) -> int:
        """The room of a map's first key, if no map is empty."""
        return self.key.room // self.most if min(self.lengths) and not self.keys else 0

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
        """Maps."""
        counts = self.counts(index, seed)
        inner, place = self.inner(index, counts)
        own = inner
        if self.keys:
            own = (below(np.repeat(index, counts), self.keys, seed, "keys") + place) % self.keys

        def pairs(kind: pa.DataType) -> pa.Array:
            keys = filled(self.key, own, child_seed(seed, 0), kind.field(0).type)
            items = within(self.item, inner, child_seed(seed, 1), kind.field(1).type)
            return structs([keys, items], kind, np.zeros(len(own), dtype=bool))

        return lists(counts, pairs, arrow, np.zeros(len(index), dtype=bool))

    def check(self, arrow: pa.DataType) -> None:
        """Expect a map type."""
        expect(pa.types.is_map(arrow), "made-up maps for maps")
        self.expect_lengths(None)
        check(self.key, arrow.key_type)
        check(self.item, arrow.item_type)


Mould = Annotated[Nothing | Texts | Steps | Octets | Lists | Structs | Maps, Field(discriminator="kind")]
for _record in (Lists, Structs, Maps):
    _record.model_rebuild()


def fit(array: pa.Array, name: str, wanted: Wanted, known: Mould | None = None) -> Mould:  # noqa: PLR0911 - one a family
    """Fit a mould to real values.

    Args:
        array: The values, of any type that has labels. Nulls and NaN are left out.
        name: The name of the column or field, which helps to recognise its values.
        wanted: Requirements on made-up values.
        known: A mould of the same type. Its fresh numbers are kept if they are still free.
    """
    array = _plain(array)
    kind = array.type
    if not len(array):
        return Nothing()
    if wanted.fake is not None:
        return Texts.fit(array, look(wanted.fake, wanted.locale, name, array), wanted)
    if pa.types.is_struct(kind):
        olds = known.children if isinstance(known, Structs) else (None,) * kind.num_fields
        children = zip(array.flatten(), (kind.field(i).name for i in range(kind.num_fields)), olds, strict=True)
        return Structs(children=tuple(_inner(child, field, wanted, old) for child, field, old in children))
    if is_list(kind):
        return _list(array, name, wanted, known)
    if is_string(kind):
        return Texts.fit(array, (code_of if wanted.fresh else shape_of)(name, array), wanted)
    if is_bytes(kind):
        return Octets.fit(array, wanted)
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        found = recognise(name, array.cast(pa.int64()))
        if found is not None and (found.check or not wanted.fresh):
            return Texts.fit(array, found, wanted)
    return Steps.fit(array, wanted, known if isinstance(known, Steps) else None)


def filled(mould: Mould, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
    """The values of a mould for each index, with type and encoding of `arrow`.

    Raises:
        ArrowInvalid: The type has no room for them.
    """
    if isinstance(arrow, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(arrow, filled(mould, index, seed, arrow.storage_type))
    if not pa.types.is_dictionary(arrow):
        return mould.make(index, seed, arrow)
    made = labels(filled(mould, index, seed, arrow.value_type))
    distinct = values(made.dictionary, arrow.value_type)
    return pa.DictionaryArray.from_arrays(made.indices.cast(arrow.index_type), distinct, ordered=arrow.ordered)


def within(mould: Mould, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
    """The values of a mould inside another one, with nulls."""
    made = filled(mould, index, seed, arrow)
    if not mould.nulls:
        return made
    null = below(index, 1000, seed, "null") < mould.nulls
    return made.take(pa.array(np.arange(len(index)), mask=null))


def check(mould: Mould, arrow: pa.DataType) -> None:
    """Raise a DamagedError unless a mould makes values of type `arrow`."""
    if isinstance(arrow, pa.BaseExtensionType):
        check(mould, arrow.storage_type)
    elif pa.types.is_dictionary(arrow):
        check(mould, arrow.value_type)
    else:
        mould.check(arrow)


def child_seed(seed: int, child: int) -> int:
    """The seed of a child. Siblings have different seeds."""
    return key(seed, "child", child) % 2**62


def _plain(array: pa.Array) -> pa.Array:
    """The values of an array that are neither null nor NaN, without dictionaries and extensions."""
    while isinstance(array, (pa.ExtensionArray, pa.DictionaryArray)):
        array = array.storage if isinstance(array, pa.ExtensionArray) else array.dictionary_decode()
    if pa.types.is_floating(array.type):
        wide = array.cast(pa.float64())
        array = array.filter(pc.fill_null(pc.is_finite(wide), False))  # noqa: FBT003
    return array.drop_null()


def _inner(array: pa.Array, name: str, wanted: Wanted, known: Mould | None) -> Mould:
    """The mould of values inside others, with their rate of nulls. Fresh values have no nulls."""
    found = fit(array, name, replace(wanted, few=True), known)
    nulls = len(array) - len(_plain(array))
    if isinstance(found, Nothing) or wanted.fresh or nulls < wanted.least_rows:
        return found
    return found.model_copy(update={"nulls": min(round(1000 * nulls / len(array)), 1000)})


def _list(array: pa.Array, name: str, wanted: Wanted, known: Mould | None) -> Mould:
    """The mould of lists or maps."""
    kind = array.type
    lengths = list_lengths(array).clip(max=LONGEST)
    if pa.types.is_fixed_size_list(kind):
        sizes = {kind.list_size: 1}
    else:
        sizes = dict(lengths_of(lengths, wanted.least_rows)) if lengths.any() else {0: 1}
        if wanted.fresh:
            sizes = {size: weight for size, weight in sizes.items() if size} or {1: 1}
    shape = {"lengths": tuple(sizes), "weights": tuple(sizes.values()), "pool": 0}
    if not pa.types.is_map(kind):
        old = known.element if isinstance(known, Lists) else None
        return Lists(element=_inner(array.flatten(), name, wanted, old), **shape)
    keys, items = entries(array).flatten().flatten()
    olds = (known.key, known.item) if isinstance(known, Maps) else (None, None)
    pool = 0 if wanted.fresh else max(replace(wanted, few=True).pool(len(counted(keys)[0])), *sizes)
    fresh = replace(wanted, fresh=True)
    return Maps(key=_inner(keys, name, fresh, olds[0]), item=_inner(items, name, wanted, olds[1]), keys=pool, **shape)
