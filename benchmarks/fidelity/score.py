"""Score synthetic rows by the published protocol, with sdmetrics 0.24 and XGBoost.

    python score.py adult TRAIN.parquet TEST.parquet SYNTHETIC.parquet

Runs in the benchmark's own environment and prints one JSON object. Shape and Trend are errors in per cent; the XGBoost
two-sample score (C2ST) is 1 where rows cannot be told apart; the same against the test rows has a ceiling, which the
training rows themselves reach; MLE trains on synthetic rows and tests on real ones.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.single_column import KSComplement, TVComplement
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from xgboost import XGBClassifier, XGBRegressor

sys.path.insert(0, str(Path(__file__).parent))
from tables import BENCHMARKS, Benchmark

XGB = {"n_jobs": 2, "tree_method": "hist", "random_state": 0}


def frame(path: str, benchmark: Benchmark) -> pd.DataFrame:
    """A table as pandas: categories as text with null a category of its own, the rest as floats."""
    table = pd.read_parquet(path)
    for column in table:
        numeric = pd.api.types.is_numeric_dtype(table[column]) and column not in benchmark.categories
        values = table[column]
        named = values.astype(object).where(values.notna(), "∅").astype(str)
        table[column] = values.astype(float) if numeric else named
    return table


def shape(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean column error in per cent."""
    scores = [(TVComplement if real[c].dtype == object else KSComplement).compute(real[c], synthetic[c]) for c in real]
    return 100 * (1 - float(np.mean(scores)))


def trend(real: pd.DataFrame, synthetic: pd.DataFrame, *, bins: str) -> float:
    """Mean pair error in per cent; 10 bins fitted "separately" (the protocol) or on "real" for both."""
    scores = []
    cut = {c: cuts(real[c], synthetic[c], bins) for c in real if real[c].dtype != object}
    for a, b in itertools.combinations(real.columns, 2):
        if a in cut and b in cut:
            scores.append(CorrelationSimilarity.compute(real[[a, b]], synthetic[[a, b]]))
            continue
        r = pd.DataFrame({c: cut[c][0] if c in cut else real[c] for c in (a, b)})
        s = pd.DataFrame({c: cut[c][1] if c in cut else synthetic[c] for c in (a, b)})
        scores.append(ContingencySimilarity.compute(r, s))
    return 100 * (1 - float(np.mean(scores)))


def cuts(real: pd.Series, synthetic: pd.Series, bins: str) -> tuple[pd.Series, pd.Series]:
    """Both columns as bin numbers."""
    edges = np.histogram_bin_edges(real.dropna(), 10)
    own = edges if bins == "real" else np.histogram_bin_edges(synthetic.dropna(), 10)
    return (
        pd.Series(np.digitize(real, edges[1:-1])).astype(str),
        pd.Series(np.digitize(synthetic, own[1:-1])).astype(str),
    )


def codes(*frames: pd.DataFrame) -> list[np.ndarray]:
    """Frames as float matrices with shared category codes."""
    result = [np.empty(f.shape) for f in frames]
    for j, column in enumerate(frames[0]):
        if frames[0][column].dtype == object:
            values = sorted(set().union(*(set(f[column]) for f in frames)))
            place = {value: i for i, value in enumerate(values)}
            for f, out in zip(frames, result, strict=True):
                out[:, j] = f[column].map(place)
        else:
            for f, out in zip(frames, result, strict=True):
                out[:, j] = f[column]
    return result


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
    """AUC on real test rows, or RMSE of the log target."""
    x, t = codes(train.drop(columns=benchmark.target), test.drop(columns=benchmark.target))
    if benchmark.regression:
        y, u = (np.log(np.clip(f[benchmark.target], 1, 20000)) for f in (train, test))
        p = XGBRegressor(**XGB).fit(x, y).predict(t)
        return float(np.sqrt(np.mean((p - u) ** 2)))
    positive = max(set(test[benchmark.target]))
    y, u = (f[benchmark.target] == positive for f in (train, test))
    return float(roc_auc_score(u, XGBClassifier(**XGB).fit(x, y).predict_proba(t)[:, 1]))


def nearer_to_train(train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, rows: int = 3000) -> float:
    """Share in per cent of synthetic rows whose nearest real row is a training row, among equally many of each."""
    n = min(len(test), len(train))
    frames = [train.sample(n, random_state=0), test.sample(n, random_state=0), synthetic.sample(rows, random_state=0)]
    parts: list[list[np.ndarray]] = [[], [], []]
    for column in train:
        if train[column].dtype == object:
            for value in train[column].unique():
                for part, f in zip(parts, frames, strict=True):
                    part.append((f[column] == value).to_numpy(float) / np.sqrt(2))
        else:
            low, high = train[column].min(), train[column].max()
            for part, f in zip(parts, frames, strict=True):
                part.append(((f[column] - low) / max(high - low, 1e-12)).to_numpy(float))
    a, b, s = (np.nan_to_num(np.stack(part, 1)) for part in parts)
    da, db = (NearestNeighbors(n_neighbors=1).fit(x).kneighbors(s)[0][:, 0] for x in (a, b))
    return 100 * float(np.mean((da < db) + 0.5 * (da == db)))


def main(name: str, *paths: str) -> None:
    """Print the scores."""
    benchmark = BENCHMARKS[name]
    train, test, synthetic = (frame(path, benchmark) for path in paths)
    part = synthetic.sample(min(len(test), len(synthetic)), random_state=0)
    print(
        json.dumps(
            {
                "shape": shape(train, synthetic),
                "trend": trend(train, synthetic, bins="separately"),
                "trend_real_bins": trend(train, synthetic, bins="real"),
                "c2st": c2st(train, synthetic),
                "c2st_holdout": c2st(test, part),
                "c2st_ceiling": c2st(test, train.sample(len(part), random_state=0)),
                "mle": mle(synthetic, test, benchmark),
                "mle_real": mle(train, test, benchmark),
                "nearer_to_train": nearer_to_train(train, test, synthetic),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
