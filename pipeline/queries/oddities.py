"""A short list of the rows of a new batch that look wrong.

Some ordinary rows of a large batch have a small p-value by chance. So the procedure of Benjamini & Hochberg (1995)
chooses the rows, which is valid for conformal p-values (Bates et al. 2023, arXiv 2104.08279). At most the share `FALSE`
of the listed rows is expected to be ordinary. A batch of ordinary rows usually lists none.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.progress import Progress, part, silent
from pipeline.queries.anomaly import measured
from pipeline.queries.reasons import reasons
from pipeline.queries.scorer import Scorer
from pipeline.randomness import stream
from pipeline.records import Record

FALSE = 0.1
"""Expected share of the listed rows that are ordinary."""
LOOKED_AT = 10_000
"""Most rows of a batch that are scored, at random."""
LISTED = 20
"""Most rows that are listed."""


class OddRow(Record):
    """A row that looks wrong: its number in the table, from 0, its p-value, and the columns that are the reason."""

    row: int
    p_value: float
    columns: tuple[str, ...]


class OddRows(Record):
    """Rows of a table that look wrong. No value of the table is kept.

    Attributes:
        looked_at: Number of rows that were scored.
        found: Number of them that look wrong.
        rows: The strangest of these, at most `LISTED`.
    """

    looked_at: int
    found: int
    rows: tuple[OddRow, ...] = ()


def odd_rows(scorer: Scorer, table: pa.Table, *, seed: int, progress: Progress = silent) -> OddRows:
    """The rows of a table of the schema that look wrong, worst first."""
    some = np.sort(stream(seed, "odd rows").permutation(table.num_rows)[:LOOKED_AT])
    table = table.take(pa.array(some))
    seen = measured(scorer, table, part(progress, 0, 0.8))
    chosen = np.flatnonzero(discoveries(seen.p_value))
    worst = chosen[np.argsort(-seen.score[chosen], kind="stable")][:LISTED]
    why = reasons(scorer, table, worst, part(progress, 0.8, 1))
    rows = tuple(
        OddRow(row=int(some[i]), p_value=float(seen.p_value[i]), columns=tuple(r["column"] for r in why[i].as_py()))
        for i in worst
    )
    return OddRows(looked_at=len(some), found=len(chosen), rows=rows)


def discoveries(p: NDArray[np.float64], rate: float = FALSE) -> NDArray[np.bool_]:
    """Which p-values are small beyond chance, with an expected share of at most `rate` of false ones, [rows]."""
    rising = np.sort(p)
    within = np.flatnonzero(rising <= rate * np.arange(1, len(p) + 1) / max(len(p), 1))
    return np.asarray(p <= rising[within[-1]]) if len(within) else np.zeros(len(p), dtype=bool)
