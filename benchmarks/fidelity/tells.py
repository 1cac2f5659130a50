"""Where synthetic rows are weak: the columns and pairs with the largest errors, and what gives rows away.

    python tells.py adult DIRECTORY [synthetic]

Prints Markdown: errors of columns and pairs beside those of a bootstrap of the training rows; the gain of XGBoost from
each column when it tells synthetic rows from held-out ones; and which two of the most used columns suffice (the AUC of
XGBoost on these two alone, beside the AUC of training rows against held-out ones).
"""

import itertools
import sys
import warnings
from pathlib import Path

import pandas as pd
from xgboost import XGBClassifier

sys.path.insert(0, str(Path(__file__).parent))
from frames import codes, read
from score import XGB, c2st, column_errors, pair_errors
from tables import BENCHMARKS

MOST = 6
"""Lines of each list, and number of columns whose pairs are tried."""
ROWS = 10_000


def main(name: str, directory: str, which: str = "synthetic") -> None:
    """Print what is weak."""
    warnings.simplefilter("ignore")
    train, test, rows = (read(f"{directory}/{f}.parquet", BENCHMARKS[name]) for f in ("train", "test", which))
    again = train.sample(len(train), replace=True, random_state=0).reset_index(drop=True)
    print(f"### {name}\n")
    print(listed("column", column_errors(train, rows), column_errors(train, again)))
    pairs, floor = (pair_errors(train, other, bins="real") for other in (rows, again))
    print(listed("pair", pairs, floor))
    n = min(len(train), len(test), len(rows), ROWS)
    real, made, seen = (f.sample(n, random_state=0).reset_index(drop=True) for f in (test, rows, train))
    gains = importance(real, made)
    print("gain: " + ", ".join(f"{column} {share:.0%}" for column, share in gains.head(MOST).items()) + "  ")
    told = {}
    for pair in itertools.combinations(gains.index[:MOST], 2):
        columns = list(pair)
        told[pair] = (area(real[columns], made[columns]), area(real[columns], seen[columns]))
    best = sorted(told.items(), key=lambda item: item[1][1] - item[1][0])[:MOST]
    print("two columns: " + ", ".join(f"{a} × {b} {own:.3f} ({ceiling:.3f})" for (a, b), (own, ceiling) in best) + "\n")


def area(real: pd.DataFrame, made: pd.DataFrame) -> float:
    """AUC of telling rows apart, computed from `score.c2st`."""
    return 1 - c2st(real, made) / 2


def importance(real: pd.DataFrame, made: pd.DataFrame) -> pd.Series:
    """Share of XGBoost's total gain by column, largest first."""
    a, b = codes(real, made)
    frame = pd.DataFrame([*a, *b], columns=range(real.shape[1]))
    model = XGBClassifier(**XGB).fit(frame.to_numpy(), [0] * len(a) + [1] * len(b))
    gain = model.get_booster().get_score(importance_type="total_gain")
    shares = pd.Series({real.columns[int(key[1:])]: value for key, value in gain.items()})
    return (shares / shares.sum()).sort_values(ascending=False)


def listed(what: str, own: dict[object, float], floor: dict[object, float]) -> str:
    """The largest errors, each with its floor."""
    worst = sorted(own, key=lambda key: floor.get(key, 0) - own[key])[:MOST]
    label = {key: " × ".join(key) if isinstance(key, tuple) else str(key) for key in worst}
    return f"{what}s: " + ", ".join(f"{label[k]} {own[k]:.2f} ({floor.get(k, 0):.2f})" for k in worst) + "  "


if __name__ == "__main__":
    main(*sys.argv[1:])
