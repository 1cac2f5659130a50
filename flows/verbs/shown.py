"""A verb as a run on Prefect's pages.

A person finds a run by its name ("adult: train"), sees with which parameters it began, and reads in its state what came
of it. What a verb needs besides (settings, a listener for progress) is not shown, so the parameters of such a run are
chosen one by one.
"""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import NamedTuple, TypeVar, cast

from prefect import Flow, State, tags
from prefect.context import TagsContext
from prefect.exceptions import MissingResult
from prefect.states import Completed

from pipeline.errors import BusyError

TAG = "resynth"
SKIPPED = "Skipped"
"""The name of the state of a run that did nothing. It is no failure."""

BUSY = "another run of it is at work"
"""The message of a skipped run that found another at work."""

T = TypeVar("T")


class Ending(NamedTuple):
    """How a run ended: the name of its state, and a message."""

    name: str
    message: str


class Purpose(NamedTuple):
    """What runs of a verb are for.

    Attributes:
        verb: The name of the verb. Its flow is called `resynth-<verb>`.
        name: The purpose in a few words. A run is named by its table and this.
        about: A description for the page of the flow.
    """

    verb: str
    name: str
    about: str

    def run(self, table: str) -> str:
        """The name of a run for a table."""
        return f"{table}: {self.name}"


TRAIN = Purpose("run", "train", "Train, evaluate, decide and publish: the whole chain once (resynth run).")
CHECK = Purpose("drift", "drift check", "Compare a table with the training table of a version (resynth drift).")
EXPORT = Purpose("export", "export", "Publish rows of a registered version (resynth export).")
REPLAY = Purpose("replay", "replay", "Run the loop over the history of a table (resynth replay).")


def shown(
    purpose: Purpose, table: str, work: Callable[[], T], ending: Callable[[T], Ending], parameters: Mapping[str, object]
) -> T:
    """Do work as a flow run, and return its result.

    Args:
        purpose: What the run is for.
        table: The name of the table's model.
        work: The work.
        ending: Gives the name and the message of the run's last state, from the result of the work.
        parameters: What Prefect shows as the parameters of the run.

    Raises:
        BusyError: Another process does the same work. Prefect shows the run as skipped.
    """
    results: list[T] = []

    def kept() -> T:
        results.append(work())
        return results[0]

    def carry_out(**_: object) -> State[T | BusyError]:
        with TagsContext(current_tags=set()):  # Prefect asks its server before every task with a tag
            return ended(kept, ending)

    names = [Parameter(name, Parameter.KEYWORD_ONLY) for name in parameters]
    carry_out.__signature__ = Signature(names)  # type: ignore[attr-defined] # what Prefect shows one by one
    made = Flow(
        carry_out,
        name=f"resynth-{purpose.verb}",
        description=purpose.about,
        flow_run_name=lambda: purpose.run(table),
        validate_parameters=False,
    )
    texts = {name: value if value is None else str(value) for name, value in parameters.items()}
    with tags(TAG, table):
        try:
            found = cast("T | BusyError", made(**texts))
        except MissingResult:  # a busy server answers a repeated request with a state that lacks the data
            if not results:
                raise
            found = results[0]
    if isinstance(found, BusyError):
        raise found
    return found


def ended(work: Callable[[], T], ending: Callable[[T], Ending]) -> State[T | BusyError]:
    """Do work within a flow run. Returns the state of the run, with the result of the work as its data.

    If another process does the same work, the run is skipped, and the error is the result.
    """
    try:
        found = work()
    except BusyError as error:
        return Completed(name=SKIPPED, message=BUSY, data=error)
    name, message = ending(found)
    return Completed(name=name, message=message, data=found)
