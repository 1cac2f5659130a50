"""The verb about single rows: score."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path

from flows.cli import checks
from flows.cli.app import CONFIGURED, Configured, Reply, Shown, Written, model_of, verb
from pipeline.progress import Tick, silent


@verb
def score(
    name: str,
    data: str,
    *,
    out: Path,
    false_alarms: float | None = None,
    quantile: float | None = None,
    robust_z: float | None = None,
    format: Written | None = None,  # noqa: A002 - the option's name
    common: Configured = CONFIGURED,
    progress: Shown = silent,
) -> Reply:
    """Score how strange each row of a table is to a version, with reasons.

    Parameters
    ----------
    name
        NAME (the champion), NAME@alias or NAME/version.
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, quoted pattern, s3:// prefix or query.
    out
        New file for the rows with their scores. An existing file is never replaced.
    false_alarms
        Share of ordinary rows that may count as anomalies; default: 0.01.
    quantile
        Quantile of the table's own scores beyond which a row is an anomaly, such as 0.99.
    robust_z
        Robust standard deviations from the median score beyond which a row is an anomaly, such as 3.5.
    format
        What the file is written as: parquet, csv, feather or duckdb; default: what its suffix says, else parquet.
    """
    given = {"false_alarms": false_alarms, "quantile": quantile, "robust_z": robust_z}
    settings = common.settings(name=model_of(name), score={k: v for k, v in given.items() if v is not None} or None)
    checks.new_file(out)
    table = checks.table(data, settings, common.home)
    checks.version(name, common.home)
    progress(Tick("start", 1, 2))
    from flows.telling import display
    from flows.verbs.score import form_of
    from flows.verbs.score import score as work

    report = work(name, table, out, settings, form_of(out, format), progress)
    answer = {"path": str(out), **report.model_dump(mode="json")}
    return Reply(answer, lambda console: display.scores(console, report, out))
