"""Shifts of known size for a batch of Adult, and the column that a tool should name."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.stats import chi2_contingency, ks_2samp

DATA = Path(__file__).parents[2] / "data"

Edit = Callable[[pa.Table, np.random.Generator], pa.Table]


class Shift(NamedTuple):
    """A change of one column."""

    name: str
    column: str
    edit: Edit


def replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The table with other values in a column."""
    place = table.column_names.index(name)
    return table.set_column(
        place, table.schema.field(place), pa.chunked_array([values.cast(table.schema.field(place).type)])
    )


def moved(by: float) -> Shift:
    """Age moved by `by` of its standard deviations."""

    def edit(table: pa.Table, rng: np.random.Generator) -> pa.Table:
        age = table["age"].to_numpy()
        # years stay whole, so that a test of the last digit is no help: a share of the rows is one year older
        return replaced(table, "age", pa.array(np.floor(age + by * 13.6 + rng.random(len(age)))))

    return Shift(f"mean +{by:g} σ (age)", "age", edit)


def spread(factor: float) -> Shift:
    """Age stretched about its mean."""

    def edit(table: pa.Table, rng: np.random.Generator) -> pa.Table:
        age = table["age"].to_numpy()
        return replaced(table, "age", pa.array(np.floor(38.6 + factor * (age - 38.6) + rng.random(len(age)))))

    return Shift(f"spread ×{factor:g} (age)", "age", edit)


def lost(share: float) -> Shift:
    """A share of the hours per week become null."""

    def edit(table: pa.Table, rng: np.random.Generator) -> pa.Table:
        hours = table["hours-per-week"].to_numpy()
        return replaced(table, "hours-per-week", pa.array(hours, mask=rng.random(len(hours)) < share))

    return Shift(f"nulls +{share:.0%} (hours-per-week)", "hours-per-week", edit)


def swapped(share: float) -> Shift:
    """In a share of the rows, "Husband" and "Own-child" are swapped."""

    def edit(table: pa.Table, rng: np.random.Generator) -> pa.Table:
        labels = np.array(table["relationship"].to_pylist(), dtype=object)
        other = {"Husband": "Own-child", "Own-child": "Husband"}
        chosen = rng.random(len(labels)) < share
        new = [other.get(label, label) if hit else label for label, hit in zip(labels, chosen, strict=True)]
        return replaced(table, "relationship", pa.array(new))

    return Shift(f"labels swapped in {share:.0%} (relationship)", "relationship", edit)


def broken(share: float) -> Shift:
    """Years of education shuffled among a share of the rows. This keeps the column and breaks its dependence."""

    def edit(table: pa.Table, rng: np.random.Generator) -> pa.Table:
        years = table["education-num"].to_numpy().copy()
        chosen = np.flatnonzero(rng.random(len(years)) < share)
        years[chosen] = years[rng.permutation(chosen)]
        return replaced(table, "education-num", pa.array(years))

    return Shift(f"dependence broken in {share:.0%} (education-num)", "education-num", edit)


NOTHING = Shift("nothing", "", lambda table, _: table)
SHIFTS = (
    NOTHING,
    *(moved(by) for by in (0.1, 0.2, 0.4)),
    *(spread(factor) for factor in (1.25, 1.5)),
    *(lost(share) for share in (0.05, 0.2, 0.5)),
    *(swapped(share) for share in (0.2, 0.5)),
    *(broken(share) for share in (0.3, 0.6, 1.0)),
)


def population(name: str) -> pa.Table:
    """All rows of a real table, without a point in time derived from other columns."""
    if name == "adult":
        return pa.concat_tables([pq.read_table(DATA / f"adult_{part}.parquet") for part in ("train", "test")])
    table = pq.read_table(DATA / f"{name}.parquet")
    return table.drop_columns([c for c in ("datetime",) if c in table.column_names])


def drawn(table: pa.Table, rows: int, rng: np.random.Generator) -> pa.Table:
    """Rows drawn independently with replacement, as from an endless population."""
    return table.take(pa.array(rng.integers(0, table.num_rows, rows)))


def bonferroni(reference: pa.Table, batch: pa.Table, level: float = 0.05) -> set[str]:
    """Columns that a Kolmogorov–Smirnov (numbers) or χ² (labels) test flags at `level` over the number of columns."""
    flagged = set()
    for name in reference.column_names:
        sides = [table[name].combine_chunks() for table in (reference, batch)]
        if pa.types.is_string(sides[0].type) or pa.types.is_dictionary(sides[0].type):
            labels = pc.unique(pa.concat_arrays([side.cast(pa.string()) for side in sides]))
            counts = [
                np.bincount(
                    pc.index_in(side.cast(pa.string()), value_set=labels).to_numpy(zero_copy_only=False).astype(int),
                    minlength=len(labels),
                )
                for side in sides
            ]
            p = chi2_contingency(np.array(counts)).pvalue
        else:
            x, y = (side.drop_null().to_numpy() for side in sides)
            p = ks_2samp(x, y, method="asymp").pvalue
        if p < level / reference.num_columns:
            flagged.add(name)
    return flagged
