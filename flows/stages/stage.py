"""What makes a function a stage of a flow."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from flows.tracking.store import answering

P = ParamSpec("P")
T = TypeVar("T")


def stage(function: Callable[P, T]) -> Task[P, T]:
    """A Prefect task that keeps no result: its results are in the workspace, the registry or MLflow."""

    @wraps(function)
    def answered(*arguments: P.args, **named: P.kwargs) -> T:
        with answering():
            return function(*arguments, **named)

    return task(cache_policy=NO_CACHE, persist_result=False)(answered)
