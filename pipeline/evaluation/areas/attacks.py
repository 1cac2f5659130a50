"""Attacks: how well membership attacks tell training rows from held-out rows.

`pipeline.evaluation.membership` has the attacks. Members are training rows. One half of the held-out rows is the
attacker's reference while the other half is attacked as non-members. Then the halves change places, so that every row
of a small hold-out counts.

The largest of several AUCs is above one half by chance, even if nothing leaks. The ceiling is what chance alone leaves:
if nothing leaks, members and non-members can change their roles. So the roles are drawn at random many times, for all
attacks together, and the mean of the largest AUC is the ceiling. The same holds for the other largest values.

Memorising is heavy-tailed: a generator may repeat a few rows and no others. So there are also the true-positive rate at
1 % false positives, the share of members among the 1 % of targets that are attacked most surely, and the number of
*copies*: synthetic rows that equal a training row of which there is just one. Held-out rows equal such rows too, by
chance, and this share is the ceiling of copies.
"""

from collections.abc import Mapping
from math import sqrt
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import FiniteFloat
from scipy.stats import rankdata

from pipeline import columns
from pipeline.evaluation import membership
from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.membership import BLACK_BOX, WHITE_BOX, Scene
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import NORMAL_95, Incomputable, Metric, Score
from pipeline.evaluation.views import Floats, chosen
from pipeline.records import Record
from pipeline.schema import Schema
from pipeline.statistics.auc import auc
from pipeline.statistics.neighbours import Points

MOST = 2_500
"""Most members, and most non-members, in each half."""
FEWEST = 10
"""Fewest rows of each half of the hold-out."""
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
        "attack_mean": Metric("min", "mean AUC of these attacks", 1.0, ceiling=0.5),
        "attack_tpr": Metric("min", "largest share of members that an attack finds with 1 % false positives", 1.0),
        "model_attack_auc": Metric("min", "largest AUC of membership attacks with the model itself", 1.0),
        "copies": Metric("min", "share of rows that equal a training row of which there is just one", 1.0),
    }
    details: ClassVar = {"attacks": AttackResult, "copied": Copies}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        copies, copied = _copied(samples)
        try:
            halves = _halves(samples)
        except Incomputable:
            if copies is None:
                raise
            return Found((copies,), {"copied": (copied,)})
        random = samples.random("attack shuffles")
        results = {name: _result(name, [half[name] for half in halves]) for name in halves[0]}
        scores = [*_scores(results, halves, random), *([copies] if copies is not None else [])]
        found = sorted(results.values(), key=lambda result: (result.white_box, -result.auc))
        details: dict[str, tuple[Record, ...]] = {"attacks": tuple(found)}
        return Found(tuple(scores), details | ({"copied": (copied,)} if copies is not None else {}))


class Half(NamedTuple):
    """Scores of an attack on one half.

    Attributes:
        members: Scores of members, [members].
        others: Scores of as many non-members, [members].
    """

    members: Floats
    others: Floats


