"""What makes a function a stage of a flow."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from flows.tracking.store import answering

P = ParamSpec("P")
T = TypeVar("T")


def stage(name: str) -> Callable[[Callable[P, T]], Task[P, T]]:
    """A Prefect task that keeps no result: its results are in the workspace, the registry or MLflow.

    Args:
        name: What Prefect's page calls a run of it. `{version.version}` stands for a fact about an argument.
    """

    def made(function: Callable[P, T]) -> Task[P, T]:
        @wraps(function)
        def answered(*arguments: P.args, **named: P.kwargs) -> T:
            with answering():
                return function(*arguments, **named)

        return task(cache_policy=NO_CACHE, persist_result=False, task_run_name=name)(answered)

    return made
