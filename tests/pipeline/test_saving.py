"""The files of a synthesizer: read with checks, and proven by the rows they lead to."""

import hashlib
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from samples import mixed

from pipeline import columns, saving
from pipeline.errors import DamagedError, FormatError, NotFoundError, ResynthError
from pipeline.settings import ModelSettings, RelationSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


def fit(seed: int = 0) -> Synthesizer:
    """A barely trained synthesizer of the mixed table."""
    table, model = mixed(), ModelSettings(width=16, hidden=16, components=4)
    training = TrainingSettings(epochs=1, batch=128, device="cpu")
    return Synthesizer.fit(
        table.slice(60),
        table.slice(0, 60),
        columns.infer(table),
        model=model,
        training=training,
        relations=RelationSettings(find=False),  # so that every column has a codec to damage
        seed=seed,
    )


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    """The first."""
    return fit()


@pytest.fixture
def saved(synthesizer: Synthesizer, tmp_path: Path) -> Path:
    """Its files."""
    synthesizer.save(tmp_path / "model")
    return tmp_path / "model"


def seal(directory: Path) -> None:
    """Write the digests of the other files anew."""
    file = directory / saving.MODEL
    data = json.loads(file.read_text())
    data["files"] = {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in saving.FILES[1:]}
    file.write_text(json.dumps(data))


