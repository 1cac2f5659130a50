"""Evidently's default preset on batches in a directory. It runs in its own environment.

    python peer.py DIRECTORY

DIRECTORY holds `reference.parquet` and `batch-*.parquet`. Prints a JSON object with each batch's flagged columns, the
verdict on the dataset, and the seconds it took.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset


def main() -> None:
    """Check every batch."""
    directory = Path(sys.argv[1])
    reference = pd.read_parquet(directory / "reference.parquet")
    found = {}
    for file in sorted(directory.glob("batch-*.parquet")):
        batch = pd.read_parquet(file)
        start = time.perf_counter()
        metrics = Report([DataDriftPreset()]).run(batch, reference).dict()["metrics"]
        seconds = time.perf_counter() - start
        flagged = [m["config"]["column"] for m in metrics if "column" in m["config"] and drifted(m)]
        share = next(m["value"]["share"] for m in metrics if "drift_share" in m["config"])
        found[file.stem] = {"columns": flagged, "dataset": share >= 0.5, "seconds": seconds}
    print(json.dumps(found))


def drifted(metric: dict) -> bool:
    """Whether a p-value is below its threshold, or a distance reaches it."""
    value, config = float(metric["value"]), metric["config"]
    if "p_value" in config["method"]:
        return value < config["threshold"]
    return value >= config["threshold"]


if __name__ == "__main__":
    main()
