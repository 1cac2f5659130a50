"""What happens while tables are served, for people as lines and for programs as JSON."""

from datetime import UTC, datetime
from typing import Literal, Self

from pipeline.records import Record

Told = Literal[
    "starting", "serving", "schedule", "next", "started", "promoted", "refused", "skipped", "busy", "waiting",
    "no drift", "drift", "failed", "cancelled", "away", "stopped",
]  # fmt: skip


class Happening(Record):
    """Something that happened while tables are served.

    Attributes:
        when: The time, in the zone of this machine.
        event: What sort of thing happened.
        table: The name of the table. None if it concerns all.
        text: The same in words.
    """

    when: datetime
    event: Told
    table: str | None = None
    text: str

    @classmethod
    def now(cls, event: Told, text: str, table: str | None = None, when: datetime | None = None) -> Self:
        """Something that happened now, or at `when`."""
        return cls(when=(when or datetime.now(UTC)).astimezone(), event=event, table=table, text=" ".join(text.split()))

    @property
    def line(self) -> str:
        """The same in a line."""
        about = "" if self.table is None else f"{self.table}: "
        return f"{self.when:%Y-%m-%d %H:%M:%S} {about}{self.text}"