def edit(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change `synthesizer.json`."""
    data = json.loads((directory / saving.MODEL).read_text())
    change(data)
    (directory / saving.MODEL).write_text(json.dumps(data))


def edit_arrays(file: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Change a safetensors file, digests included."""
    arrays = {name: value.copy() for name, value in safetensors.numpy.load(file.read_bytes()).items()}
    change(arrays)
    file.write_bytes(safetensors.numpy.save(arrays))
    seal(file.parent)


def test_the_digest_stands_for_every_file(saved: Path, tmp_path: Path) -> None:
    """Another model has another digest, and a digest loads only its own files."""
    kept = saving.digest(saved)
    assert Synthesizer.load(saved, kept).schema.arrow.equals(mixed().schema)
    fit(1).save(tmp_path / "other")
    assert saving.digest(tmp_path / "other") != kept
    with pytest.raises(DamagedError, match=r"expected the synthesizer\.json that was saved"):
        Synthesizer.load(tmp_path / "other", kept)


@pytest.mark.parametrize("name", saving.FILES[1:])
def test_a_changed_byte_is_seen_without_a_digest_of_the_whole(saved: Path, name: str) -> None:
    """The model file names the digests of the others."""
    data = bytearray((saved / name).read_bytes())
    data[-1] ^= 1
    (saved / name).write_bytes(data)
    with pytest.raises(DamagedError, match=f"expected the {name} that was saved"):
        Synthesizer.load(saved)


@pytest.mark.parametrize("name", saving.FILES)
def test_what_is_no_regular_file_is_refused_at_once(saved: Path, name: str) -> None:
    """A pipe is not waited for, a link not followed, a directory and a file of 8 GiB not read."""
    file = saved / name
    whole = file.read_bytes()

    def put(make: Callable[[], object]) -> None:
        make()
        with pytest.raises(DamagedError):
            Synthesizer.load(saved)
        file.rmdir() if file.is_dir() else file.unlink()

    file.unlink()
    put(lambda: os.mkfifo(file))
    put(lambda: file.symlink_to("/dev/zero"))
    put(file.mkdir)
    put(lambda: (file.write_bytes(whole), os.truncate(file, 2**33)))
    with pytest.raises(NotFoundError if name == saving.MODEL else DamagedError, match="found none"):
        Synthesizer.load(saved)


ROOM = {"bitmap": "", "stretches": [[0, 9]]}
OCTETS = {"kind": "octets", "lengths": [4], "weights": [1], "spare": [ROOM], "fresh": True, "free": True}
CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no number": lambda data: data.update(format="four"),
    "no shape": lambda data: data.update(shape=None),
    "a negative width": lambda data: data["recipe"]["shape"].update(width=-1),
    "dropout beyond 1": lambda data: data["recipe"]["shape"].update(dropout=2.0),
    "an unknown prior": lambda data: data["recipe"]["shape"].update(prior="pickle"),
    "a codec too few": lambda data: data["codecs"].pop(),
    "an unknown key": lambda data: data.update(code="import os"),
    "no texts": lambda data: data["codecs"][1].update(values=[1, 2, 3]),
    "a label too many": lambda data: data["codecs"][1]["values"].append("d"),
    "a step of 0": lambda data: data["codecs"][2]["domain"].update(step=0),
    "numbers beyond int16": lambda data: data["codecs"][2]["domain"].update(base=10**6),
    "a form of another kind": lambda data: data["codecs"][2].update(form="quantile"),
    "days beyond int32": lambda data: data["codecs"][5].update(ends=[0, 2**40]),
    "ends the wrong way round": lambda data: data["codecs"][5].update(ends=[9, 1]),
    "three parts of a time": lambda data: data["codecs"][6]["parts"].append({}),
    "identifiers beyond int64": lambda data: data["codecs"][0]["mould"]["grid"].update(base=2**63),
    "bytes for integers": lambda data: data["codecs"][0].update(mould=OCTETS),
    "a mould that nobody knows": lambda data: data["codecs"][0]["mould"].update(kind="pickle"),
    "a label that is written otherwise": lambda data: data["codecs"][7]["values"].__setitem__(0, "True"),
    "a label twice": lambda data: data["codecs"][1]["values"].__setitem__(0, data["codecs"][1]["values"][1]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_json_that_no_synthesizer_has_is_refused_in_a_line(saved: Path, case: str) -> None:
    """Each kind of column checks its state."""
    edit(saved, CHANGES[case])
    with pytest.raises(DamagedError, match="expected a saved synthesizer in") as caught:
        Synthesizer.load(saved)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["", "[]", "null", "{" * 9999, '{"format": ' + "9" * 5000 + "}", "\x00", "{}"])
def test_a_model_file_that_is_none_is_refused(saved: Path, text: str) -> None:
    """This holds even if Python's own parser gives up."""
    (saved / saving.MODEL).write_text(text)
    with pytest.raises(DamagedError):
        Synthesizer.load(saved)


def test_another_format_is_told_apart_from_damage(saved: Path) -> None:
    """A version of another format is not damaged: the next run trains afresh."""
    edit(saved, lambda data: data.update(format=saving.FORMAT - 1))
    with pytest.raises(FormatError, match=f"of format {saving.FORMAT}"):
        Synthesizer.load(saved)


def test_sizes_are_compared_before_memory_is_taken(saved: Path) -> None:
    """A width whose network would need 17 GB is refused by the tensors that are there."""
    edit(saved, lambda data: data["recipe"]["shape"].update(width=65_536))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedError, match=r"weights .* of shape"):
        Synthesizer.load(saved)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


