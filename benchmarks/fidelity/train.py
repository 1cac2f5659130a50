"""Train on one table with the default configuration, and write synthetic rows.

    python train.py adult SEED DIRECTORY [SECONDS]

SECONDS is the time limit of the whole fit, if it is not the default. Values that few rows share are withheld before the
training, as in every run. Writes the model and, as Parquet, train, test, seen (the rows that the network was trained
on, as they came), validation (the rows that decide when to stop, as they came) and synthetic. Prints one JSON object:
seconds of training, peak memory, rows per second of generation.
"""

import json
import resource
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from tables import split

from pipeline import columns, loop
from pipeline.data import tables
from pipeline.data.tables import SplitSettings
from pipeline.settings import LoopSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

SMALLEST = 1e-9  # a hold-out of a few rows, because the protocol has its own test rows


def main(name: str, seed: str, directory: str, seconds: str | None = None) -> None:
    """Train, generate as many rows as the training split has, and measure."""
    train, test = split(name)
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    settings = LoopSettings(split=SplitSettings(holdout=SMALLEST), seed=int(seed))
    schema = columns.infer(train)
    parts = tables.split(train, settings.split, settings.seed)
    shown = loop.show(train, parts, schema, settings).parts
    training = TrainingSettings() if seconds is None else TrainingSettings(time_limit=float(seconds))
    began, worked = time.monotonic(), time.process_time()
    synthesizer = Synthesizer.fit(shown.train, shown.validation, schema, training=training, seed=int(seed))
    trained, work = time.monotonic(), time.process_time() - worked
    synthetic = synthesizer.sample(train.num_rows, seed=int(seed) + 1)
    done = time.monotonic()
    files = {
        "train": train,
        "test": test,
        "seen": parts.train,
        "validation": parts.validation,
        "synthetic": synthetic,
    }
    for file, table in files.items():
        pq.write_table(table, out / f"{file}.parquet")
    synthesizer.save(out / "model")
    print(
        json.dumps(
            {
                "train_seconds": trained - began,
                "cpu_seconds": work,
                "epochs": len(synthesizer.history),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "rows_per_second": train.num_rows / (done - trained),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
