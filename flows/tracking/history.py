"""The history of the champions of a model: every move of the alias, in order, and why.

A move is a tag of the registered model, `champion.20260305T030012.123456Z`, that holds an `Event`. Events are never
changed or removed, so a rollback, and a promotion that was taken back, stay in the history. Only the alias decides
which version is champion. It moves before its event is written, and the tag `champion.next` holds the event meanwhile,
so the next process completes a move that a crash interrupted. If the alias has moved without this tag, it was moved in
MLflow itself, and the move becomes an event as soon as it is noticed.

Before there were events, one tag named the champions that count. It is still read, but no longer written:

    champions = "1@2026-01-05T03:00:12Z 2@2026-01-06T03:00:09Z"
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Literal

from mlflow.entities.model_registry import RegisteredModel
from pydantic import ValidationError

from flows.tracking.store import client
from pipeline.errors import ResynthError
from pipeline.records import Record

ALIAS = "champion"
BEGUN = "champion.next"
WRITTEN = re.compile(r"champion\.\d{8}T\d{6}\.\d{6}Z")
OLD = "champions"
PERSON = "person"
LONGEST_WHY = 2000  # characters; JSON at most doubles them, and a tag has room for 5,000

Kind = Literal["promoted", "by hand", "rolled back", "taken back", "in MLflow"]


class Event(Record):
    """A move of the alias.

    Attributes:
        when: The time of the move, or the time when a move in MLflow itself was noticed. Later than all before it.
        kind: What happened: a run promoted its version, a person promoted one by hand or rolled back, a version was
            taken back because its run failed or was killed, or the alias was set or removed in MLflow itself.
        before: The version that was champion, or that was taken back. None if there was none.
        after: The version that is champion from then on. None if there is none.
        by: The MLflow run whose version is promoted or taken back, or "person"; "unknown" in old histories.
        why: The reasons of the decision.
    """

    when: datetime
    kind: Kind
    before: str | None
    after: str | None
    by: str
    why: str

    @classmethod
    def following(
        cls, past: Sequence["Event"], kind: Kind, before: str | None, after: str | None, by: str, why: str
    ) -> "Event":
        """Make an event that happens now, after all events of the past."""
        now = datetime.now(UTC)
        if past:  # the clock of another machine may be ahead
            now = max(now, past[-1].when + timedelta(microseconds=1))
        why = textwrap.shorten(why, LONGEST_WHY, placeholder=" …")
        return cls(when=now, kind=kind, before=before, after=after, by=by, why=why)

    @property
    def key(self) -> str:
        """The tag that holds the event. The order of tags is the order of events."""
        return f"champion.{self.when:%Y%m%dT%H%M%S.%fZ}"


def read(name: str) -> tuple[Event, ...]:
    """Every move of a model's alias, oldest first, with a last move that is not written yet."""
    written, missing = _look(name)
    return (*written, *missing)


def settle(name: str) -> tuple[Event, ...]:
    """Write a move that is not written yet. Returns the same as `read`."""
    written, missing = _look(name)
    for event in missing:
        write(name, event)
    return (*written, *missing)


def move(name: str, event: Event) -> None:
    """Move the alias as an event says, and write the event."""
    client().set_registered_model_tag(name, BEGUN, event.model_dump_json())
    if event.after is None:
        client().delete_registered_model_alias(name, ALIAS)
    else:
        client().set_registered_model_alias(name, ALIAS, event.after)
    write(name, event)


def write(name: str, event: Event) -> None:
    """Write an event. Writing it twice has no further effect."""
    client().set_registered_model_tag(name, event.key, event.model_dump_json())


def reigning(events: Sequence[Event]) -> str | None:
    """The champion after these events, if there is one."""
    return events[-1].after if events else None


def line(events: Sequence[Event]) -> list[str]:
    """The champions that count, in order, without those that were taken back or rolled back from."""
    kept: list[str] = []
    for event in events:
        if event.kind == "taken back":
            kept = [version for version, _ in groupby(version for version in kept if version != event.before)]
        elif event.kind == "rolled back":
            while kept and kept[-1] != event.after:
                kept.pop()
        if event.after is not None and kept[-1:] != [event.after]:
            kept.append(event.after)
    return kept


def _look(name: str) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """The written events, and at most one event that has happened and is not written yet."""
    model = client().get_registered_model(name)
    found = [_parse(model, tag) for tag in model.tags if WRITTEN.fullmatch(tag)]
    written = (*_old(model.tags), *sorted(found, key=lambda event: event.when))
    champion = str(model.aliases[ALIAS]) if ALIAS in model.aliases else None
    if BEGUN in model.tags:
        begun = _parse(model, BEGUN)
        if begun.after == champion and (not written or begun.when > written[-1].when):
            return written, (begun,)
    before = reigning(written)
    if champion == before:
        return written, ()
    return written, (Event.following(written, "in MLflow", before, champion, PERSON, "noticed at this time"),)


def _parse(model: RegisteredModel, tag: str) -> Event:
    try:
        return Event.model_validate_json(model.tags[tag])
    except ValidationError as error:
        raise ResynthError(
            f"history: expected the tag {tag} of the registered model {model.name!r} to hold a move of the alias, "
            "it does not"
        ) from error


def _old(tags: Mapping[str, str]) -> Iterator[Event]:
    """The events in the old tag, which says which version became champion when."""
    before = None
    for entry in tags.get(OLD, "").split():
        version, _, when = entry.partition("@")
        began = datetime.fromisoformat(when)
        yield Event(when=began, kind="promoted", before=before, after=version, by="unknown", why="")
        before = version
