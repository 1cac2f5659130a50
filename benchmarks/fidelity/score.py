"""Score synthetic rows with sdmetrics 0.24 and XGBoost.

    python score.py adult DIRECTORY [synthetic]

Reads train, test, seen, validation and the synthetic rows as Parquet from DIRECTORY, runs in the benchmark's own
environment and prints one JSON object. Shape and Trend are errors in per cent, beside those of a bootstrap of the
training rows. The XGBoost two-sample score (C2ST) is 1 if rows cannot be told apart. The same score against the test
rows has a ceiling: the score of the training rows. MLE trains on synthetic rows and tests on real ones.
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.single_column import KSComplement, TVComplement
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from xgboost import XGBClassifier, XGBRegressor

sys.path.insert(0, str(Path(__file__).parent))
from attacks import attack
from frames import codes, named, read
from tables import BENCHMARKS, Benchmark

XGB = {"n_jobs": 1, "tree_method": "hist", "random_state": 0}


def column_errors(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, float]:
    """Error in per cent of each column."""
    return {
        c: 100 * (1 - (TVComplement if named(real[c]) else KSComplement).compute(real[c], synthetic[c])) for c in real
    }


def pair_errors(real: pd.DataFrame, synthetic: pd.DataFrame, *, bins: str) -> dict[tuple[str, str], float]:
    """Error in per cent of each pair, with 10 bins fitted "separately" (the protocol) or on "real" for both.

    A pair of numbers in which one does not vary has no correlation and is left out.
    """
    errors = {}
    cut = {c: cuts(real[c], synthetic[c], bins) for c in real if not named(real[c])}
    for a, b in itertools.combinations(real.columns, 2):
        if a in cut and b in cut:
            score = CorrelationSimilarity.compute(real[[a, b]], synthetic[[a, b]])
        else:
            r = pd.DataFrame({c: cut[c][0] if c in cut else real[c] for c in (a, b)})
            s = pd.DataFrame({c: cut[c][1] if c in cut else synthetic[c] for c in (a, b)})
            score = ContingencySimilarity.compute(r, s)
        if np.isfinite(score):
            errors[a, b] = 100 * (1 - score)
    return errors


def cuts(real: pd.Series, synthetic: pd.Series, bins: str) -> tuple[pd.Series, pd.Series]:
    """Both columns as bin numbers."""
    edges = np.histogram_bin_edges(real.dropna(), 10)
    own = edges if bins == "real" else np.histogram_bin_edges(synthetic.dropna(), 10)
    return (
        pd.Series(np.digitize(real, edges[1:-1])).astype(str),
        pd.Series(np.digitize(synthetic, own[1:-1])).astype(str),
    )


def mean(errors: dict[object, float]) -> float:
    """Mean of errors."""
    return float(np.mean(list(errors.values())))


def c2st(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """1 − mean(2·max(½, AUC) − 1) over three folds."""
    a, b = codes(real, synthetic)
    x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    scores = []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(x, y):
        p = XGBClassifier(**XGB).fit(x[train], y[train]).predict_proba(x[test])[:, 1]
        scores.append(2 * max(0.5, roc_auc_score(y[test], p)) - 1)
    return 1 - float(np.mean(scores))


def mle(train: pd.DataFrame, test: pd.DataFrame, benchmark: Benchmark) -> float:
    """AUC on real test rows, one class against the rest; or RMSE of the log target, or of the target in deviations."""
    x, t = codes(train.drop(columns=benchmark.target), test.drop(columns=benchmark.target))
    y, u = train[benchmark.target], test[benchmark.target]
    if benchmark.task != "classes":
        if benchmark.task == "log":
            y, u = (np.log(np.clip(v, 1, 20000)) for v in (y, u))
        error = float(np.sqrt(np.mean((XGBRegressor(**XGB).fit(x, y).predict(t) - u) ** 2)))
        return error if benchmark.task == "log" else error / float(np.std(u))
    labels = sorted(set(u))
    areas = []
    for label in labels[-1:] if len(labels) == 2 else labels:
        model = XGBClassifier(**XGB).fit(x, y == label) if (y == label).any() else None
        areas.append(roc_auc_score(u == label, model.predict_proba(t)[:, 1]) if model else 0.5)
    return float(np.mean(areas))


def nearer_to_train(train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, rows: int = 20_000) -> float:
    """Share in per cent of synthetic rows whose nearest real row is a training row, among equally many of each."""
    n = min(len(test), len(train))
    few = synthetic.sample(min(rows, len(synthetic)), random_state=0)
    frames = [train.sample(n, random_state=0), test.sample(n, random_state=0), few]
    parts: list[list[np.ndarray]] = [[], [], []]
    for column in train:
        if named(train[column]):
            for value in train[column].unique():
                for part, f in zip(parts, frames, strict=True):
                    part.append((f[column] == value).to_numpy(float) / np.sqrt(2))
        else:
            low, high = train[column].min(), train[column].max()
            for part, f in zip(parts, frames, strict=True):
                part.append(((f[column] - low) / max(high - low, 1e-12)).to_numpy(float))
    a, b, s = (np.nan_to_num(np.stack(part, 1)).astype(np.float32) for part in parts)
    da, db = (NearestNeighbors(n_neighbors=1, algorithm="brute").fit(x).kneighbors(s)[0][:, 0] for x in (a, b))
    return 100 * float(np.mean((da < db) + 0.5 * (da == db)))


def null_error(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Total variation in per cent between the joint patterns of nulls."""
    holes = [c for c in real if real[c].isna().any() or synthetic[c].isna().any()]
    if not holes:
        return 0.0
    shares = [f[holes].isna().value_counts(normalize=True) for f in (real, synthetic)]
    return 50 * float(shares[0].sub(shares[1], fill_value=0).abs().sum())


def main(name: str, directory: str, which: str = "synthetic") -> None:
    """Print the scores."""
    warnings.simplefilter("ignore")  # constant columns have no correlation
    benchmark = BENCHMARKS[name]
    paths = {file: f"{directory}/{file}.parquet" for file in ("train", "test", "seen", "validation", which)}
    train, test, seen, validation, synthetic = (read(path, benchmark) for path in paths.values())
    raw = [pq.read_table(paths[file]).to_pandas() for file in ("train", which)]
    again = train.sample(len(train), replace=True, random_state=0).reset_index(drop=True)
    part = synthetic.sample(min(len(test), len(synthetic)), random_state=0)
    scores = {
        "shape": mean(column_errors(train, synthetic)),
        "shape_floor": mean(column_errors(train, again)),
        "trend": mean(pair_errors(train, synthetic, bins="separately")),
        "trend_real_bins": mean(pair_errors(train, synthetic, bins="real")),
        "trend_floor": mean(pair_errors(train, again, bins="real")),
        "c2st": c2st(train, synthetic),
        "c2st_holdout": c2st(test, part),
        "c2st_ceiling": c2st(test, train.sample(min(len(part), len(train)), random_state=0)),
        "mle": mle(synthetic, test, benchmark),
        "mle_real": mle(train, test, benchmark),
        "nearer_to_train": nearer_to_train(train, test, synthetic),
        "nulls": null_error(*raw),
    }
    if benchmark.broken:
        scores["broken"] = 100 * float(benchmark.broken(raw[1]).mean())
    print(json.dumps(scores | attack(seen, test, synthetic, validation)))


if __name__ == "__main__":
    main(*sys.argv[1:])
