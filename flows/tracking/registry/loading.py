"""A version becomes a synthesizer again, once per run."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from mlflow.exceptions import MlflowException

from flows.tracking import fetching
from flows.tracking.registry.finding import DIGEST, Version
from pipeline.errors import DamagedError, FormatError, NotFoundError, ResynthError
from pipeline.synthesizer import Synthesizer

MOST = 2
"""Number of versions that a run keeps loaded: champion and challenger."""


class OutdatedError(ResynthError):
    """A version has a format that this code does not read."""


def load(version: Version) -> Synthesizer:
    """Load the synthesizer of a version from its registered files, with the installed code.

    Raises:
        OutdatedError: It was registered by code with another format.
        DamagedError: Its files are not those that were registered.
        ResynthError: Its files cannot be fetched.
    """
    expected = f"model: expected {version.uri} (made by code {version.tags.get('code_version', 'unknown')}) to load"
    if DIGEST not in version.tags:
        raise OutdatedError(f"{expected}, it was registered without a digest of its files")
    try:
        with fetching.fetched(version.name, version.version) as directory:
            return Synthesizer.load(directory, version.tags[DIGEST])
    except FormatError as error:
        raise OutdatedError(f"{expected}, it is of another format than this code") from error
    except (NotFoundError, DamagedError) as error:
        raise DamagedError(f"{expected}, it does not: {error}") from error
    except (MlflowException, OSError) as error:
        raise ResynthError(f"{expected}, its files cannot be fetched ({type(error).__name__})") from error


Loader = Callable[[Version], Synthesizer]


class Models:
    """The versions that one run has loaded, each once. Threads may share the object.

    The key of a version is its name, its number and the digest of its files, which is checked when it is loaded. So a
    number that was withdrawn and given to another version is loaded again. Failed loads are not kept.

    Args:
        load: Loads a version.
        most: Largest number of versions to keep. The one that was not used for the longest time is dropped.
    """

    def __init__(self, load: Loader = load, most: int = MOST) -> None:
        self._load, self._most = load, most
        self._kept: OrderedDict[tuple[str, str, str | None], Synthesizer] = OrderedDict()
        self._lock = Lock()

    def __call__(self, version: Version) -> Synthesizer:
        """The synthesizer of a version, to be read only.

        Raises:
            ResynthError: As for `load`.
        """
        known = (version.name, version.version, version.tags.get(DIGEST))
        with self._lock:
            if known not in self._kept:
                self._kept[known] = self._load(version)
            self._kept.move_to_end(known)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return self._kept[known]

    def clear(self) -> None:
        """Drop all versions, so that after a long wait they are loaded again from the store."""
        with self._lock:
            self._kept.clear()


def prove(version: Version, load: Loader = load) -> None:
    """Check that a version loads, and generates the same rows as after its training.

    Raises:
        ResynthError: It does not.
    """
    synthesizer = load(version)
    try:
        synthesizer.prove()
    except ResynthError as error:
        raise ResynthError(f"promote: expected {version.uri} to generate its rows, it does not; {error}") from error
    except Exception as error:
        why = type(error).__name__
        raise ResynthError(f"promote: expected {version.uri} to generate rows, it does not ({why})") from error
