"""Verbs that run until they are stopped: serve, ui."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

import os
import sys

from flows.cli.app import AT_HOME, CONFIGURED, STOPPED, AtHome, Configured, Reply, lines, verb

SERVE = "resynth serve"  # name of its lock, beside the locks of models; no model's name has a space


@verb
def serve(*, common: Configured = CONFIGURED) -> Reply:
    """Retrain and check for drift on the [schedule] of the settings, until Ctrl-C. Every event is a line.

    With --json, every event is also a JSON object, on a line of standard output.
    """
    from flows.telling.happenings import Happening

    def tell(happening: Happening) -> None:
        print(happening.line, file=sys.stderr if common.json else sys.stdout, flush=True)
        if common.json:
            print(happening.model_dump_json(), flush=True)  # noqa: T201

    tell(Happening.now("starting", "the settings are read"))
    from flows.settings import Settings
    from pipeline.errors import SettingsError

    tables = Settings.tables(common.home, common.config)
    for settings in tables.values():
        settings.check_source(common.home)
    if not any(settings.schedule.retrain or settings.schedule.drift for settings in tables.values()):
        raise SettingsError('serve: expected retrain = "0 3 * * *" or drift = "1h" under [schedule], got neither')
    tell(Happening.now("starting", f"serving {', '.join(tables)}: Prefect's server starts, which takes a while"))
    home = common.embed()
    from flows.engine import servers
    from flows.engine.workspace import alone

    with alone(home, SERVE), servers.prefect() as address:
        os.environ.setdefault("PREFECT_API_URL", f"{address}/api")
        from flows import serving

        tell(Happening.now("serving", f"prefect: {address}"))
        if STOPPED.is_set():
            raise KeyboardInterrupt
        serving.start(home, common.config, tables, tell)
    return Reply({"prefect": address, "tables": list(tables)}, lines())


@verb
def ui(*, common: AtHome = AT_HOME) -> Reply:
    """Start the web interfaces of MLflow and Prefect, until Ctrl-C."""
    import time

    common.embed()
    from flows.verbs.ui import serving

    with serving() as addresses:
        out = sys.stderr if common.json else sys.stdout
        print(*(f"{name}: {address}" for name, address in addresses.items()), sep="\n", file=out, flush=True)
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            return Reply(dict(addresses), lines())
