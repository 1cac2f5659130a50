"""The verb `example`: tables to try resynth on."""

import shutil
from pathlib import Path

from flows.cli.app import ANSWERING, Answering, Reply, lines, verb
from flows.engine import examples
from pipeline.errors import SettingsError


@verb
def example(*, out: Path = Path(), common: Answering = ANSWERING) -> Reply:  # noqa: ARG001 - every verb takes them
    """Copy the example tables and their settings into a directory. Nothing that exists is replaced.

    Parameters
    ----------
    out
        The directory. It is made if it does not exist.
    """
    taken = [name for name in examples.NAMES if (out / name).exists()]
    if taken:
        raise SettingsError(f"example: expected no {taken[0]} in {out} yet, found one; it was left alone")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in examples.NAMES:
            shutil.copyfile(examples.directory() / name, out / name)
    except OSError as error:
        raise SettingsError(
            f"example: expected a directory that can be written, got {out} ({error.strerror})"
        ) from error
    files = [str(out / name) for name in examples.NAMES]
    table, settings = files[0], files[2]
    return Reply({"files": files}, lines(*files, f"now: resynth run {table} --config {settings}"))
