"""The verb `evaluate`: how near are synthetic rows to real ones? It compares files and needs no home and no model."""

from flows.settings import Settings
from pipeline import columns
from pipeline.data import tables
from pipeline.data.storage import Place
from pipeline.evaluation import Evaluation
from pipeline.evaluation import evaluate as compare
from pipeline.progress import Progress, silent, ticked

UNSEEN = (
    "privacy: copies are told from new rows only beside real rows that the generator has not seen; name such rows with "
    "--test, unless SYNTHETIC is an export of a run on REAL"
)


def evaluate(
    real: Place, synthetic: Place, *, test: Place | None, settings: Settings, progress: Progress = silent
) -> Evaluation:
    """Compare synthetic rows with real rows.

    Args:
        real: The table that the generator was trained on.
        synthetic: The generated table.
        test: Real rows that the generator has not seen. Without it, `real` is split as in a run, so that the hold-out
            of that run is found again.
        settings: How to read, split and evaluate.
        progress: Called after every area.

    Raises:
        TableError: A table cannot be used.
        SchemaError: The columns of the tables differ, and not harmlessly (`pipeline.data.tables.unify`).
    """
    places = [real, synthetic] if test is None else [real, synthetic, test]
    came: list[tables.Named] = []
    for place in ticked(places, "read", progress):
        like = came[0].table.schema if came else None
        came.append(tables.Named(str(place), tables.load(place, settings.read, settings.columns, like).table))
    train, rows, *unseen = tables.unify(came, like=came[0].table.schema).tables
    if unseen:
        holdout = unseen[0]
    else:
        train, _, holdout = tables.split(train, settings.split)
    schema = columns.infer(train, settings.columns, progress=progress)
    found = compare(
        rows,
        holdout=holdout,
        train=train,
        schema=schema,
        settings=settings.evaluation,
        seed=settings.seed,
        progress=progress,
    )
    return found if test is not None else found.model_copy(update={"notes": (*found.notes, UNSEEN)})
