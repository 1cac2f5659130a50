"""Verbs about the latent space: latent."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.cli import checks
from flows.cli.app import SEEDED, WHOLE, WHOLES, Reply, Seeded, Shown, model_of, verb
from pipeline.errors import SettingsError
from pipeline.progress import Tick, silent

STEPS = 8


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Options about pictures.

    Parameters
    ----------
    pictures
        Directory for pictures: map, density, rates, and one or two for each walk.
    map
        How the map projects rows: pca (default), or umap, which needs pip install 'resynth[umap]'.
    by
        Column that colours the map; default: the target of [evaluation] in the settings.
    """

    pictures: Path | None = None
    map: Literal["pca", "umap"] | None = None
    by: str | None = None

    def check(self) -> None:
        """Check that pictures have a place."""
        for option, value in (("--map", self.map), ("--by", self.by)):
            if value is not None and self.pictures is None:
                raise SettingsError(f"latent: {option}: expected --pictures DIR beside it, got none")
        if self.pictures is not None and self.pictures.exists() and not self.pictures.is_dir():
            raise SettingsError(f"latent: --pictures: expected a directory, got the file {self.pictures}")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Walking:
    """Options about walks.

    Parameters
    ----------
    between
        Two rows, counted from 0, to walk between.
    vary
        Dimension of z, counted from 0, to walk along.
    at
        Row at which --vary starts; default: the mean of all rows.
    steps
        Steps of a walk, 1 to 100; default: 8.
    arithmetic
        Groups of rows to add and subtract: "income='>50K' & sex='Female' - sex='Female' + sex='Male'".
    """

    between: Annotated[tuple[int, int] | None, WHOLES] = None
    vary: Annotated[int | None, WHOLE] = None
    at: Annotated[int | None, WHOLE] = None
    steps: Annotated[int | None, WHOLE] = None
    arithmetic: str | None = None

    def check(self) -> None:
        """Check that options have the walk that they are about."""
        if self.at is not None and self.vary is None:
            raise SettingsError("latent: --at: expected --vary DIM beside it, got none")
        if self.steps is not None and self.between is None and self.vary is None:
            raise SettingsError("latent: --steps: expected --between ROW ROW or --vary DIM beside it, got none")


DRAWING, WALKING = Drawing(), Walking()


@verb
def latent(
    name: str,
    data: str,
    *,
    out: Path | None = None,
    drawing: Drawing = DRAWING,
    walking: Walking = WALKING,
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
    """
    drawing.check()
    walking.check()
    settings = common.settings(name=model_of(name))
    table = checks.table(data, settings, common.home)
    checks.version(name, common.home)
    progress(Tick("start", 1, 2))
    from flows.telling import display
    from flows.verbs.latent import LatentRequest, expect_place
    from flows.verbs.latent import latent as look

    expect_place(out, table)
    asked = {**vars(drawing), **vars(walking)}
    asked |= {"map": drawing.map or "pca", "steps": STEPS if walking.steps is None else walking.steps}
    found = look(name, table, LatentRequest(out=out, seed=settings.seed, **asked), settings, progress)
    last = [*(f"written: {file}" for file in found.written), *(f"note: {note}" for note in found.notes)]
    told = found.of, found.summary, found.walks, found.arithmetic, found.schema, last
    return Reply(found.answer(), lambda console: display.latent(console, *told))
