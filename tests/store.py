"""An object store to test against: a real server of the S3 protocol, on loopback."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from moto.server import ThreadedMotoServer
from pyarrow.fs import FileSystem, S3FileSystem

BUCKET = "incoming"


class Store(NamedTuple):
    """A bucket and a client of it."""

    client: S3FileSystem

    def put(self, key: str, content: bytes | Path) -> str:
        """Write an object; returns its address."""
        with self.client.open_output_stream(f"{BUCKET}/{key}") as stream:
            stream.write(content if isinstance(content, bytes) else content.read_bytes())
        return f"s3://{BUCKET}/{key}"


@contextmanager
def serving() -> Iterator[Store]:
    """A store, with the environment variables that lead to it set."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    os.environ |= {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    client, _ = FileSystem.from_uri(f"s3://{BUCKET}?allow_bucket_creation=true")
    client.create_dir(BUCKET)
    try:
        yield Store(client)
    finally:
        server.stop()
