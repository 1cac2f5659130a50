"""All codecs of a table, and their common layout.

A `Normalization` turns a table into `Rows` and generated rows back into a table. It knows which variable belongs to
which column. A normalization that was fitted to one table can be extended to a later one; it keeps the old values.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from pipeline import columns
from pipeline.columns.base import Codec, Encoded, Novel, Origin
from pipeline.columns.fanout import joined
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.progress import Progress, silent
from pipeline.schema import Schema


class Normalization:
    """Codecs of the columns of a schema.

    Args:
        schema: The schema.
        codecs: A codec for each column.
    """

    def __init__(self, schema: Schema, codecs: Mapping[str, Codec]) -> None:
        self.schema = schema
        self.codecs = {column.name: codecs[column.name] for column in schema}

    @classmethod
    def fit(cls, rows: pa.Table, schema: Schema, taken: pa.Table | None = None, progress: Progress = silent) -> Self:
        """Fit the normalization of a table.

        Args:
            rows: The values to know.
            schema: The schema of the table.
            taken: Every real row there is. No made-up value is one of theirs. `rows` by default.
            progress: Called after every column.

        Raises:
            SchemaError: A column cannot be of its kind.
        """
        return cls(schema, columns.fit(rows, schema, taken, progress))

    def extend(self, rows: pa.Table, schema: Schema, novel: Novel, taken: pa.Table | None = None) -> "Extended":
        """Extend this normalization to further values. See `Codec.extend`.

        Raises:
            SchemaError: There are new labels, and they are refused.
        """
        extensions = columns.extend(self.codecs, rows, schema, novel, taken)
        origins: list[Origin] = []
        before = 0
        for name, extension in extensions.items():
            own = (o if o.variable is None else o._replace(variable=before + o.variable) for o in extension.origins)
            origins += own
            before += len(self.codecs[name].variables)
        grown = Normalization(schema, {name: extension.codec for name, extension in extensions.items()})
        return Extended(grown, tuple(origins))

    @cached_property
    def layout(self) -> Layout:
        """The variables of all columns, in their order."""
        return Layout(tuple(variable for codec in self.codecs.values() for variable in codec.variables))

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The index of the column that owns each variable."""
        return tuple(i for i, codec in enumerate(self.codecs.values()) for _ in codec.variables)

    def encode(self, table: pa.Table) -> Rows:
        """The normal form of a table of the schema. The layout must have a variable."""
        values: dict[str, list[NDArray[Any]]] = {sort: [] for sort in self.layout.positions}
        for name, codec in self.codecs.items():
            for variable, value in zip(codec.variables, codec.encode(table.column(name)).values, strict=True):
                values[variable.sort].append(value.astype(variable.dtype))
        return Rows({sort: torch.from_numpy(np.stack(own, 1)) for sort, own in values.items()})

    def decode(self, rows: Rows | None, random: np.random.Generator, index: NDArray[np.int64], count: int) -> pa.Table:
        """Turn generated rows into a table with the exact Arrow schema.

        Args:
            rows: The rows in normal form. None if there is no variable.
            random: Completes what the variables leave open.
            index: The numbers of the rows of a whole block. Noise is always drawn for a block, so that the noise of a
                row does not depend on the number of rows.
            count: How many of these rows to make.
        """
        values = dict(zip(self.codecs, self._by_column(rows), strict=True))
        arrays: dict[str, pa.Array] = {}
        for column in sorted(self.schema, key=lambda column: bool(column.unique_with)):
            codec, own = self.codecs[column.name], values[column.name]
            filled = tuple(_resized(value, len(index)) for value in own)
            if column.unique_with:
                beside = joined([arrays[name] for name in column.unique_with])
                rest = codec.draw_beside(filled, random, index, beside)
            else:
                rest = codec.draw(filled, random, index)
            arrays[column.name] = codec.decode(Encoded(own, rest[:count]))
        return pa.Table.from_arrays([arrays[name] for name in self.codecs], schema=self.schema.arrow)

    def keyed(
        self, table: pa.Table, rows: Rows | None, random: np.random.Generator, index: NDArray[np.int64]
    ) -> pa.Table:
        """A block of rows, some of which were drawn again, with made-up values for all of its rows.

        Made-up values are those of a row's place in the block, and a key has to be unique beside the columns that it is
        unique with (`Column.unique_with`), so they are made when these are settled.

        Args:
            table: The rows, with the columns of the schema that are made up.
            rows: The same rows in normal form. None if there is no variable.
            random: Completes what the variables leave open.
            index: The numbers of the rows of the whole block.
        """
        values = dict(zip(self.codecs, self._by_column(rows), strict=True))
        for column in self.schema:
            codec, own = self.codecs[column.name], values[column.name]
            if columns.is_modelled(column.kind):
                continue
            beside = joined([table[name] for name in column.unique_with]) if column.unique_with else None
            rest = codec.draw(own, random, index) if beside is None else codec.draw_beside(own, random, index, beside)
            place = table.column_names.index(column.name)
            table = table.set_column(place, table.schema.field(place), codec.decode(Encoded(own, rest)))
        return table

    def taken_apart(self, rows: Rows, share: float, random: np.random.Generator) -> Rows:
        """Shuffle the values of each column among a share of the rows. See `pipeline.privacy.rehearsal`."""
        chosen = torch.from_numpy(np.flatnonzero(random.random(len(rows)) < share))
        values = {sort: tensor.clone() for sort, tensor in rows.values.items()}
        for own in self.columns:
            dealt = chosen[torch.from_numpy(random.permutation(len(chosen)))]
            for i in own:
                tensor, k = values[self.layout.variables[i].sort], self.layout.places[i]
                tensor[chosen, k] = tensor[dealt, k]
        return Rows(values)

    def known(self, without: Collection[str]) -> torch.Tensor:
        """1 for each variable of a known column and 0 for each variable of the columns `without`, [variables]."""
        names = list(self.codecs)
        return torch.tensor([float(names[owner] not in without) for owner in self.owners])

    def strange(self, table: pa.Table) -> tuple[str, ...]:
        """Names of the columns of `table` with labels that the codecs do not know."""
        return tuple(name for name, codec in self.codecs.items() if codec.strange(table[name]))

    @property
    def labels(self) -> dict[str, pa.Array]:
        """The known labels, by column."""
        return {name: codec.labels for name, codec in self.codecs.items() if codec.labels is not None}

    @property
    def columns(self) -> Iterator[range]:
        """The positions of each column's variables."""
        start = 0
        for codec in self.codecs.values():
            yield range(start, start + len(codec.variables))
            start += len(codec.variables)

    def state(self) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
        """What `load` needs: the JSON values of every codec in order, and the arrays of all codecs."""
        return columns.state(self.codecs)

    @classmethod
    def load(cls, schema: Schema, states: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`.

        Raises:
            DamagedError: A column's kind is unknown, or is no kind that has this state.
        """
        return cls(schema, columns.load(schema, states, arrays))

    def _by_column(self, rows: Rows | None) -> Iterator[tuple[NDArray[Any], ...]]:
        """The values of each column's variables."""
        layout = self.layout
        for own in self.columns:
            pairs = [(layout.variables[i].sort, layout.places[i]) for i in own]
            yield tuple(rows.values[sort][:, k].numpy() for sort, k in pairs) if rows is not None else ()


class Extended(NamedTuple):
    """An extended normalization, and the origin of each of its variables."""

    normalization: Normalization
    origins: tuple[Origin, ...]


def _resized(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """The values, repeated or cut to `rows`."""
    return np.resize(values, (rows, *values.shape[1:]))
