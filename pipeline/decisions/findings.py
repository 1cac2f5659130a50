"""Records of a drift check: what a model says of rows, and what the check finds."""

from typing import NamedTuple

from pipeline.queries.oddities import OddRows
from pipeline.records import Record


class Finding(Record):
    """One comparison: the size of a change, the size that counts as drift, and both in words.

    Attributes:
        column: The column; "a × b" for a pair; "all columns" for whole rows.
        kind: The kind of the column; "pair", "table", "model" or "relation" for other findings.
        what: What was compared: "schema", "nulls", "correlation", "relations", "rows", "likelihood", "latent",
            "classifier", or an effect of the column's measure, such as "values" or "new labels".
        size: The size of the effect.
        low: Lower end of its 95 % confidence interval.
        high: Upper end of this interval.
        threshold: A larger size is drift.
        drifted: Whether the size is beyond the threshold and the column is not ignored.
        text: The finding in words.
    """

    column: str
    kind: str
    what: str
    size: float
    low: float
    high: float
    threshold: float
    drifted: bool
    text: str


class DriftReport(Record):
    """All findings of a drift check. Those farthest beyond their threshold come first.

    Attributes:
        drifted: Whether any finding drifted.
        findings: Findings of every column, and of the pairs that changed most.
        reference_rows: Number of rows behind the reference profile.
        rows: Number of rows of the incoming table.
        notes: Effects that could not be told from chance, and departures from the settings.
        odd: Rows that look wrong. They are no drift by themselves. None if rows were not scored.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Reference, compare, infer
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 100})
        >>> reference = Reference.of(frame, infer(frame))
        >>> report = compare(reference, reference.profile_of([frame]))
        >>> report.drifted, report.rows
        (False, 400)
    """

    drifted: bool
    findings: tuple[Finding, ...]
    reference_rows: int
    rows: int
    notes: tuple[str, ...] = ()
    odd: OddRows | None = None


class ModelView(Record):
    """What a model says of rows.

    Attributes:
        rows: Number of rows that the model scored.
        without: Columns hidden from the model: those that move on with time, and ignored ones.
        elbo: Mean over rows, in nats.
        elbo_deviation: Standard deviation of the ELBO over rows.
        latent_mean: Mean over rows of the posterior mean of each dimension.
        latent_deviation: Its standard deviation over rows.
        auc: The AUC of a classifier that tells the rows from as many of the model's own. None if there are too few.
        auc_deviation: Standard error of the AUC.
        told: Number of rows of either side that the classifier saw.
    """

    rows: int
    without: tuple[str, ...]
    elbo: float
    elbo_deviation: float
    latent_mean: tuple[float, ...]
    latent_deviation: tuple[float, ...]
    auc: float | None
    auc_deviation: float
    told: int


class Views(NamedTuple):
    """What a model says of the rows held out of its training, and of the incoming rows."""

    holdout: ModelView
    incoming: ModelView