def _halves(samples: Samples) -> list[dict[str, Half]]:
    """The scores of every attack in both halves.

    Raises:
        Incomputable: A half of the hold-out has too few rows, or nothing can be compared.
    """
    _, train, holdout = samples.views
    if min(holdout.rows // 2, train.rows // 2) < FEWEST:
        raise Incomputable(f"needs {2 * FEWEST} held-out and training rows, got {holdout.rows} and {train.rows}")
    if not train.names:
        raise Incomputable("the table has no column that can be compared")
    points = samples.neighbour_points()
    random = samples.random("attack halves")
    outside, inside = (random.permutation(view.rows) for view in (holdout, train))
    found = []
    for k in (0, 1):
        reference = outside[1 - k :: 2]
        size = min(MOST, len(outside[k::2]), len(inside[k::2]))
        found.append(_attacked(samples, points, inside[k::2][:size], outside[k::2][:size], reference))
    return found


def _attacked(
    samples: Samples,
    points: tuple[Points, Points, Points],
    inside: NDArray[np.int64],
    outside: NDArray[np.int64],
    reference: NDArray[np.int64],
) -> dict[str, Half]:
    """The scores of every attack on some training rows and as many held-out rows, by their numbers."""
    synthetic, train, holdout = points
    targets = np.concatenate([train[inside], holdout[outside]])
    around = membership.around(targets, synthetic, holdout[reference])
    logits = _classified(samples, inside, outside, reference)
    scene = Scene(*around, logits)
    attacks = BLACK_BOX
    if samples.likelihood is not None:
        _, seen, unseen = samples.tables
        rows = pa.concat_tables([seen.take(inside), unseen.take(outside), unseen.take(reference)])
        bounds = samples.likelihood(rows)
        own, theirs = bounds[: len(targets)], bounds[len(targets) :]
        places = membership.around(holdout[reference], synthetic, holdout[reference])[0]
        scene = scene._replace(bound=own, usual=membership.usual(theirs, places, scene.synthetic))
        attacks = {**BLACK_BOX, **WHITE_BOX}
    size = len(inside)
    scored = {name: attack(scene) for name, attack in attacks.items()}
    return {name: Half(scores[:size], scores[size:]) for name, scores in scored.items()}


def _classified(
    samples: Samples, inside: NDArray[np.int64], outside: NDArray[np.int64], reference: NDArray[np.int64]
) -> Floats:
    """The logits of the classifier for some training rows and held-out rows."""
    synthetic, train, holdout = samples.views
    real = holdout.take(reference)
    made = synthetic.take(chosen(synthetic.rows, real.rows, samples.random("attack classifier rows")))
    targets = train.take(inside), holdout.take(outside)
    return np.concatenate([membership.classified(each, made, real, samples.random("classifier")) for each in targets])


def _result(name: str, halves: list[Half]) -> AttackResult:
    """What an attack reaches, as a mean over the halves."""
    found = [auc(half.members, half.others) for half in halves]
    value = float(np.mean([each.value for each in found]))
    margin = NORMAL_95 * sqrt(sum(each.variance for each in found)) / len(found)
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
    """Share of members above the score that 1 % of the non-members exceed."""
    return float(np.mean(half.members > np.quantile(half.others, 1 - SURE, method="higher")))


def _worst(half: Half) -> float:
    """Share of members among the targets with the highest scores. Of equal scores, each counts in part."""
    both = np.concatenate(half)
    edge = np.quantile(both, 1 - SURE, method="lower")
    above, level = both > edge, both == edge
    wanted = max(1.0, SURE * len(both))
    part = (wanted - above.sum()) / max(1, level.sum())
    member = np.arange(len(both)) < len(half.members)
    return float((above[member].sum() + part * level[member].sum()) / wanted)


def _scores(
    results: Mapping[str, AttackResult], halves: list[dict[str, Half]], random: np.random.Generator
) -> list[Score]:
    """The largest values of the attacks beside what chance leaves, and the mean."""
    black = [name for name in results if not results[name].white_box]
    white = [name for name in results if results[name].white_box]
    scores = []
    for title, names in (("attack_auc", black), ("model_attack_auc", white)):
        if names:
            largest = max((results[name] for name in names), key=lambda result: result.auc)
            ceiling = _largest_auc(names, halves, random)
            scores.append(Score.of(title, largest.auc, ceiling, (largest.low, largest.high)))
    scores.append(Score.of("attack_mean", float(np.mean([results[name].auc for name in black]))))
    found = max(results[name].tpr for name in black)
    scores.append(Score.of("attack_tpr", found, _largest_tpr(black, halves, random), _binomial(found, halves)))
    return scores


def _largest_auc(names: list[str], halves: list[dict[str, Half]], random: np.random.Generator) -> float:
    """Mean of the largest AUC of some attacks if members and non-members change their roles at random."""
    drawn = np.zeros((SHUFFLES, len(names)))
    for half in halves:
        size = len(half[names[0]].members)
        ranks = np.stack([rankdata(np.concatenate(half[name])) for name in names])
        for k in range(SHUFFLES):
            roles = random.permutation(2 * size)[:size]
            drawn[k] += (ranks[:, roles].mean(1) - (size + 1) / 2) / size / len(halves)
    return float(drawn.max(1).mean())


def _largest_tpr(names: list[str], halves: list[dict[str, Half]], random: np.random.Generator) -> float:
    """Mean of the largest true-positive rate if members and non-members change their roles at random."""
    drawn = np.zeros((SHUFFLES, len(names)))
    for half in halves:
        both = {name: np.concatenate(half[name]) for name in names}
        for k in range(SHUFFLES):
            order = random.permutation(len(both[names[0]]))
            size = len(order) // 2
            drawn[k] += [_sure(Half(own[order[:size]], own[order[size:]])) / len(halves) for own in both.values()]
    return float(drawn.max(1).mean())


def _binomial(share: float, halves: list[dict[str, Half]]) -> tuple[float, float]:
    """95 % confidence interval of a true-positive rate. Its threshold is as uncertain as the rate itself."""
    size = sum(len(next(iter(half.values())).members) for half in halves)
    margin = NORMAL_95 * sqrt(2 * max(share * (1 - share), 1 / size) / size)
    return max(0.0, share - margin), min(1.0, share + margin)


def _copied(samples: Samples) -> tuple[Score | None, Copies]:
    """The share of copies beside that of held-out rows."""
    synthetic, train, holdout = samples.tables
    names = [name for name in samples.views[0].names if name in samples.schema.names]
    if not names:
        return None, Copies(copies=0, rows=synthetic.num_rows, unique=0, expected=0.0)
    made, real, unseen = _keys((synthetic, train, holdout), samples.schema)
    unique, counts = np.unique(real, return_counts=True)
    once = unique[counts == 1]
    copies, coincided = np.isin(made, once), float(np.isin(unseen, once).mean())
    share = float(copies.mean())
    margin = NORMAL_95 * sqrt(max(coincided * (1 - coincided), 1 / len(unseen)) / len(unseen) + share / len(made))
    score = Score.of("copies", share, coincided, (max(0.0, share - margin), min(1.0, share + margin)))
    found = Copies(copies=int(copies.sum()), rows=len(made), unique=len(once), expected=coincided * len(made))
    return score, found


def _keys(tables: tuple[pa.Table, ...], schema: Schema) -> list[NDArray[np.int64]]:
    """A number for each row, equal for rows that are equal in every column that can be compared."""
    measures = {column.name: found for column in schema if (found := columns.measure(column.kind)) is not None}
    whole = pa.concat_tables([table.select(list(measures)) for table in tables])
    key = np.zeros(whole.num_rows, np.int64)
    for name, measure in measures.items():
        places = np.nan_to_num(measure.places(whole[name]), nan=-1.0)
        values = np.unique(places, return_inverse=True)[1]
        key = np.unique(key * (values.max() + 1) + values, return_inverse=True)[1]
    return np.split(key, np.cumsum([table.num_rows for table in tables])[:-1])
