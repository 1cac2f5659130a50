"""Train a peer on one published table in the peer's own environment, and write synthetic rows.

    python peer.py tvae adult SEED DIRECTORY

Prints one JSON object: seconds of training, CPU seconds in all, peak memory, rows per second.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from tables import BENCHMARKS


def tvae(train: pd.DataFrame, categories: list[str], seed: int) -> tuple[float, pd.DataFrame]:
    """CTGAN's TVAE with its defaults: 300 epochs."""
    import torch  # noqa: PLC0415 - each peer's environment holds only what it needs
    from ctgan import TVAE  # noqa: PLC0415

    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the peer uses this global state
    filled = train.copy()
    for column in filled:
        if column in categories:
            filled[column] = filled[column].astype(object).where(filled[column].notna(), "∅").astype(str)
        else:
            filled[column] = filled[column].fillna(filled[column].mean())
    began = time.monotonic()
    model = TVAE(enable_gpu=False)
    model.fit(filled, discrete_columns=categories)
    seconds = time.monotonic() - began
    made = model.sample(len(train))
    for column in categories:
        made[column] = made[column].where(made[column] != "∅", None).astype(train[column].dtype)
    return seconds, made


def mostly(train: pd.DataFrame, categories: list[str], seed: int) -> tuple[float, pd.DataFrame]:
    """MOSTLY AI's engine (TabularARGN) with its defaults, value protection off."""
    from mostlyai import engine  # noqa: PLC0415

    kinds = {c: "TABULAR_CATEGORICAL" if c in categories else "TABULAR_NUMERIC_AUTO" for c in train}
    with tempfile.TemporaryDirectory() as directory:
        workspace = Path(directory)
        engine.set_random_state(seed)
        began = time.monotonic()
        engine.split(workspace_dir=workspace, tgt_data=train, tgt_encoding_types=kinds)
        engine.analyze(workspace_dir=workspace, value_protection=False)
        engine.encode(workspace_dir=workspace)
        engine.train(workspace_dir=workspace)
        seconds = time.monotonic() - began
        engine.generate(workspace_dir=workspace, sample_size=len(train))
        return seconds, pd.read_parquet(workspace / "SyntheticData")


def main(peer: str, name: str, seed: str, directory: str) -> None:
    """Train, generate, write."""
    benchmark, out = BENCHMARKS[name], Path(directory)
    train = pd.read_parquet(out / "train.parquet")
    categories = [c for c in train if c in benchmark.categories or not pd.api.types.is_numeric_dtype(train[c])]
    began, worked = time.monotonic(), time.process_time()
    seconds, made = {"tvae": tvae, "mostly": mostly}[peer](train, categories, int(seed))
    sampling, work = time.monotonic() - began - seconds, time.process_time() - worked
    made[list(train.columns)].to_parquet(out / f"{peer}.parquet", index=False)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(
        json.dumps(
            {"train_seconds": seconds, "cpu_seconds": work, "peak_mb": peak, "rows_per_second": len(made) / sampling}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
