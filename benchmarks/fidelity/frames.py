"""Tables as the scorers see them: numbers and points in time as floats, everything else as text.

Null is a category of its own in text, and NaN in floats. This module uses no code of resynth.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tables import Benchmark

NULL = "∅"
Floats = NDArray[np.float64]


def read(path: str, benchmark: Benchmark) -> pd.DataFrame:
    """The `view` of a Parquet file."""
    return view(pq.read_table(path), benchmark)


def view(table: pa.Table, benchmark: Benchmark) -> pd.DataFrame:
    """A table with one pandas column of floats or text per column."""
    columns = {}
    for field in table.schema:
        array = table.column(field.name)
        if pa.types.is_temporal(field.type):
            wide = pa.int32() if field.type.bit_width == 32 else pa.int64()
            columns[field.name] = array.cast(wide).to_pandas().astype(float)
        elif numeric(field.type) and field.name not in benchmark.categories:
            columns[field.name] = array.to_pandas().astype(float)
        else:
            values = array.to_pandas()
            columns[field.name] = values.astype(object).where(values.notna(), NULL).astype(str)
    return pd.DataFrame(columns)


def numeric(kind: pa.DataType) -> bool:
    """Whether an Arrow type counts as a number."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def named(values: pd.Series) -> bool:
    """Whether a column of `read` is text."""
    return not pd.api.types.is_numeric_dtype(values)


def codes(*frames: pd.DataFrame) -> list[Floats]:
    """Frames as float matrices with shared category codes."""
    result = [np.empty(f.shape) for f in frames]
    for j, column in enumerate(frames[0]):
        place = {}
        if named(frames[0][column]):
            values = sorted(set().union(*(set(f[column]) for f in frames)))
            place = {value: i for i, value in enumerate(values)}
        for f, out in zip(frames, result, strict=True):
            out[:, j] = f[column].map(place) if place else f[column]
    return result


class Space:
    """A metric space of rows. The squared distance is Σ (difference of ranks)² over numbers + mismatches of categories.

    Ranks are those in the pooled `frames`, in [0, 1]. Whether a number is null counts as another category. A mismatch
    of a category costs as much as the distance between the smallest and the largest value of a number.
    """

    def __init__(self, frames: Sequence[pd.DataFrame]) -> None:
        self.pool = pd.concat(frames, ignore_index=True)
        self.sorted = {c: np.sort(self.pool[c].dropna()) for c in self.pool if not named(self.pool[c])}
        self.labels = {c: pd.Index(self.pool[c].unique()) for c in self.pool if named(self.pool[c])}

    def place(self, frame: pd.DataFrame) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Rows as ranks [rows, numbers] and codes [rows, categories]."""
        ranks, labels = [], []
        for column, values in self.sorted.items():
            own = frame[column].to_numpy()
            middle = (np.searchsorted(values, own) + np.searchsorted(values, own, "right")) / 2 / max(len(values), 1)
            ranks.append(np.where(np.isnan(own), 0.5, middle))
            if len(values) < len(self.pool):
                labels.append(np.isnan(own).astype(int))
        labels += [index.get_indexer(frame[column]) for column, index in self.labels.items()]
        n = len(frame)
        return (
            np.stack(ranks, 1).astype(np.float32) if ranks else np.zeros((n, 0), np.float32),
            np.stack(labels, 1).astype(np.int32) if labels else np.zeros((n, 0), np.int32),
        )

    def squared(self, rows: pd.DataFrame, others: pd.DataFrame, chunk: int = 256) -> list[NDArray[np.float32]]:
        """Squared distances, a chunk of `rows` at a time: an iterable of [≤ chunk, others]."""
        (x, a), (y, b) = self.place(rows), self.place(others)
        columns = np.ascontiguousarray(b.T)
        norm = (y**2).sum(1)
        for i in range(0, len(x), chunk):
            part = x[i : i + chunk]
            distance = (part**2).sum(1)[:, None] + norm - 2 * part @ y.T
            np.maximum(distance, 0, out=distance)
            for j, column in enumerate(columns):
                distance += a[i : i + chunk, j, None] != column
            yield distance
