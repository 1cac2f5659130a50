"""Has the data changed since the model was trained?

`compare` reads the `Reference` of the table that a model was trained on and the profile of an incoming table. It
computes effects:

- of each column: the change of the null rate, and the effects of its `Measure` (`pipeline.measures`). These are the
  Kolmogorov–Smirnov distance of numbers, the total variation distance of labels, and rows with new or lost labels;
- of each pair of columns: the change of the correlation of their traits, which are normal scores and indicators of
  frequent labels (at most 128 in all). Changes of other pairs show in the next effect;
- of whole rows: the maximum mean discrepancy (MMD) in the reference's feature space;
- of two `ModelView`s, if given: how much less likely rows are under the model, how far the posterior mean moved, and
  how much better a classifier tells the incoming rows from the model's own rows than it tells the hold-out from them
  (Lopez-Paz & Oquab 2017).

The threshold of an effect is the larger of two sizes. The first is what chance explains
(`pipeline.profiles.calibration`): without drift, one comparison in a thousand has *any* finding beyond it. The second
is what matters in practice, from the settings, because everything is significant in a million rows.

A column that moves on with time, such as a date, has later values in later rows, and this is no drift. Only a move
*back* counts for such a column: the largest excess of rows before a moment. Such columns take no part in the effects
of several columns. Ignored columns take no part in them either.

A few rows show little. Their thresholds are wide, and may be wider than any effect can be. The notes of the report say
which effects could not be told from chance. Fewer than `MODEL_ROWS` rows are not given to the model.
"""

from collections.abc import Collection, Iterator
from math import sqrt

import numpy as np

from pipeline.decisions.findings import DriftReport, Finding, ModelView, Views
from pipeline.profiles.calibration import correlation_variance
from pipeline.profiles.profile import ColumnProfile, Profile
from pipeline.profiles.reference import Reference
from pipeline.settings import DriftSettings
from pipeline.statistics import chance
from pipeline.statistics.chance import Noise, Tail

__all__ = ["DriftReport", "DriftSettings", "Finding", "ModelView", "Views", "compare"]

LISTED_PAIRS = 20
MODEL_ROWS = 50  # the mean of fewer rows is not nearly normal, and their deviation is hardly known
LARGEST = {"values": 1, "nulls": 1, "new labels": 1, "lost labels": 1, "correlation": 2, "rows": sqrt(2)}
"""The largest possible size of an effect, in the order in which effects are named. It is 1 for effects not listed."""
UNBOUNDED = frozenset({"schema", "likelihood", "latent", "classifier"})
"""Effects that are certain, or that the model finds."""
FLOORS = {
    name: name for name in ("nulls", "correlation", "rows", "likelihood", "latent", "classifier", "relations")
} | {
    "new labels": "labels",
    "lost labels": "labels",
}
"""The setting with the least size that matters, for each effect. Effects not listed use `values`."""
ASKED = 3
"""Number of families of effects that the model finds: likelihood, latent space and classifier."""
WHOLE = "all columns"


def compare(
    reference: Reference,
    incoming: Profile,
    settings: DriftSettings | None = None,
    views: Views | None = None,
    notes: Collection[str] = (),
    broken: Collection[tuple[str, str, float]] = (),
) -> DriftReport:
    """Compare an `incoming` table with the `reference`.

    Args:
        reference: The reference of the table that the model was trained on.
        incoming: The profile of the incoming table, from `reference.profile_of`.
        settings: Which sizes matter, and which columns to ignore.
        views: What the model says of the hold-out and of the incoming rows.
        notes: Further notes for the report.
        broken: Relations that rows break: the column, the relation in words, and the share of the rows.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Reference, compare, infer
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 100})
        >>> reference = Reference.of(frame, infer(frame))
        >>> report = compare(reference, reference.profile_of([frame + 10]))
        >>> [found.what for found in report.findings if found.drifted]
        ['rows', 'values']
    """
    judge = _Judge(reference, incoming.rows, settings or DriftSettings())
    mine = reference.profile
    findings = list(judge.schema(mine, incoming))
    theirs = {column.name: column for column in incoming.columns}
    unlike = {finding.column for finding in findings}
    for column in mine.columns:
        if column.name in theirs and column.name not in unlike and mine.rows and incoming.rows:
            findings.extend(judge.column(column, theirs[column.name], (mine.rows, incoming.rows)))
    findings.extend(sorted(judge.pairs(mine, incoming), key=_order)[:LISTED_PAIRS])
    findings.extend(judge.rows(mine, incoming))
    findings.extend(judge.relation(*found) for found in broken)
    asked = views is not None and incoming.rows >= MODEL_ROWS
    if views is not None and asked:
        findings.extend(judge.model(*views))
        findings.extend(judge.classifier(*views))
    return DriftReport(
        drifted=any(finding.drifted for finding in findings),
        findings=tuple(sorted(findings, key=_order)),
        reference_rows=mine.rows,
        rows=incoming.rows,
        notes=(*_untold(findings, incoming.rows, asked=asked or views is None), *notes),
    )


