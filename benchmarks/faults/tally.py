"""Counts of a fault campaign: how often each kind of fault was injected, and how it ended.

A fault ends well if it is *refused* in one line, or is *harmless*: everything that is required of the program still
holds. Anything else is a finding. It is printed, and the command ends with exit code 1.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from pipeline.errors import ResynthError

End = Literal["refused", "harmless", "BROKEN", "RAW", "LONG", "HUNG"]
LONGEST = 600  # characters of a message
SHOWN = 400  # of them, in a finding


class Tally:
    """Counts by kind of fault and end."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, End]] = Counter()
        self.findings: list[str] = []

    def meet(self, kind: str, case: str, fault: Callable[[], object], *, seconds: int = 30) -> End:
        """Call `fault`, and count how it ends under its kind."""
        end: End = "harmless"
        message = ""
        try:
            with _limit(seconds):
                fault()
        except ResynthError as error:
            message = str(error)
            end = "refused" if "\n" not in message and len(message) <= LONGEST else "LONG"
        except TimeoutError:
            end = "HUNG"
        except AssertionError as error:  # a requirement does not hold
            end, message = "BROKEN", str(error)
        except Exception as error:  # noqa: BLE001 - such errors are what the campaign looks for
            end, message = "RAW", f"{type(error).__name__}: {error}"
        self.counts[kind, end] += 1
        if end not in {"refused", "harmless"}:
            self.findings.append(f"{end} {kind} {case}: {message:.{SHOWN}}")
        return end

    def show(self) -> int:
        """Print the counts and the findings. Returns the exit code."""
        for kind in sorted({kind for kind, _ in self.counts}):
            ends = {end: count for (one, end), count in self.counts.items() if one == kind}
            print(f"{kind:32}", *(f"{end} {count}" for end, count in sorted(ends.items())))
        print(f"{sum(self.counts.values())} faults, {len(self.findings)} findings")
        print(*self.findings, sep="\n")
        return 1 if self.findings else 0


@contextmanager
def _limit(seconds: int) -> Iterator[None]:
    """Raise a TimeoutError after a while."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