WEIGHTS: dict[str, Callable[[dict[str, np.ndarray]], object]] = {
    "NaN": lambda arrays: arrays["decoder.bias"].fill(np.nan),
    "infinity": lambda arrays: arrays["prior.means"].fill(np.inf),
    "a tensor too few": lambda arrays: arrays.pop("decoder.bias"),
    "a tensor too many": lambda arrays: arrays.update(other=np.zeros(1, np.float32)),
    "another type": lambda arrays: arrays.update({"decoder.bias": arrays["decoder.bias"].astype(np.float64)}),
    "another shape": lambda arrays: arrays.update({"decoder.bias": arrays["decoder.bias"][:-1]}),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_the_network_has_not_are_refused(saved: Path, case: str) -> None:
    """Weights are refused for their number, names, types or shapes, and if they are not finite."""
    edit_arrays(saved / "weights.safetensors", WEIGHTS[case])
    with pytest.raises(DamagedError):
        Synthesizer.load(saved)


ARRAYS: dict[str, Callable[[dict[str, np.ndarray]], object]] = {
    "an index out of range": lambda arrays: arrays["1.order"].fill(7),
    "a value twice in the order": lambda arrays: arrays["1.order"].fill(0),
    "negative counts": lambda arrays: arrays["1.counts"].fill(-1),
    "cells with gaps": lambda arrays: arrays["2.cells"].__imul__(2),
    "no rows in a leaf": lambda arrays: arrays["2.rows"].fill(0),
    "leaves the wrong way round": lambda arrays: arrays.update({"2.low": arrays["2.low"][::-1].copy()}),
    "beyond the type": lambda arrays: arrays["2.high"].__iadd__(np.uint64(2**40)),
    "an array of no column": lambda arrays: arrays.update({"99.order": np.zeros(1, np.int64)}),
    "an array of another kind": lambda arrays: arrays.update({"1.knots": np.zeros(1)}),
    "an array too few": lambda arrays: arrays.pop("3.ends"),
    "another type": lambda arrays: arrays.update({"2.rows": arrays["2.rows"].astype(np.int32)}),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_a_codec_cannot_use_are_refused(saved: Path, case: str) -> None:
    """The line names the column."""
    edit_arrays(saved / "columns.safetensors", ARRAYS[case])
    with pytest.raises(DamagedError, match=r"column '|arrays of the columns only"):
        Synthesizer.load(saved)


def test_a_loaded_synthesizer_proves_itself(saved: Path) -> None:
    """Rows are accepted if unchanged, and if weights differ as between processors."""
    loaded = Synthesizer.load(saved)
    loaded.prove()
    assert loaded.vae is not None
    with torch.no_grad():
        for weight in loaded.vae.parameters():
            weight.mul_(1 + 1e-6 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    loaded.prove()


@pytest.mark.parametrize("prior", ["normal", "flow"])
def test_every_prior_is_saved_and_loaded(prior: str, tmp_path: Path) -> None:
    """Weights that are no floats (the order of a flow's coupling) come back too."""
    table = mixed(300)
    training = TrainingSettings(epochs=1, device="cpu")
    model = ModelSettings(latent=2, width=16, hidden=16, prior=prior)  # a flow is drawn from dimension by dimension
    schema = columns.infer(table)
    made = Synthesizer.fit(table.slice(30), table.slice(0, 30), schema, model=model, training=training)
    made.save(tmp_path / "model")
    assert Synthesizer.load(tmp_path / "model").sample(50).equals(made.sample(50))


def test_exchanged_weights_are_found_by_their_rows(saved: Path, tmp_path: Path) -> None:
    """Weights of another training on the same table fit in every size, but generate other rows."""
    fit(1).save(tmp_path / "other")
    (saved / "weights.safetensors").write_bytes((tmp_path / "other" / "weights.safetensors").read_bytes())
    seal(saved)
    with pytest.raises(DamagedError, match=r"expected the rows that were generated after the training, got \d+%"):
        Synthesizer.load(saved).prove()


def test_a_network_that_says_one_thing_only_is_found(synthesizer: Synthesizer, saved: Path) -> None:
    """A column that varied in training cannot be constant by chance, whatever the fingerprint says."""
    loaded = Synthesizer.load(saved)
    assert loaded.vae is not None
    with torch.no_grad():
        for bias in loaded.vae.of("symbols").biases:
            bias[..., 1] = 1e6
    with pytest.raises(DamagedError, match="expected values that vary"):
        loaded.prove()
    loaded.first = None
    with pytest.raises(DamagedError, match="expected values that vary"):
        loaded.prove()


def test_a_network_that_is_no_numbers_is_not_saved(tmp_path: Path) -> None:
    """The error comes before there is a file."""
    broken = fit()
    assert broken.vae is not None
    with torch.no_grad():
        broken.vae.decoder.bias.fill_(float("nan"))
    with pytest.raises(ResynthError, match="finite"):
        broken.save(tmp_path / "broken")
    assert not any(tmp_path.rglob("*.safetensors"))
