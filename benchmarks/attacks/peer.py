"""The same attacks by other people's definitions, in an environment of their own. Uses no code of resynth.

    python peer.py NAME DIRECTORY SEED

DIRECTORY holds seen.parquet, test.parquet and synthetic.parquet of a training. Prints one JSON object.

- **Membership**: six attacks as Synth-MIA defines them (github.com/joshward96/Synth-MIA), written anew: distance to
  the closest synthetic row; that distance less the one to the closest reference row; the ratio of two kernel densities
  (DOMIAS); the share of synthetic rows among the 20 nearest of both kinds (DPI); rows within the median of the least
  distances (MC); a random forest. Numbers are standardised and labels one-hot. A kernel density needs a covariance of
  full rank, so it sees the first eight principal components.
- **Disclosure**: anonymeter (Giomi et al. 2023, arXiv 2211.10459): singling out by one and by three columns,
  linkability of two halves of the columns, inference of every column. The control is the test rows.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
from numpy.typing import NDArray
from scipy.stats import gaussian_kde
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

sys.path.insert(0, str(Path(__file__).parents[1] / "fidelity"))
from frames import named, read
from tables import BENCHMARKS

Floats = NDArray[np.float64]
MOST = 2_500
"""Most members, and most non-members."""
AROUND = 20
COMPONENTS = 8
GUESSES = 2_000
"""Guesses of each attack of anonymeter."""
TOLERANCE = 0.05


def main(name: str, directory: str, seed: str) -> None:
    """Attack, and print."""
    warnings.filterwarnings("ignore")
    files = (f"{directory}/{file}.parquet" for file in ("seen", "test", "synthetic"))
    seen, test, made = (read(file, BENCHMARKS[name]) for file in files)
    print(json.dumps(membership(seen, test, made, int(seed)) | disclosure(seen, test, made, int(seed))))


def membership(seen: pd.DataFrame, test: pd.DataFrame, made: pd.DataFrame, seed: int) -> dict[str, float]:
    """AUC of each attack, as a mean over both halves of the held-out rows."""
    seen, test = (frame.sample(frac=1, random_state=seed) for frame in (seen, test))
    made = made.sample(min(len(made), len(seen)), random_state=seed)
    halves = []
    for k in (0, 1):
        size = min(MOST, len(test[k::2]))
        parts = [seen[k::2][:size], test[k::2][:size], test[1 - k :: 2], made]
        inside, outside, reference, synthetic = points(parts)
        targets = np.concatenate([inside, outside])
        member = np.arange(len(targets)) < len(inside)
        halves.append({n: roc_auc_score(member, s) for n, s in scored(targets, synthetic, reference, seed).items()})
    return {key: float(np.mean([half[key] for half in halves])) for key in halves[0]}


def points(frames: list[pd.DataFrame]) -> list[Floats]:
    """Rows as points."""
    whole = pd.concat(frames, ignore_index=True)
    texts = [column for column in whole if named(whole[column])]
    numbers = whole.drop(columns=texts).fillna(whole.drop(columns=texts).median())
    numbers = (numbers - numbers.mean()) / numbers.std().replace(0, 1)
    hot = pd.get_dummies(whole[texts], dtype=float) if texts else pd.DataFrame(index=whole.index)
    every = np.ascontiguousarray(pd.concat([numbers, hot], axis=1).to_numpy(float))
    return np.split(every, np.cumsum([len(frame) for frame in frames])[:-1])


def scored(targets: Floats, made: Floats, reference: Floats, seed: int) -> dict[str, Floats]:
    """The score of each target by each attack. A high score means a likely member."""
    own, other = distances(targets, made)[:, 0], distances(targets, reference)[:, 0]
    few = made[np.random.default_rng(seed).permutation(len(made))[: len(reference)]]  # both kinds equally often
    both = NearestNeighbors(n_neighbors=AROUND, algorithm="brute").fit(np.concatenate([reference, few]))
    within = NearestNeighbors(radius=float(np.median(own)), algorithm="brute").fit(made)
    counts = [len(found) for found in within.radius_neighbors(targets, return_distance=False)]
    space = PCA(min(COMPONENTS, made.shape[1])).fit(reference)
    asked, *known = (space.transform(rows).T for rows in (targets, few, reference))
    theirs, ours = (gaussian_kde(rows, bw_method="silverman").logpdf(asked) for rows in known[::-1])
    forest = RandomForestClassifier(random_state=seed)
    forest.fit(np.concatenate([few, reference]), np.repeat([1, 0], [len(few), len(reference)]))
    return {
        "DCR": -own,
        "DCR difference": other - own,
        "DOMIAS": ours - theirs,
        "DPI": (both.kneighbors(targets, return_distance=False) >= len(reference)).mean(1),
        "MC": np.array(counts, float),
        "classifier": forest.predict_proba(targets)[:, 1],
    }


def distances(targets: Floats, others: Floats) -> Floats:
    """Distance to the nearest of `others`, [targets, 1]."""
    return NearestNeighbors(n_neighbors=1, algorithm="brute").fit(others).kneighbors(targets)[0]


def disclosure(seen: pd.DataFrame, test: pd.DataFrame, made: pd.DataFrame, seed: int) -> dict[str, list[float]]:
    """Risk, rate and control of each attack of anonymeter."""
    seen, test, made = (frame.reset_index(drop=True) for frame in (seen, test, made))
    names, most = list(seen), min(GUESSES, len(test))
    found = {}
    for mode, title in (("univariate", "singling out"), ("multivariate", "singling out, several columns")):
        attack = SinglingOutEvaluator(seen, made, n_attacks=most, n_cols=3, control=test, seed=seed)
        try:
            found[title] = told(attack.evaluate(mode=mode))
        except RuntimeError:  # too few rows of this table can be singled out
            continue
    halves = names[::2], names[1::2]
    linked = LinkabilityEvaluator(seen, made, aux_cols=halves, n_attacks=most, control=test)
    found["linkability"] = told(linked.evaluate(n_jobs=1))
    for secret in names:
        known = [name for name in names if name != secret]
        number = not named(seen[secret])
        inferred = InferenceEvaluator(seen, made, known, secret, regression=number, n_attacks=most, control=test)
        found[f"inference of {secret}"] = told(inferred.evaluate(n_jobs=1))
    return found


def told(attack: InferenceEvaluator | LinkabilityEvaluator | SinglingOutEvaluator) -> list[float]:
    """Risk, rate and control."""
    results = attack.results()
    return [float(each.value) for each in (results.risk(), results.attack_rate, results.control_rate)]


if __name__ == "__main__":
    main(*sys.argv[1:])
