"""Whether to train, and how: the facts about a champion come from the registry and from MLflow, the policy decides."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from flows.engine.workspace import Workspace
from flows.stages.memory import outdated
from flows.stages.reading import Incoming
from flows.stages.stage import stage
from flows.tracking import registry
from flows.tracking.registry import START, WARM_STARTS, Models, Version
from flows.tracking.store import past_checks
from pipeline import loop
from pipeline.data.tables import Split
from pipeline.decisions import policy
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.policy import Plan
from pipeline.loop import Past
from pipeline.settings import LoopSettings, PolicySettings


@stage("plan")
def consider(
    work: Workspace,
    champion: Version,
    models: Models,
    incoming: Incoming,
    drift: DriftReport | None,
    settings: LoopSettings,
) -> Plan:
    """Decide what the new rows call for."""
    now, versions = datetime.now(UTC), registry.versions(champion.name)
    earlier = past_checks(champion.name, champion.created)
    past = Past(
        verdicts=tuple(check.drifted for check in earlier),
        waiting=sum(check.new_rows for check in earlier),
        age_days=(now - champion.created) / timedelta(days=1),
        idle_hours=idle_hours(versions, now),
        warm_starts=int(champion.tags.get(WARM_STARTS, 0)),
        warm_start_refused=any(version.tags.get(START) == champion.version for version in versions),
    )
    same = settings.incoming is None and incoming.digest == champion.tags["data_digest"]
    situation = loop.situate(
        models(champion),
        past,
        Split(*(work.read(part) for part in Split._fields)),
        work.columns,
        settings,
        new_rows=0 if same else incoming.new_rows,
        drift=drift,
    )
    return policy.plan(situation, settings.policy)


@stage("look at the cool-down")
def cooling_down(name: str, settings: PolicySettings) -> tuple[str, ...]:
    """Why a run that need not train does not start now. Empty if it may start."""
    return policy.cooling_down(idle_hours(registry.versions(name), datetime.now(UTC)), settings)


@stage("is a training due?")
def due(champion: Version, models: Models, settings: PolicySettings) -> bool:
    """Whether a training is due although nothing is new.

    It is due if the champion is too old and rows wait that no training has used. It is also due if this code can read
    neither the champion nor the last version that was trained.
    """
    last = max(registry.versions(champion.name), key=lambda version: version.created)
    waiting = sum(check.new_rows for check in past_checks(champion.name, last.created))
    age = (datetime.now(UTC) - champion.created) / timedelta(days=1)
    understood = not (outdated.fn(champion, models) and outdated.fn(last, models))
    return policy.overdue(age, waiting, settings) or not understood


def idle_hours(versions: Sequence[Version], now: datetime) -> float:
    """Time since any version of a model was trained."""
    return (now - max(version.created for version in versions)) / timedelta(hours=1)
