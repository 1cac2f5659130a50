"""Notifications: the outcome of a run as a POST of JSON to a webhook.

    {"event": "promoted", "name": "customers", "text": "customers version 7 promoted", ...}

Slack, Mattermost and Teams show only `text`; programs read the rest. A notification contains no value of the data. The
text of an error from another library may quote a value, so only the type of such an error is sent. A webhook that does
not answer never fails a run. It is tried again, and then there is a warning without the address, which is often secret.
"""

import json
import logging
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from flows.settings import Event, NotifySettings
from flows.telling.outcome import RunOutcome
from pipeline.errors import BusyError, ResynthError

TRIES = 3
PATIENCE = 10.0  # seconds for an answer
PAUSE = 1.0  # seconds before the second try, and twice as long before the third


@contextmanager
def failures(settings: NotifySettings, name: str) -> Iterator[None]:
    """Notify of an exception that leaves the block. A `BusyError` is not worth reporting."""
    try:
        yield
    except BusyError:
        raise
    except Exception as error:
        told = str(error) if isinstance(error, ResynthError) else f"failed ({type(error).__name__})"
        tell(settings, "failed", name, " ".join(told.split()))
        raise


def outcome(settings: NotifySettings, found: RunOutcome) -> None:
    """Notify of a promotion or a refusal, and of files that cannot be used."""
    if found.decision != "skipped":
        text = f"version {found.version} {found.decision}"
        told = found.model_dump(mode="json", include={"version", "reasons", "published", "documents"})
        tell(settings, found.decision, found.name, text, **told)
    if found.quarantined:
        told = found.model_dump(mode="json", include={"quarantined"})
        tell(settings, "quarantined", found.name, f"{len(found.quarantined)} files quarantined", **told)


def tell(settings: NotifySettings, event: Event, name: str, text: str, **facts: object) -> None:
    """Send a notification of an event, if the settings name a webhook for it."""
    if settings.webhook is None or event not in settings.on:
        return
    message = {"event": event, "name": name, "text": f"resynth: {name}: {text}", **facts}
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt)
        try:
            _post(settings.webhook.get_secret_value(), json.dumps(message).encode())
        except Exception as error:  # noqa: BLE001 - an invalid address too: no notification may fail a run
            reason = type(error).__name__
        else:
            return
    logging.getLogger(__name__).warning(
        "notify: the webhook took no news of %r after %d tries (%s)", event, TRIES, reason
    )


def _post(address: str, body: bytes) -> None:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(request, timeout=PATIENCE).close()  # noqa: S310 - the settings admit http and https only
