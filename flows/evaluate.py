"""How near are any synthetic rows to real ones? A question about two files, so it needs no home and no model."""

from flows.settings import Settings
from pipeline import columns, tables
from pipeline.errors import SchemaError
from pipeline.evaluation import Evaluation
from pipeline.evaluation import evaluate as compare
from pipeline.progress import Progress, silent
from pipeline.storage import Place


def evaluate(
    real: Place, synthetic: Place, *, test: Place | None, settings: Settings, progress: Progress = silent
) -> Evaluation:
    """Compare synthetic rows with real rows.

    Args:
        real: The table the generator was trained on.
        synthetic: The generated table.
        test: Real rows the generator has not seen. Without it `real` is split as a run would split it, so that the
            hold-out of that run is found again.
        settings: How to read, split and evaluate.
        progress: Told after every area.

    Raises:
        TableError: A table cannot be used.
        SchemaError: The tables differ in their columns.
    """
    train, rows = (
        tables.read(real, settings.read, settings.columns),
        tables.read(synthetic, settings.read, settings.columns),
    )
    if test is not None:
        holdout = tables.read(test, settings.read, settings.columns)
    else:
        train, _, holdout = tables.split(train, settings.split)
    schema = columns.infer(train, settings.columns)
    for path, table in ((synthetic, rows), (test, holdout)):
        differences = schema.differences(table.schema)
        if differences:
            raise SchemaError(f"evaluate: expected the columns of {real} in {path}; {'; '.join(differences)}")
    return compare(
        rows,
        holdout=holdout,
        train=train,
        schema=schema,
        settings=settings.evaluation,
        seed=settings.seed,
        progress=progress,
    )
