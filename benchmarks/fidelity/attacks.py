"""Membership attacks: do synthetic rows show whether a real row was used in training?

Members are rows that the network saw. Non-members are rows held out of everything. The attacker knows the synthetic
rows and some reference rows, which are real and in neither group. Half of the hold-out is the reference while the other
half is attacked, and then the halves change places, so that every row of a small hold-out counts.

- **nearest**: a row is a likelier member if its nearest synthetic row is nearer.
- **density** (DOMIAS, van Breugel et al. 2023, arXiv 2302.12580): the ratio of the density of the synthetic rows to
  that of the reference rows, both from the distances to the `NEIGHBOURS` nearest (Loftsgaarden & Quesenberry 1965). A
  kernel of one width for all rows would miss even a copy if some rows are dense and others alone.

An AUC of ½ means that nothing leaks. Two sanity checks are attacked in the same way: the training rows themselves as
"synthetic" rows, which must be caught, and real rows that the network never saw, which reveal nothing.
"""

import sys

import numpy as np
import pandas as pd
from frames import Space
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST = 5_000
"""Most members and non-members in each half."""
RESAMPLES = 500
NEIGHBOURS = 5
EXACT = 1e-6
"""Squared distance. Rows with a smaller distance are equal."""
CAUGHT = 0.8
"""An attack on a copy of the training rows must reach at least this AUC, or its numbers mean nothing."""


def attack(
    seen: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, unseen: pd.DataFrame
) -> dict[str, float]:
    """AUC of both attacks with 95 % intervals, true-positive rate at 1 % false positives, and the sanity checks.

    Args:
        seen: Rows that the network was trained on.
        holdout: Rows from the same distribution that nothing has seen.
        synthetic: Rows to attack.
        unseen: Real rows of neither group.
    """
    found: dict[str, float] = {}
    targets = {"": synthetic, "copy_": seen, "independent_": unseen}
    for prefix, rows in targets.items():
        for name, halves in scored(seen, holdout, rows).items():
            own = auc(halves)
            found[f"{prefix}{name}_auc"] = own
            if prefix == "copy_":
                continue
            draws = np.random.default_rng(0)
            resampled = [auc([resample(half, draws) for half in halves]) for _ in range(RESAMPLES)]
            found[f"{prefix}{name}_low"], found[f"{prefix}{name}_high"] = np.quantile(resampled, [0.025, 0.975])
            found[f"{prefix}{name}_tpr"] = float(np.mean([tpr(half) for half in halves]))
    caught = min(found["copy_nearest_auc"], found["copy_density_auc"])
    if caught < CAUGHT:
        print(f"attack: expected AUC ≥ {CAUGHT} on a copy, got {caught:.3f}: it cannot see this table", file=sys.stderr)
    return {key: float(value) for key, value in found.items()}


Half = tuple[Floats, Floats]
"""Scores of members and of non-members."""


def scored(seen: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, list[Half]]:
    """Scores of both attacks in both halves. A higher score means a likelier member."""
    holdout = holdout.sample(frac=1, random_state=0)
    seen = seen.sample(min(len(seen), len(holdout)), random_state=0)
    result: dict[str, list[Half]] = {"nearest": [], "density": []}
    for k in (0, 1):
        reference, outside, inside = holdout[k::2], holdout[1 - k :: 2][:MOST], seen[k::2][:MOST]
        space = Space([synthetic, reference])
        halves: dict[str, list[Floats]] = {"nearest": [], "density": []}
        for rows in (inside, outside):
            own, other = nearest(space, rows, synthetic), nearest(space, rows, reference)
            halves["nearest"].append(-own.min(1))
            halves["density"].append(np.log(other + EXACT).mean(1) - np.log(own + EXACT).mean(1))
        for name, (a, b) in halves.items():
            result[name].append((a, b))
    return result


def nearest(space: Space, rows: pd.DataFrame, others: pd.DataFrame) -> Floats:
    """Squared distances to the nearest of `others`, unordered, [rows, `NEIGHBOURS`]."""
    k = min(NEIGHBOURS, len(others))
    parts = [np.partition(distance, k - 1, axis=1)[:, :k] for distance in space.squared(rows, others)]
    return np.concatenate(parts).astype(float)


def auc(halves: list[Half]) -> float:
    """Chance that a member scores above a non-member, as a mean over the halves."""
    return float(np.mean([_auc(*half) for half in halves]))


def _auc(members: Floats, others: Floats) -> float:
    ladder = np.sort(others)
    places = np.searchsorted(ladder, members) + np.searchsorted(ladder, members, "right")
    return float(places.mean() / (2 * len(others)))


def tpr(half: Half) -> float:
    """Share of members above the score that 1 % of the non-members exceed."""
    members, others = half
    return float(np.mean(members > np.quantile(others, 0.99, method="higher")))


def resample(half: Half, draws: np.random.Generator) -> Half:
    """Both groups, resampled with replacement."""
    a, b = (values[draws.integers(0, len(values), len(values))] for values in half)
    return a, b