def _untold(findings: Collection[Finding], rows: int, *, asked: bool) -> Iterator[str]:
    """Notes on effects that, at any size, could be chance in so few rows."""
    compared = [finding for finding in findings if finding.what not in UNBOUNDED]
    told = {finding.what for finding in compared if finding.threshold < LARGEST.get(finding.what, 1)}
    named = dict.fromkeys((*LARGEST, *(finding.what for finding in compared)))
    untold = [what for what in named if what in {finding.what for finding in compared} - told]
    few = f"{rows:,} {'row is' if rows == 1 else 'rows are'} too few to tell"
    if untold and not told:
        yield f"{few} any change from chance"
    elif untold:
        yield f"{few} from chance, whatever their size, changes of: {', '.join(untold)}"
    if not asked:
        yield f"the model is asked from {MODEL_ROWS} rows on, and has not been asked"


def _order(finding: Finding) -> tuple[bool, float]:
    """Sort key: drifted findings first, then by size in units of the threshold."""
    return not finding.drifted, -finding.size / max(finding.threshold, 1e-9)


class _Judge:
    """Makes findings with thresholds that follow from a reference, the number of incoming rows, and the settings."""

    def __init__(self, reference: Reference, batch: int, settings: DriftSettings) -> None:
        self.settings, self.batch = settings, batch
        self.calibration, self.joint = reference.calibration, reference.joint
        # all families of effects share the rate of false alarms
        self.chance = settings.false_alarms / (len(self.calibration.tails) + ASKED)

    def level(self, family: str) -> float:
        return self.calibration.level(family, self.chance, self.batch)

    def finding(
        self, names: tuple[str, ...], kind: str, what: str, size: float, noise: Noise, level: float, text: str
    ) -> Finding:
        floor = self._floor(what)
        threshold = max(floor, float(noise.at(level)))
        ignored = any(name in self.settings.ignore for name in names)
        beyond = size > threshold
        verdict = "ignored" if ignored else f"{'beyond' if beyond else 'within'} {threshold:.3f}"
        margin = float(noise.at(chance.LEVEL_95))
        column = " × ".join(names)
        return Finding(
            column=column,
            kind=kind,
            what=what,
            size=size,
            low=max(0.0, size - margin),
            high=size + margin,
            threshold=threshold,
            drifted=beyond and not ignored,
            text=f"{column}: {text} ({verdict})",
        )

    def _floor(self, what: str) -> float:
        return 0.0 if what == "schema" else float(getattr(self.settings, FLOORS.get(what, "values")))

    def schema(self, reference: Profile, incoming: Profile) -> Iterator[Finding]:
        """Columns that are missing, new, or of another kind or type."""
        mine = {column.name: column for column in reference.columns}
        theirs = {column.name: column for column in incoming.columns}
        for name, column in {**mine, **theirs}.items():
            if name not in theirs:
                text = "the column is missing"
            elif name not in mine:
                text = "the column is new"
            elif mine[name].type != theirs[name].type:
                text = f"the column has type {theirs[name].type}, not {mine[name].type}"
            elif mine[name].kind != theirs[name].kind:
                text = f"the column is {theirs[name].kind}, not {mine[name].kind}"
            else:
                continue
            yield self.finding((name,), column.kind, "schema", 1, Noise(), 0, text)

    def relation(self, column: str, text: str, share: float) -> Finding:
        """A relation that rows break. No row of the reference did."""
        return self.finding(
            (column,), "relation", "relations", share, Noise(), 0, f"{text}: broken in {share:.2%} of the rows"
        )

    def column(self, mine: ColumnProfile, theirs: ColumnProfile, rows: tuple[int, int]) -> Iterator[Finding]:
        """Nulls and values of one column."""
        name, kind = (mine.name,), mine.kind
        rates = mine.nulls / rows[0], theirs.nulls / rows[1]
        noise = chance.share((mine.nulls + theirs.nulls) / sum(rows), 1 / rows[0] + 1 / rows[1])
        text = f"null rate {rates[0]:.3f} became {rates[1]:.3f}"
        yield self.finding(name, kind, "nulls", abs(rates[1] - rates[0]), noise, self.level("nulls"), text)
        if mine.measure is None or mine.summary is None or theirs.summary is None:
            return
        for effect in mine.measure.effects(mine.summary, theirs.summary):
            level = self.level(effect.family)
            yield self.finding(name, kind, effect.what, effect.size, effect.noise, level, effect.text)

    def pairs(self, reference: Profile, incoming: Profile) -> Iterator[Finding]:
        """For each pair of columns, the correlation of two traits that changed most in units of its threshold."""
        if reference.embedding is None or incoming.embedding is None or not reference.rows or not incoming.rows:
            return
        sides = reference.embedding, incoming.embedding
        heavy = np.array(self.calibration.heaviness)
        rho = [side.traits.correlations() for side in sides]
        variance = sum(
            (correlation_variance(heavy, side.traits.pair_rows() * side.effective / side.rows) for side in sides),
            np.zeros(()),
        )
        level = self.level("pairs")
        change = np.nan_to_num(np.abs(rho[0] - rho[1]))
        excess = change / np.maximum(self.settings.correlation, chance.mean(variance).at(level))
        names = np.array(sides[0].traits.names)
        compared = ~np.isin(names, self.settings.ignore)
        first, second = np.nonzero(np.triu(names[:, None] != names) & np.outer(compared, compared))
        order = np.argsort(-excess[first, second], kind="stable")
        seen: set[tuple[str, str]] = set()
        for a, b in zip(first[order], second[order], strict=True):
            pair = str(names[a]), str(names[b])
            if pair in seen:
                continue
            if len(seen) == LISTED_PAIRS:
                return
            seen.add(pair)
            noise = chance.mean(variance[a, b])
            text = f"correlation {rho[0][a, b]:.3f} became {rho[1][a, b]:.3f}"
            yield self.finding(pair, "pair", "correlation", float(change[a, b]), noise, level, text)

    def rows(self, reference: Profile, incoming: Profile) -> Iterator[Finding]:
        """The MMD of rows, and their Fréchet distance beside it. Nothing if the space contains ignored columns."""
        mine, theirs = reference.embedding, incoming.embedding
        if set(self.settings.ignore) & set(self.joint):
            return
        if mine is None or theirs is None or min(mine.effective, theirs.effective) < 2:  # noqa: PLR2004 - a pair of rows
            return
        size = float(np.sqrt(max(mine.mmd2(theirs), 0.0)))
        noise = chance.discrepancy(1 / mine.effective + 1 / theirs.effective)
        text = f"rows moved by {size:.3f} (MMD), {mine.frechet(theirs):.3f} (Fréchet)"
        yield self.finding((WHOLE,), "table", "rows", size, noise, self.level("rows"), text)

    def model(self, holdout: ModelView, incoming: ModelView) -> Iterator[Finding]:
        """How much less likely the rows are, and how far the posterior means moved, by normal theory."""
        if not min(holdout.rows, incoming.rows):
            return
        level = Tail.bound(1).level(self.chance)
        spread = max(holdout.elbo_deviation, 1e-9)
        fall = holdout.elbo - incoming.elbo
        variance = _variance(holdout.rows, incoming.rows, incoming.elbo_deviation / spread)
        text = f"the ELBO fell by {fall:.3f} nats to {incoming.elbo:.3f}"
        size = max(0.0, fall / spread)
        yield self.finding((WHOLE,), "model", "likelihood", size, chance.mean(variance), level, text)
        scale = np.maximum(holdout.latent_deviation, 1e-9)
        moves = np.abs(np.subtract(incoming.latent_mean, holdout.latent_mean)) / scale
        worst = int(np.argmax(moves))
        level = Tail.bound(len(moves)).level(self.chance)
        variance = _variance(holdout.rows, incoming.rows, float(incoming.latent_deviation[worst] / scale[worst]))
        text = f"latent dimension {worst} moved by {moves[worst]:.3f} standard deviations"
        yield self.finding((WHOLE,), "model", "latent", float(moves[worst]), chance.mean(variance), level, text)

    def classifier(self, holdout: ModelView, incoming: ModelView) -> Iterator[Finding]:
        """How much better a classifier tells the rows from the model's own rows than it tells the hold-out."""
        if holdout.auc is None or incoming.auc is None:
            return
        level = Tail.bound(1).level(self.chance)
        rise = incoming.auc - holdout.auc
        noise = chance.mean(holdout.auc_deviation**2 + incoming.auc_deviation**2)
        text = f"the AUC of a classifier against the model's own rows rose from {holdout.auc:.3f} to {incoming.auc:.3f}"
        yield self.finding((WHOLE,), "model", "classifier", max(0.0, rise), noise, level, text)


def _variance(holdout: int, incoming: int, ratio: float) -> float:
    """Variance of the difference of two means.

    The deviation of few rows is itself uncertain. So it is pooled with `MODEL_ROWS` rows of the held-out deviation.

    Args:
        holdout: Number of held-out rows.
        incoming: Number of incoming rows.
        ratio: The incoming deviation in units of the held-out one.
    """
    squared = (MODEL_ROWS + incoming * ratio**2) / (MODEL_ROWS + incoming)
    return 1 / holdout + squared / incoming
