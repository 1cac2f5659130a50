"""An object store to test against: a real server of the S3 protocol, on loopback."""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from moto.server import ThreadedMotoServer
from pyarrow.fs import FileSystem, S3FileSystem

BUCKET = "incoming"
REQUEST = re.compile(r"[A-Z]+ /\S*")


class Store(NamedTuple):
    """A bucket, a client of it, and the method and path of every request to its server."""

    client: S3FileSystem
    requests: list[str]

    def put(self, key: str, content: bytes | Path) -> str:
        """Write an object; returns its address."""
        with self.client.open_output_stream(f"{BUCKET}/{key}") as stream:
            stream.write(content if isinstance(content, bytes) else content.read_bytes())
        return f"s3://{BUCKET}/{key}"

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """How often the content of each key, or a part of it, is fetched within the block."""
        counts: Counter[str] = Counter()
        before = len(self.requests)
        yield counts
        asked = (request.split(maxsplit=1) for request in self.requests[before:])
        keys = (unquote(path).removeprefix(f"/{BUCKET}/") for verb, path in asked if verb == "GET" and "?" not in path)
        counts.update(keys)


class _Heard(logging.Handler):
    """Keeps the requests that the server logs."""

    def __init__(self, requests: list[str]) -> None:
        super().__init__()
        self.requests = requests

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        if found := REQUEST.search(record.getMessage()):
            self.requests.append(found[0])


@contextmanager
def serving() -> Iterator[Store]:
    """A store, with the environment variables that lead to it set."""
    requests: list[str] = []
    log = logging.getLogger("werkzeug")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_Heard(requests))
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    os.environ |= {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    client, _ = FileSystem.from_uri(f"s3://{BUCKET}?allow_bucket_creation=true")
    client.create_dir(BUCKET)
    try:
        yield Store(client, requests)
    finally:
        server.stop()
