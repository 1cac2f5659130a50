"""Both web interfaces on the stores of a home, until interrupted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flows.engine import servers
from flows.tracking import store


@contextmanager
def serving() -> Iterator[Mapping[str, str]]:
    """The addresses of MLflow's and Prefect's pages.

    Raises:
        ResynthError: A server ended or does not answer.
    """
    store.client()  # a home that was moved finds its own files
    with servers.mlflow() as mlflow, servers.prefect() as prefect:
        yield {"mlflow": mlflow, "prefect": prefect}
