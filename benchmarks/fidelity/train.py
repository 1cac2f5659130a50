"""Train on one published table with the default configuration and write synthetic rows.

    python train.py adult SEED DIRECTORY

Writes train.parquet, test.parquet and synthetic.parquet, and prints one JSON object: seconds of training, peak memory,
rows per second of generation, and what the latent space holds on the test rows.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

sys.path.insert(0, str(Path(__file__).parent))
from tables import BENCHMARKS, split

from pipeline import columns, tables
from pipeline.synthesizer import Synthesizer
from pipeline.tables import SplitSettings

SMALLEST = 1e-9  # a hold-out of a few rows: the protocol has its own test rows


def main(name: str, seed: str, directory: str) -> None:
    """Train, generate as many rows as the training split has, and measure."""
    train, test = split(name)
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    schema = columns.infer(train)
    parts = tables.split(train, SplitSettings(holdout=SMALLEST), int(seed))
    began = time.monotonic()
    synthesizer = Synthesizer.fit(parts.train, parts.validation, schema, seed=int(seed))
    trained = time.monotonic()
    synthetic = synthesizer.sample(train.num_rows, seed=int(seed) + 1)
    done = time.monotonic()
    for file, table in (("train", train), ("test", test), ("synthetic", synthetic)):
        pq.write_table(table, out / f"{file}.parquet")
    report = synthesizer.elbo(test.slice(0, 2000), seed=0)
    print(
        json.dumps(
            {
                "train_seconds": trained - began,
                "epochs": len(synthesizer.history),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "rows_per_second": train.num_rows / (done - trained),
                "elbo": report.elbo,
                "kl": report.kl,
                "active_units": report.active_units,
                "probe_auc": probe(synthesizer.encode(test), test.column(BENCHMARKS[name].target).to_pylist()),
            }
        )
    )


def probe(z: np.ndarray, target: list[object]) -> float:
    """Cross-validated AUC of a linear probe on E[z|x] for the target (above its median where it is a number)."""
    values = np.asarray(target)
    high = values > np.median(values) if values.dtype.kind in "fi" and len(set(target)) > 2 else values == max(target)
    model = LogisticRegression(max_iter=1000)
    return float(cross_val_score(model, z, high, scoring="roc_auc").mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
