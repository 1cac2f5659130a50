"""Attacks: how well membership attacks tell training rows from held-out rows.

`pipeline.evaluation.membership` has the attacks. `pipeline.evaluation.trials` runs them on training rows, the
*members*, and on held-out rows.

The largest of several AUCs is above one half by chance, even if nothing leaks. The ceiling is what chance alone leaves:
if nothing leaks, members and non-members can change their roles. So the roles are drawn at random many times, for all
attacks together, and the mean of the largest AUC is the ceiling. The same holds for the other largest values.

Real rows reach more than chance leaves if training and held-out rows differ, such as in time. The control of the trials
measures this. If the lower end of its confidence interval is above what chance leaves, it is the ceiling.

Memorising is heavy-tailed: a generator may repeat a few rows and no others. So there are also the true-positive rate at
1 % false positives, the share of members among the 1 % of targets that are attacked most surely, and the number of
*copies*: synthetic rows that equal a training row of which there is just one. Held-out rows equal such rows too, by
chance, and this share is the ceiling of copies.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import FiniteFloat
from scipy.stats import rankdata

from pipeline import columns
from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.membership import WHITE_BOX
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import NORMAL_95, Incomputable, Metric, Score
from pipeline.evaluation.trials import Half, trials
from pipeline.measures import Measure
from pipeline.records import Record
from pipeline.statistics.auc import auc, by_chance

SHARED = 1.5
"""Variance of the mean of two AUCs whose rows are each other's reference, over that of independent ones."""
SHUFFLES = 200
SURE = 0.01
"""False-positive rate of `attack_tpr`, and the share of targets that are attacked most surely."""


class AttackResult(Record):
    """How well one membership attack does.

    Attributes:
        name: The attack, as in `pipeline.evaluation.membership`.
        white_box: Whether the attack needs the model.
        auc: Chance that a member is found likelier than a non-member. 0.5 is a guess.
        low: Lower end of the 95 % confidence interval of `auc`.
        high: Upper end of this interval.
        tpr: Share of members that are found with 1 % false positives. A guess finds 1 %.
        worst: Share of members among the 1 % of targets that are attacked most surely. A guess finds one half.
    """

    name: str
    white_box: bool
    auc: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    tpr: FiniteFloat
    worst: FiniteFloat


class Copies(Record):
    """Synthetic rows that equal a training row of which there is just one.

    Attributes:
        copies: Number of these synthetic rows.
        rows: Number of synthetic rows that were compared.
        unique: Number of training rows of which there is just one.
        expected: Number of synthetic rows that would equal one if they were held-out rows.
    """

    copies: int
    rows: int
    unique: int
    expected: FiniteFloat


class Attacks(Area):
    """Attacks on the training rows. The ceiling is what chance alone leaves."""

    name = "attacks"
    metrics: ClassVar = {
        "attack_auc": Metric("min", "largest AUC of the membership attacks on the rows; a guess reaches 0.5", 1.0),
        "attack_mean": Metric("min", "mean AUC of these attacks", 1.0),
        "attack_tpr": Metric("min", "largest share of members that an attack finds with 1 % false positives", 1.0),
        "model_attack_auc": Metric("min", "largest AUC of membership attacks with the model itself", 1.0),
        "copies": Metric("min", "share of rows that equal a training row of which there is just one", 1.0),
    }
    details: ClassVar = {"attacks": AttackResult, "copied": Copies}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        copied = _copied(samples)
        try:
            found = trials(samples)
        except Incomputable:
            if not copied.scores:
                raise
            return copied
        results, control = (_results([each[k] for each in found]) for k in (0, 1))
        attacked = [trial.attacks for trial in found]
        scores = _scores(results, control, attacked, samples)
        ordered = tuple(sorted(results.values(), key=lambda result: (result.white_box, -result.auc)))
        return Found((*scores, *copied.scores), {"attacks": ordered, **copied.details})


def _results(halves: Sequence[Mapping[str, Half]]) -> dict[str, AttackResult]:
    """What each attack reaches."""
    return {name: _result(name, [half[name] for half in halves]) for name in halves[0]}


def _result(name: str, halves: list[Half]) -> AttackResult:
    """What an attack reaches, as a mean over the halves.

    The variance of an AUC is at least that of a guess, since few rows may be told apart perfectly by chance. The
    non-members of each half are the reference of the other half. This adds up to one half of the variance of a mean of
    independent AUCs, if an attack is linear in the rows.
    """
    found = [auc(half.members, half.others) for half in halves]
    value = float(np.mean([each.value for each in found]))
    guess = by_chance(len(halves[0].members), len(halves[0].others)) ** 2
    margin = NORMAL_95 * sqrt(SHARED * sum(max(each.variance, guess) for each in found)) / len(found)
    return AttackResult(
        name=name,
        white_box=name in WHITE_BOX,
        auc=value,
        low=max(0.0, value - margin),
        high=min(1.0, value + margin),
        tpr=float(np.mean([_sure(half) for half in halves])),
        worst=float(np.mean([_worst(half) for half in halves])),
    )


def _sure(half: Half) -> float:
    """Share of members above the score that at most 1 % of the non-members exceed."""
    return float(np.mean(half.members > np.quantile(half.others, 1 - SURE, method="inverted_cdf")))


