"""Evidence: what is given about rows before they are generated or scored.

Each cell of a row is *known* (its value is given), *limited* (to a set of symbols or to a range), or *open*. An unknown
cell is not a null, because a null is a value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from pipeline.models.heads import HEADS
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows


@dataclass(frozen=True)
class Evidence:
    """Rows of which some cells are known or limited.

    Attributes:
        rows: The known cells. `rows.known` says which cells are known; None means all of them.
        limits: Limits of cells that are not known, by position in the sequence of variables. The form depends on the
            head: allowed symbols as 1 or 0, [rows, size]; least and greatest real, [rows, 2].
    """

    rows: Rows
    limits: Mapping[int, Tensor] = field(default_factory=dict)

    def take(self, rows: slice) -> "Evidence":
        """The evidence of some of the rows."""
        return Evidence(self.rows.take(rows), {i: limit[rows] for i, limit in self.limits.items()})

    def parts(self) -> "Iterator[Evidence]":
        """The evidence, as many rows at a time as `Rows.parts` takes."""
        for start in range(0, len(self), self.rows.part_size):
            yield self.take(slice(start, start + self.rows.part_size))

    def check(self, layout: Layout) -> None:
        """Check that every limit leaves a value that can be generated.

        Raises:
            SettingsError: One does not.
        """
        for i, limit in self.limits.items():
            HEADS[layout.variables[i].sort].check(layout.variables[i], limit)

    def __len__(self) -> int:
        return len(self.rows)
