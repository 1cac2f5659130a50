"""How a synthesizer is saved: safetensors and JSON, and nothing that can be executed.

    synthesizer.json        format, recipe of the network, JSON of the codecs, history, digests of the other files
    schema.json             the schema
    columns.safetensors     arrays of the codecs
    weights.safetensors     the network
    sample.safetensors      a fingerprint of the first rows that it generates

The SHA-256 of `synthesizer.json` stands for the whole. Keep it elsewhere and give it to `load`.

Files that are read may be damaged, or made by others. A file is read once, if it is a regular file of bounded size. Its
digest is compared before anything is parsed. Every state is checked by the class that it belongs to. The network is
compared with the tensors before it is made, so nothing is allocated that the files do not hold. A model that passes all
checks can generate rows.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray

from pipeline import fingerprint
from pipeline.checks import expect, finite, record
from pipeline.errors import DamagedError, FormatError, NotFoundError, ResynthError
from pipeline.fingerprint import Fingerprint
from pipeline.fitted import Fitted, Ordinary
from pipeline.frames import Form
from pipeline.models.layout import Layout
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE, tensors
from pipeline.normalization import Normalization
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.queries.scorer import WEIGHTS
from pipeline.records import Record
from pipeline.relations import Relations
from pipeline.schema import Schema
from pipeline.training.history import Epoch
from pipeline.training.recipe import Recipe

FORMAT = 8
MODEL = "synthesizer.json"
_SCHEMA, _ARRAYS, _WEIGHTS, _SAMPLE = "schema.json", "columns.safetensors", "weights.safetensors", "sample.safetensors"
FILES = (MODEL, _SCHEMA, _ARRAYS, _WEIGHTS, _SAMPLE)
LARGEST = 2**31
"""Largest size of a file in bytes, far more than any network that can be trained needs."""


class Saved(NamedTuple):
    """What is saved of a synthesizer.

    Attributes:
        fitted: Schema, normalization and network.
        form: The kind of frame that it returns.
        sample: The fingerprint of the first rows that it generates.
    """

    fitted: Fitted
    form: Form
    sample: Fingerprint


class _Model(Record):
    """The content of `synthesizer.json`."""

    format: int
    files: Mapping[str, str]
    form: Form
    recipe: Recipe | None
    relations: tuple[Any, ...]
    codecs: tuple[Any, ...]
    history: tuple[Epoch, ...]
    shrinkage: Shrinkage
    ordinary: Ordinary


def save(saved: Saved, directory: Path) -> None:
    """Write a synthesizer into a directory, which is created.

    Raises:
        ResynthError: A weight is not finite, or a file would be too large to load.
    """
    directory.mkdir(parents=True, exist_ok=True)
    fitted = saved.fitted
    weights = {} if fitted.vae is None else {name: value.numpy() for name, value in fitted.vae.state_dict().items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise ResynthError("save: expected a network of finite weights, got some that are not; its training diverged")
    states, arrays = fitted.normalization.state()
    content = {
        _SCHEMA: fitted.schema.to_json().encode(),
        _ARRAYS: _packed(arrays),
        _WEIGHTS: _packed(weights),
        _SAMPLE: _packed(saved.sample),
    }
    model = _Model(
        format=FORMAT,
        files={name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
        form=saved.form,
        recipe=fitted.recipe,
        relations=tuple(relation.model_dump(mode="json") for relation in fitted.relations),
        codecs=tuple(states),
        history=fitted.history,
        shrinkage=fitted.shrinkage,
        ordinary=fitted.ordinary,
    )
    content[MODEL] = json.dumps(model.model_dump()).encode()
    for name, data in content.items():
        if len(data) > LARGEST:
            raise ResynthError(f"save: expected {name} of at most {LARGEST:,} bytes, got {len(data):,}")
        (directory / name).write_bytes(data)


def digest(directory: Path) -> str:
    """The SHA-256 of a saved synthesizer.

    Raises:
        NotFoundError: The directory holds no synthesizer.
        DamagedError: The file of that name cannot be read as one.
    """
    return hashlib.sha256(_read(directory / MODEL)).hexdigest()


def schema(directory: Path) -> Schema:
    """The schema of a saved synthesizer, without its network.

    Raises:
        NotFoundError: The directory holds no synthesizer.
        DamagedError: Its file cannot be read.
    """
    with _damage(directory):
        return Schema.from_json(_read(directory / _SCHEMA).decode())


def load(directory: Path, digest: str | None = None) -> Saved:
    """The inverse of `save`.

    Args:
        directory: The directory of the files.
        digest: The result of the function `digest` when the files were saved. None for trusted files.

    Raises:
        NotFoundError: The directory holds no synthesizer.
        FormatError: The synthesizer has another format.
        DamagedError: The files are not what was saved.
    """
    with _damage(directory):
        text = _read(directory / MODEL)
        expect(digest is None or hashlib.sha256(text).hexdigest() == digest, f"the {MODEL} that was saved")
        data = json.loads(text)
        expect(isinstance(data, dict) and isinstance(data.get("format"), int), f"{MODEL} of a synthesizer")
        if data["format"] != FORMAT:
            raise FormatError(f"expected a synthesizer of format {FORMAT}, got another in {directory}")
        model = record(_Model, data)
        content = {name: _read(directory / name) for name in FILES[1:]}
        for name, found in content.items():
            expect(hashlib.sha256(found).hexdigest() == model.files.get(name), f"the {name} that was saved")
        schema = Schema.from_json(content[_SCHEMA].decode())
        relations = Relations.load(schema, model.relations)
        arrays = safetensors.numpy.load(content[_ARRAYS])
        normalization = Normalization.load(relations.free_schema, model.codecs, arrays)
        shape = model.recipe.shape if model.recipe is not None else None
        vae = _network(normalization.layout, shape, safetensors.numpy.load(content[_WEIGHTS]))
        taught = vae is not None and model.shrinkage.share < 1
        views = WEIGHTS.keys() if taught else WEIGHTS.keys() - {"disagreement"}
        expect(set(model.ordinary.views) == set(views), "the laws of all views of a row")
        sample = safetensors.numpy.load(content[_SAMPLE])
        fingerprint.check(sample, schema)
        fitted = Fitted(relations, normalization, vae, model.history, model.shrinkage, model.recipe, model.ordinary)
        return Saved(fitted, model.form, sample)


@contextmanager
def _damage(directory: Path) -> Iterator[None]:
    """Report in one line whatever goes wrong with files from elsewhere."""
    try:
        yield
    except DamagedError as error:
        raise DamagedError(f"expected a saved synthesizer in {directory}; {error}") from None
    except ResynthError:
        raise
    except (Exception, RecursionError) as error:
        kind = type(error).__name__
        raise DamagedError(f"expected a saved synthesizer in {directory}, its files are damaged ({kind})") from error


def _read(file: Path) -> bytes:
    """Read the bytes of a regular file. Pipes and devices are not waited for, and links are not followed."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(file, flags)
    except FileNotFoundError:
        if file.name == MODEL:
            raise NotFoundError(f"expected a saved synthesizer with {MODEL}, found none in {file.parent}") from None
        raise DamagedError(f"expected {file.name}, found none") from None
    except OSError as error:
        raise DamagedError(f"expected a file {file.name} that can be read ({error.strerror})") from None
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        expect(stat.S_ISREG(found.st_mode), f"a regular file {file.name}")
        expect(found.st_size <= LARGEST, f"{file.name} of at most {LARGEST:,} bytes, got {found.st_size:,}")
        return opened.read(LARGEST)


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    return bytes(safetensors.numpy.save({name: np.ascontiguousarray(value) for name, value in arrays.items()}))


def _network(layout: Layout, shape: Shape | None, weights: Mapping[str, NDArray[Any]]) -> VAE | None:
    """The network with these weights, which must be exactly the tensors of a network of this shape."""
    expect((shape is None) == (len(layout) == 0), "a network where something varies, and only there")
    if shape is None:
        expect(not weights, "no weights")
        return None
    expected = tensors(layout, shape)
    expect(set(weights) == set(expected), f"{len(expected)} tensors of weights by their names, got {len(weights)}")
    for name, tensor in expected.items():
        found, size, kind = weights[name], tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
        expect(found.shape == size and found.dtype == kind, f"weights {name} of shape {size} as {kind}")
        finite(name, found)
    vae = VAE(layout, shape)
    vae.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    return vae.eval()