def _worst(half: Half) -> float:
    """Share of members among the targets with the highest scores. Of equal scores, each counts in part."""
    both = np.concatenate(half)
    edge = np.quantile(both, 1 - SURE, method="inverted_cdf")
    above, level = both > edge, both == edge
    wanted = max(1.0, SURE * len(both))
    part = (wanted - above.sum()) / max(1, level.sum())
    member = np.arange(len(both)) < len(half.members)
    return float((above[member].sum() + part * level[member].sum()) / wanted)


def _scores(
    results: Mapping[str, AttackResult],
    control: Mapping[str, AttackResult],
    halves: Sequence[Mapping[str, Half]],
    samples: Samples,
) -> list[Score]:
    """The largest values of the attacks and the mean. Each ceiling is what chance or real rows reach."""
    random = samples.random("attack shuffles")
    black = list(control)
    white = [name for name in results if results[name].white_box]
    scores = []
    for title, names in (("attack_auc", black), ("model_attack_auc", white)):
        if names:
            largest = max((results[name] for name in names), key=lambda result: result.auc)
            real = max((control[name].low for name in names if name in control), default=0.5)
            ceiling = max(_largest_auc(names, halves, random), real)
            scores.append(Score.of(title, largest.auc, ceiling, (largest.low, largest.high)))
    mean = float(np.mean([results[name].auc for name in black]))
    usual = float(np.mean([each.low for each in control.values()]))
    scores.append(Score.of("attack_mean", mean, max(0.5, usual)))
    found, real = (max(each[name].tpr for name in black) for each in (results, control))
    ceiling = max(_largest_tpr(black, halves, random), _binomial(real, halves)[0])
    scores.append(Score.of("attack_tpr", found, ceiling, _binomial(found, halves)))
    return scores


def _largest_auc(names: list[str], halves: Sequence[Mapping[str, Half]], random: np.random.Generator) -> float:
    """Mean of the largest AUC of some attacks if members and non-members change their roles at random."""
    drawn = np.zeros((SHUFFLES, len(names)))
    for half in halves:
        size = len(half[names[0]].members)
        ranks = np.stack([rankdata(np.concatenate(half[name])) for name in names])
        for k in range(SHUFFLES):
            roles = random.permutation(2 * size)[:size]
            drawn[k] += (ranks[:, roles].mean(1) - (size + 1) / 2) / size / len(halves)
    return float(drawn.max(1).mean())


def _largest_tpr(names: list[str], halves: Sequence[Mapping[str, Half]], random: np.random.Generator) -> float:
    """Mean of the largest true-positive rate if members and non-members change their roles at random."""
    drawn = np.zeros((SHUFFLES, len(names)))
    for half in halves:
        both = {name: np.concatenate(half[name]) for name in names}
        for k in range(SHUFFLES):
            order = random.permutation(len(both[names[0]]))
            size = len(order) // 2
            drawn[k] += [_sure(Half(own[order[:size]], own[order[size:]])) / len(halves) for own in both.values()]
    return float(drawn.max(1).mean())


def _binomial(share: float, halves: Sequence[Mapping[str, Half]]) -> tuple[float, float]:
    """95 % confidence interval of a true-positive rate. Its threshold is as uncertain as the rate itself."""
    size = sum(len(next(iter(half.values())).members) for half in halves)
    margin = NORMAL_95 * sqrt(2 * max(share * (1 - share), 1 / size) / size)
    return max(0.0, share - margin), min(1.0, share + margin)


def _copied(samples: Samples) -> Found:
    """The share of copies beside that of held-out rows. Empty if no column can be compared."""
    synthetic, train, holdout = samples.tables
    measures = {column.name: found for column in samples.schema if (found := columns.measure(column.kind)) is not None}
    if not measures:
        return Found(())
    made, real, unseen = _keys((synthetic, train, holdout), measures)
    unique, counts = np.unique(real, return_counts=True)
    once = unique[counts == 1]
    copies, coincided = np.isin(made, once), float(np.isin(unseen, once).mean())
    share = float(copies.mean())
    margin = NORMAL_95 * sqrt(max(coincided * (1 - coincided), 1 / len(unseen)) / len(unseen) + share / len(made))
    score = Score.of("copies", share, coincided, (max(0.0, share - margin), min(1.0, share + margin)))
    counted = Copies(copies=int(copies.sum()), rows=len(made), unique=len(once), expected=coincided * len(made))
    return Found((score,), {"copied": (counted,)})


def _keys(tables: tuple[pa.Table, ...], measures: Mapping[str, Measure[Any]]) -> list[NDArray[np.int64]]:
    """A number for each row, equal for rows that are equal in every column that can be compared."""
    whole = pa.concat_tables([table.select(list(measures)) for table in tables])
    key = np.zeros(whole.num_rows, np.int64)
    for name, measure in measures.items():
        places = np.nan_to_num(measure.places(whole[name]), nan=-1.0)
        values = np.unique(places, return_inverse=True)[1]
        key = np.unique(key * (values.max() + 1) + values, return_inverse=True)[1]
    return np.split(key, np.cumsum([table.num_rows for table in tables])[:-1])
