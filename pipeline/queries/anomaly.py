"""How strange is a row? Anomaly scores, and the rows that count as anomalies.

A density alone is a poor score. The network sees a number as the cell of an alphabet, in which the last cell is as
likely as any other, so it is blind to extremes. A row is therefore seen in three *views*:

- its marginal rarity, column by column, on the table as it is, computed columns included;
- its distance from the model's ordinary rows (both: `pipeline.queries.surroundings`);
- its disagreement, minus the pointwise total correlation (`pipeline.queries.likelihood`): values that are ordinary one
  by one but do not go together.

Each view is expressed in nats by its law over generated rows (`pipeline.statistics.rarity`), and the nats are added, as
in Fisher's combination of p-values. Disagreement counts half, since two views look at places and one at dependence.
A view that finds nothing adds nearly nothing: it never makes up for another one. So contaminants that the network has
learned are not excused by their high likelihood. A row that breaks a relation of the table adds log(n + 2) nats if n
rows of training showed the relation. So does a null in a column in which none of n generated rows has one.

The p-value of a score compares it with real rows that the network was not trained on: validation rows. Training rows
would score too well; they take part only if there are fewer than `FEWEST` others. All of these rows are scored as they
came, so values that were withheld from training are as strange in them as in later rows.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.fitted import Fitted, Ordinary
from pipeline.progress import Progress, Tick, part, silent
from pipeline.queries.reasons import REASONS, reasons
from pipeline.queries.scorer import Scorer
from pipeline.randomness import BLOCK, stream
from pipeline.records import Record
from pipeline.statistics.rarity import Rarity
from pipeline.statistics.thresholds import ScoreSettings

Floats = NDArray[np.float64]

KNOWN_ROWS, FEWEST = 4096, 100
"""Most real rows for the law of the score, and the least that need no training rows beside them."""
QUANTILES = (0.5, 0.9, 0.99, 1.0)
"""Quantiles of scores that are reported."""
NORMAL = 1.4826
"""The standard deviation of a normal law in units of its median absolute deviation."""


SCORES = pa.schema(
    [
        ("anomaly_score", pa.float64()),
        ("p_value", pa.float64()),
        ("anomaly", pa.bool_()),
        ("reconstruction_error", pa.float64()),
        ("log_likelihood", pa.float64()),
        ("reasons", REASONS),
    ]
)
"""The columns of scored rows."""


class Threshold(NamedTuple):
    """What makes a row an anomaly.

    Attributes:
        by: The setting: "false_alarms", "quantile" or "robust_z".
        level: Its level.
        score: The score that corresponds to it.
    """

    by: str
    level: float
    score: float


class Measured(NamedTuple):
    """Score, p-value, reconstruction error, and likelihood (NaN without a network) of each row, [rows] each."""

    score: Floats
    p_value: Floats
    error: Floats
    likelihood: Floats


class ScoredRows(NamedTuple):
    """Scored rows: the columns of `SCORES`, and the threshold that was used."""

    table: pa.Table
    threshold: Threshold


class ScoreReport(Record):
    """What came of a scoring. It holds no value of the data.

    Attributes:
        model: The version that scored.
        rows: Number of rows.
        anomalies: Number of rows that count as anomalies.
        threshold: The setting that decides: "false_alarms", "quantile" or "robust_z".
        level: Its level.
        score: The score that corresponds to it.
        expected: Number of anomalies if all rows were ordinary. None for another threshold than "false_alarms".
        quantiles: Quantiles of the score, by share.
        reasons: For each column, how many anomalies name it first, the largest number first.
    """

    model: str
    rows: int
    anomalies: int
    threshold: str
    level: float
    score: float
    expected: float | None
    quantiles: Mapping[str, float]
    reasons: Mapping[str, int]

    @classmethod
    def of(cls, found: ScoredRows, model: str) -> Self:
        """What came of a scoring by a version."""
        scores, anomaly = found.table["anomaly_score"].to_numpy(), found.table["anomaly"].to_numpy()
        by, level, limit = found.threshold
        first = [why[0]["column"] for why in found.table.filter(found.table["anomaly"])["reasons"].to_pylist() if why]
        return cls(
            model=model,
            rows=len(scores),
            anomalies=int(anomaly.sum()),
            threshold=by,
            level=level,
            score=limit,
            expected=level * len(scores) if by == "false_alarms" else None,
            quantiles={str(share): float(np.quantile(scores, share)) for share in QUANTILES if len(scores)},
            reasons=dict(Counter(first).most_common()),
        )


def ordinary(model: Fitted, unseen: pa.Table, trained: pa.Table) -> Ordinary:
    """How ordinary rows score.

    Args:
        model: The model.
        unseen: Real rows of the schema that the network was not trained on, as they came.
        trained: Those it was trained on, of which there is at least one.
    """
    scorer = Scorer(model)
    views = {name: Rarity.of(values) for name, values in scorer.look(scorer.apart).views.items()}
    known = unseen if unseen.num_rows >= FEWEST else pa.concat_tables([unseen, trained])
    some = known.take(pa.array(stream(0, "ordinary").permutation(known.num_rows)[:KNOWN_ROWS]))
    scores = scorer.look(some).scores(views)
    centre = float(np.median(scores))
    spread = NORMAL * float(np.median(np.abs(scores - centre)))
    return Ordinary(views=views, scores=Rarity.of(scores), centre=centre, spread=max(spread, 1e-9))


def threshold(settings: ScoreSettings, known: Ordinary, scores: Floats) -> Threshold:
    """The threshold for rows with these scores."""
    by, level = settings.chosen
    if by == "quantile":
        return Threshold(by, level, float(np.quantile(scores, level)) if len(scores) else 0.0)
    if by == "robust_z":
        return Threshold(by, level, known.centre + level * known.spread)
    return Threshold(by, level, known.scores.threshold(level))


def score(scorer: Scorer, table: pa.Table, settings: ScoreSettings, progress: Progress = silent) -> ScoredRows:
    """Anomaly scores of a table of the schema, in bounded memory besides the result.

    Args:
        scorer: The model's scorer.
        table: The rows.
        settings: Which rows count as anomalies.
        progress: Called after every block, and after every block of anomalies.
    """
    seen = measured(scorer, table, part(progress, 0, 0.8))
    limit = threshold(settings, _known(scorer), seen.score)
    anomaly = seen.score >= limit.score if limit.by != "false_alarms" else seen.p_value <= limit.level
    why = reasons(scorer, table, np.flatnonzero(anomaly), part(progress, 0.8, 1))
    likelihood = pa.array(seen.likelihood, mask=np.isnan(seen.likelihood))
    columns = [seen.score, seen.p_value, anomaly, seen.error, likelihood, why]
    return ScoredRows(pa.Table.from_arrays([pa.array(column) for column in columns], schema=SCORES), limit)


def measured(scorer: Scorer, table: pa.Table, progress: Progress = silent) -> Measured:
    """The numbers of each row of a table of the schema. `progress` is called after every block."""
    known = _known(scorer)
    found = Measured(*np.full((4, table.num_rows), np.nan))
    for start in range(0, table.num_rows, BLOCK):
        some = table.slice(start, BLOCK)
        rows = slice(start, start + some.num_rows)
        seen = scorer.look(some)
        found.score[rows] = seen.scores(known.views)
        found.p_value[rows] = known.scores.p_value(found.score[rows])
        found.error[rows] = seen.error
        if seen.likelihood is not None:
            found.likelihood[rows] = seen.likelihood
        progress(Tick("score", rows.stop, table.num_rows))
    return found


def _known(scorer: Scorer) -> Ordinary:
    known = scorer.model.ordinary
    assert known is not None, "a fitted or loaded model knows how ordinary rows score"
    return known
