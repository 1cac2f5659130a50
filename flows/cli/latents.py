"""The verb latent."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path
from typing import Annotated, Literal

from flows.cli import checks
from flows.cli.app import SEEDED, WHOLE, WHOLES, Reply, Seeded, Shown, model_of, verb
from pipeline.errors import SettingsError
from pipeline.progress import Tick, silent

STEPS = 8


@verb
def latent(
    name: str,
    data: str,
    *,
    out: Path | None = None,
    pictures: Path | None = None,
    map: Literal["pca", "umap"] | None = None,  # noqa: A002 - the option's name
    by: str | None = None,
    between: Annotated[tuple[int, int] | None, WHOLES] = None,
    vary: Annotated[int | None, WHOLE] = None,
    at: Annotated[int | None, WHOLE] = None,
    arithmetic: str | None = None,
    steps: Annotated[int | None, WHOLE] = None,
    common: Seeded = SEEDED,
    progress: Shown = silent,
) -> Reply:
    """Show where rows lie in the latent space of a model, and what lies between them.

    Parameters
    ----------
    name
        NAME (the champion), NAME@alias or NAME/version.
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, quoted pattern, s3:// prefix or query.
    out
        Parquet file for the columns of DATA with z0, z1, … (the mean of each row's posterior) and z0_variance, ….
    pictures
        Directory for pictures: map, density, rates, and one or two for each of the options below.
    map
        How the map projects rows: pca (default), or umap, which needs pip install 'resynth[umap]'.
    by
        Column that colours the map; default: the target of [evaluation] in the settings.
    between
        Two rows, counted from 0, to walk between.
    vary
        Dimension of z, counted from 0, to walk along.
    at
        Row at which --vary starts; default: the mean of all rows.
    arithmetic
        Groups of rows to add and subtract: "income='>50K' & sex='Female' - sex='Female' + sex='Male'".
    steps
        Steps of a walk, 1 to 100; default: 8.
    """
    _check(pictures, {"--map": map, "--by": by}, {"--between": between, "--vary": vary}, at, steps)
    settings = common.settings(name=model_of(name))
    table = checks.table(data, settings, common.home)
    checks.version(name, common.home)
    progress(Tick("start", 1, 2))
    from flows.telling import display
    from flows.verbs.latent import LatentRequest, expect_place
    from flows.verbs.latent import latent as look

    expect_place(out, table)
    request = LatentRequest(
        out=out,
        pictures=pictures,
        map=map or "pca",
        by=by,
        between=between,
        vary=vary,
        at=at,
        arithmetic=arithmetic,
        steps=STEPS if steps is None else steps,
        seed=settings.seed,
    )
    found = look(name, table, request, settings, progress)
    last = [*(f"written: {file}" for file in found.written), *(f"note: {note}" for note in found.notes)]
    told = found.of, found.summary, found.walks, found.arithmetic, found.schema, last
    return Reply(found.answer(), lambda console: display.latent(console, *told))


def _check(
    pictures: Path | None, drawn: dict[str, object], walks: dict[str, object], at: int | None, steps: int | None
) -> None:
    """Options that need others, and places that cannot be."""
    for option, value in drawn.items():
        if value is not None and pictures is None:
            raise SettingsError(f"latent: {option}: expected --pictures DIR beside it, got none")
    if at is not None and walks["--vary"] is None:
        raise SettingsError("latent: --at: expected --vary DIM beside it, got none")
    if steps is not None and all(value is None for value in walks.values()):
        raise SettingsError("latent: --steps: expected --between ROW ROW or --vary DIM beside it, got none")
    if pictures is not None and pictures.exists() and not pictures.is_dir():
        raise SettingsError(f"latent: --pictures: expected a directory, got the file {pictures}")
