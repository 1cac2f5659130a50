"""The champion's alias moves: promotion, rollback, and promotions that are taken back."""

from collections.abc import Callable

from mlflow.entities import Run as Made
from mlflow.exceptions import MlflowException

from flows.tracking import history, leftovers
from flows.tracking.history import PERSON, Event
from flows.tracking.registry.finding import (
    BY_HAND,
    BY_RUN,
    Version,
    earlier,
    exists,
    listed,
    predecessor,
    promoted_by_hand,
    resolve,
    tag,
)
from flows.tracking.registry.loading import Loader, load, prove
from flows.tracking.registry.storing import withdraw
from flows.tracking.store import COMPLETE, MARK, client, unfinished
from pipeline.decisions.promotion import Decision
from pipeline.errors import ResynthError


def promote(version: Version, *, by_hand: bool = False, load: Loader = load) -> None:
    """Make a version the champion, after checking that it loads and generates its rows.

    Args:
        version: The version.
        by_hand: Whether a person decides, and not the run that made the version. Then no run takes it back.
        load: Loads the version. A run that has loaded it already does not load it again.

    Raises:
        ResynthError: It does not load or generate its rows. The champion stays.
    """
    prove(version, load)
    past = history.settle(version.name)
    before = history.reigning(past)
    if before == version.version and not by_hand:
        return  # a person was faster than the run
    if by_hand:
        event = Event.following(past, "by hand", before, version.version, PERSON, _said(version))
    else:
        event = Event.following(past, "promoted", before, version.version, version.origin.id, _reasons(version))
    tag(version, {BY_HAND if by_hand else BY_RUN: f"{event.when:%Y-%m-%dT%H:%M:%SZ}"})
    history.move(version.name, event)


def demote(version: Version, previous: Version | None, why: str = "its run failed") -> None:
    """Undo a run's `promote`. A promotion by hand stays, and so does an alias that has been moved since."""
    if promoted_by_hand(Version.of(client().get_model_version(version.name, version.version))):
        return
    past = history.settle(version.name)
    current = history.reigning(past)
    if current == version.version:
        after = previous.version if previous is not None else None
        history.move(version.name, Event.following(past, "taken back", version.version, after, version.origin.id, why))
    elif version.version in history.line(past):
        why = f"{why}; the alias had been moved on"
        history.write(
            version.name, Event.following(past, "taken back", version.version, current, version.origin.id, why)
        )
    client().delete_model_version_tag(version.name, version.version, BY_RUN)  # from now on only a person promotes it


def recover(name: str, died: Callable[[str], bool]) -> None:
    """Undo what dead runs of a model have left, as the runs themselves would have done.

    A run is complete when it has its decision tag, which it writes last. For any other dead run, the version is
    withdrawn, the alias is moved back, and the MLflow run counts as killed. If a person has promoted the version by
    hand, here or in MLflow itself, version and alias stay, and the run counts as complete. Complete runs make versions
    one after another, so the search ends at the first complete run.

    Args:
        name: The model's name.
        died: Whether the run with a given mark is dead.
    """
    if exists(name):
        history.settle(name)  # also writes moves that were made in MLflow itself
    for version in listed(name) if exists(name) else ():
        made = _maker(version)
        if made is None:
            continue
        if COMPLETE in made.data.tags or not died(made.data.tags.get(MARK, "")):
            break
        if promoted_by_hand(version):
            settled = {COMPLETE: "promoted", "reasons": "a person promoted it by hand"}
            tag(version, settled)
            if made.info.lifecycle_stage == "active":  # else a person has deleted it
                version.origin.tags(settled)
            continue
        before = earlier(name, history.read(name), version.version)
        demote(version, resolve(f"{name}/{before[-1]}") if before else None, "its run was killed")
        withdraw(version)
    for run, tags in unfinished(name):
        if died(tags.get(MARK, "")):
            client().set_terminated(run, "FINISHED" if COMPLETE in tags else "KILLED")
    leftovers.remove_strays(name, died)


def _maker(version: Version) -> Made | None:
    """The run that made a version. None if it was made in MLflow itself, or the run has been removed there."""
    if version.run is None:
        return None
    try:
        return client().get_run(version.run)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def rollback(name: str) -> Version:
    """Make the champion's predecessor the champion again.

    Raises:
        NotFoundError: There is no such model, no champion, or no predecessor.
    """
    current, previous = resolve(name), predecessor(name)
    prove(previous, load)
    past = history.settle(name)
    history.move(
        name, Event.following(past, "rolled back", current.version, previous.version, PERSON, "resynth rollback")
    )
    return resolve(previous.name)


def _reasons(version: Version) -> str:
    """The reasons of a version's run, from its file, because its tags are not written yet."""
    try:
        decision = Decision.model_validate_json(version.origin.read("decision.json"))
    except ResynthError:
        return ""
    return "; ".join(decision.reasons)


def _said(version: Version) -> str:
    """What its run decided about a version that a person promotes after a refusal, or while the run waits."""
    told = version.tags.get(COMPLETE)
    run = (f"its run: {told}", version.tags.get("reasons", "")) if told is not None else ()
    return "; ".join(text for text in ("resynth promote", *run) if text)
