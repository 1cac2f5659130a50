"""The verb `ui`: both web interfaces on the stores of a home, until interrupted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flows.engine import servers
from flows.tracking import store


@contextmanager
def serving() -> Iterator[Mapping[str, str]]:
    """Serve the pages of MLflow and Prefect. Yields their addresses by name, and those of the runs of each table.

    Raises:
        ResynthError: A server ended or does not answer.
    """
    store.client()  # corrects the addresses in a home that was moved
    with servers.mlflow() as mlflow, servers.prefect() as prefect:
        runs = {f"runs of {name}": f"{mlflow}/{page}" for name, page in sorted(store.openings().items())}
        yield {"mlflow": mlflow, "prefect": prefect, **runs}
