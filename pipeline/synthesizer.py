"""A fitted generator of one table: schema, normalization and VAE in one object.

    synthesizer = Synthesizer.fit(train, validation, schema, seed=0)
    synthetic = synthesizer.sample(10_000, seed=1)

Rows are generated in fixed blocks of `BLOCK`, each with its own random stream, so that row i is a function of (model,
seed, i): any range of rows, in any order and on any worker, comes out the same. Saved as safetensors and JSON
(`pipeline.saving`); the files hold the distinct values and bins of single columns, never a row.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline import columns, saving
from pipeline.arrow.arrays import numbers
from pipeline.arrow.labels import coded
from pipeline.columns.base import Codec, Discrete, Encoded, Novel, Origin
from pipeline.columns.categorical import Categorical
from pipeline.errors import SchemaError, SettingsError, TableError
from pipeline.fingerprint import ROWS, Fingerprint, compare, fingerprint
from pipeline.models.inheritance import inherit
from pipeline.models.vae import VAE
from pipeline.privacy.disclosure import Disclosure
from pipeline.privacy.rehearsal import ENOUGH, Generate, Shrinkage, independent, rehearse
from pipeline.progress import Progress, silent
from pipeline.queries.bound import ColumnReconstruction, ElboReport, Look, bound, look, per_column
from pipeline.randomness import strata, stream, torch_seed
from pipeline.saving import Parts, layout_of
from pipeline.schema import Schema
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.optimization import SETTLING, Epoch, Rows, Settling, train
from pipeline.training.sizing import free_bits, resolve, weight_decay

BLOCK = 8192
"""Rows of a block. Part of the definition of row i: changing it changes every dataset."""
WARM_SHARE = 0.12
"""Share of the usual length of a training that a warm start takes."""
WARM_SETTLING = Settling(length=1.0, rate=1.0)
"""How a warm start ends: half of it settles, for what it has to learn is little."""
WARM_KEEP = 0.6
"""Share of the champion's weights in what a warm start begins with, beside fresh ones; all of them if untrained."""
REHEARSAL = 0.2
"""Share of the time limit that each half of a rehearsal takes."""


class Synthesizer:
    """A fitted generator; make one with `fit` or `load`."""

    def __init__(
        self,
        schema: Schema,
        codecs: Mapping[str, Codec],
        vae: VAE | None,
        history: tuple[Epoch, ...] = (),
        shrinkage: Shrinkage | None = None,
    ) -> None:
        self.schema, self.codecs, self.vae, self.history = schema, dict(codecs), vae, history
        self.shrinkage = shrinkage or Shrinkage()
        self.first: Fingerprint | None = None  # of the first rows when it was saved, where it was

    @classmethod
    def fit(
        cls,
        rows: pa.Table,
        validation: pa.Table,
        schema: Schema,
        *,
        model: ModelSettings | None = None,
        training: TrainingSettings | None = None,
        champion: "Synthesizer | None" = None,
        novel: Novel = "extend",
        taken: pa.Table | None = None,
        rehearsed: bool = True,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Self:
        """Fit the network to `rows`, stopping by the ELBO of `validation`, and normalization to both.

        What only a few rows share is withheld (`pipeline.privacy.disclosure`), and a small table is rehearsed
        (`pipeline.privacy.rehearsal`).

        Given a `champion`, start from it (a *warm start*): its normalization is extended to what is new in `rows`, its
        network keeps its sizes and all it knows, and a `WARM_SHARE` of the usual length is trained.

        Args:
            rows: Training rows, of `schema`.
            validation: Rows that choose when to stop.
            schema: From `pipeline.columns.infer`.
            model: The network; sizes left open follow the table.
            training: The optimisation; lengths left open follow the table.
            champion: A synthesizer of an earlier table of the same columns, which is left as it is.
            novel: What becomes of labels that the champion does not know.
            taken: Every real row there is, where that is more than `rows` and `validation`: no made-up value is one of
                theirs, and they say how many rows share a value. Nothing else is learned from them.
            rehearsed: Whether a small table is rehearsed; False only for a rehearsal itself.
            seed: Fixes initial weights, order and noise.
            progress: Receives the phases "prepare" and "train".

        Raises:
            SchemaError: A column cannot be of its kind; the champion has other columns, or new labels are refused.
            TableError: There are no rows.
            ResynthError: Training diverged.
        """
        if rows.num_rows == 0:
            raise TableError("expected at least one training row, got none")
        rows, validation = (table.select(schema.names) for table in (rows, validation))
        taken = pa.concat_tables([rows, validation]) if taken is None else taken.select(schema.names)
        disclosure = Disclosure.of(taken, schema, champion.labels if champion is not None else None)
        rows, validation = (disclosure.apply(table, seed=seed) for table in (rows, validation))
        training = training or TrainingSettings()
        # a validation row may hold the only extreme or rare label: normalization knows all rows that may be known
        seen = pa.concat_tables([rows, validation])
        shrinkage = champion.shrinkage if champion is not None else Shrinkage()
        if rehearsed and champion is None and training.epochs != 0 and seen.num_rows < ENOUGH:
            shrinkage = rehearse(seen, schema, cls._rehearsal(schema, model, training, seed), seed=seed)
        if shrinkage.share == 1:
            rows, validation = (independent(table, seed=seed) for table in (rows, validation))
        codecs, origins = _normalization(seen, schema, champion, novel, taken)
        layout = layout_of(codecs)
        if not len(layout):
            return cls(schema, codecs, None)
        shape, epochs, batch = resolve(layout, rows.num_rows, model or ModelSettings(), training)
        ancestor = champion.vae if champion is not None else None
        with torch.random.fork_rng():
            torch.manual_seed(torch_seed(seed, "weights"))
            vae = VAE(layout, ancestor.shape if ancestor is not None else shape).eval()
        synthesizer = cls(schema, codecs, vae, shrinkage=shrinkage)
        encoded, held = synthesizer._rows(rows), synthesizer._rows(validation)
        training = _completed(training, encoded)
        settling = SETTLING
        if ancestor is not None:
            training, epochs, settling = _shortened(training), math.ceil(WARM_SHARE * epochs), WARM_SETTLING
            inherit(vae, ancestor, origins, encoded.codes, keep=WARM_KEEP if epochs else 1.0)
        if epochs:
            synthesizer.history = train(
                vae,
                encoded,
                held,
                training,
                epochs=epochs,
                batch=batch,
                seed=seed,
                settling=settling,
                progress=progress,
            )
        return synthesizer

    @classmethod
    def _rehearsal(
        cls, schema: Schema, model: ModelSettings | None, training: TrainingSettings, seed: int
    ) -> Callable[[pa.Table], Generate]:
        """Trains on half of the rows in a fifth of the time."""
        brief = training.model_copy(update={"time_limit": REHEARSAL * training.time_limit})

        def fit(half: pa.Table) -> Generate:
            held = np.arange(half.num_rows) % 10 == 0
            parts = half.filter(pa.array(~held)), half.filter(pa.array(held))
            fitted = cls.fit(*parts, schema, model=model, training=brief, rehearsed=False, seed=seed)
            return partial(fitted.sample, seed=seed)

        return fit

    @property
    def taught(self) -> bool:
        """Whether there is a network that was taught how columns depend on each other."""
        return self.vae is not None and self.shrinkage.share < 1

    @property
    def labels(self) -> dict[str, pa.Array]:
        """The labels that it knows, by column."""
        return {name: codec.values for name, codec in self.codecs.items() if isinstance(codec, Categorical)}

    def differences(self, schema: Schema) -> tuple[str, ...]:
        """What keeps a training on a table of `schema` from starting at this synthesizer, one phrase each."""
        if found := self.schema.differences(schema.arrow):
            return found
        if self.schema.names != schema.names:
            return ("the columns are in another order",)
        pairs = list(zip(self.schema, schema, strict=True))
        kinds = [f"column {b.name!r} is {b.kind}, expected {a.kind}" for a, b in pairs if a.kind != b.kind]
        forms = [f"column {b.name!r} has another normalization" for a, b in pairs if a.normalization != b.normalization]
        return (*kinds, *forms, *self.other_rules(schema))

    def other_rules(self, schema: Schema) -> tuple[str, ...]:
        """What `schema` says otherwise of what may be shown of the columns, one phrase each."""
        found = [f"column {name!r} is left out now" for name in schema.dropped if name in self.schema.names]
        found += [f"column {name!r} was left out" for name in self.schema.dropped if name in schema.names]
        for column in schema:
            if column.name not in self.schema.names:
                continue
            known = self.schema[column.name]
            if column.kind != known.kind and columns.MADE_UP & {column.kind, known.kind}:
                found.append(f"column {column.name!r} is of kind {column.kind}, it was {known.kind}")
            elif column.least_rows != known.least_rows:
                rows = f"{column.least_rows} rows, they were {known.least_rows}"
                found.append(f"column {column.name!r}: what may be shown is shared by at least {rows}")
        return tuple(found)

    def strange(self, table: pa.Table) -> tuple[str, ...]:
        """Names of the columns of `table`, which has this synthesizer's, that hold labels it does not know."""
        return tuple(name for name, codec in self.codecs.items() if codec.strange(table[name]))

    def outgrown(self, rows: int, model: ModelSettings) -> tuple[str, ...]:
        """Whether `rows` training rows are too many for this network, whose sizes a warm start keeps; in a phrase.

        Too many are those that would be given twice the width, hidden states or components of the prior.
        """
        if self.vae is None:
            return ()
        now, _, _ = resolve(self.vae.layout, rows, model, TrainingSettings())
        was = self.vae.shape
        if now.width < 2 * was.width and now.hidden < 2 * was.hidden and now.components < 2 * was.components:
            return ()
        return (f"{rows:,} training rows ask for a larger network than the champion's",)

    def sample(self, rows: int, *, seed: int, start: int = 0) -> pa.Table:
        """Rows `start` to `start` + `rows` − 1 of the dataset of `seed`, in the exact Arrow schema."""
        return pa.concat_tables(self.batches(rows, seed=seed, start=start))

    def batches(self, rows: int, *, seed: int, start: int = 0) -> Iterator[pa.Table]:
        """The same rows as `sample`, a block at a time, in bounded memory.

        Raises:
            SettingsError: `rows` is not positive or `start` is negative.
        """
        if rows < 1 or start < 0:
            raise SettingsError(f"expected rows ≥ 1 and start ≥ 0, got rows = {rows} and start = {start}")
        for block in range(start // BLOCK, (start + rows - 1) // BLOCK + 1):
            first = max(start - block * BLOCK, 0)
            last = min(start + rows - block * BLOCK, BLOCK)
            yield self._block(seed, block).slice(first, last - first)

    def encode(self, table: pa.Table) -> NDArray[np.float32]:
        """Posterior means E[z|x], [rows, latent]."""
        if self.vae is None:
            return np.zeros((table.num_rows, 0), dtype=np.float32)
        rows = self._rows(table)
        with torch.no_grad():
            parts = [self.vae.encoder(*part)[0] for part in rows.parts()]
        return torch.cat(parts).numpy() if parts else np.zeros((0, self.vae.shape.latent), dtype=np.float32)

    def decode(self, z: NDArray[np.float32], *, seed: int) -> pa.Table:
        """A row drawn from p(x|z) for each z, [rows, latent].

        The noise of row i depends on `seed` and i only, however many rows there are. So z and z′ decoded in two calls
        with one seed differ, row by row, by nothing but z: decode the points of a line one after the other, each for
        all rows.

        Raises:
            TableError: `z` has another number of dimensions than the latent space.
        """
        latent = self.vae.shape.latent if self.vae is not None else 0
        if z.ndim != 2 or z.shape[1] != latent:  # noqa: PLR2004
            raise TableError(f"expected z of shape [rows, {latent}], got {list(z.shape)}")
        blocks = []
        for block in range(max(-(-len(z) // BLOCK), 1)):
            part = np.ascontiguousarray(z[block * BLOCK : (block + 1) * BLOCK], dtype=np.float32)
            blocks.append(self._decode(torch.from_numpy(part), stream(seed, "reconstruct", block), block * BLOCK))
        return pa.concat_tables(blocks)

    def reconstruct(self, table: pa.Table, *, seed: int) -> pa.Table:
        """Each row of `table` again, drawn from p(x|z) at its own posterior mean."""
        return self.decode(self.encode(table), seed=seed)

    def elbo(self, table: pa.Table, *, seed: int = 0) -> ElboReport:
        """The ELBO of `table` and its parts, and how each column comes back from z; see `pipeline.queries.bound`."""
        if self.vae is None:
            raise TableError("expected a column that varies: a table of constants and identifiers has no latent space")
        measured = bound(self.vae, self._rows(table), seed=seed)
        again = self.reconstruct(table, seed=seed)
        sums = per_column(measured.cross_entropy, self._owners(), len(self.schema.columns))
        parts = [
            _reconstruction(column.name, columns.measure(column), value, table[column.name], again[column.name])
            for column, value in zip(self.schema, sums, strict=True)
        ]
        return ElboReport(
            rows=table.num_rows,
            elbo=measured.reconstruction - measured.kl,
            columns=tuple(parts),
            **measured.model_dump(exclude={"cross_entropy"}),
        )

    def look(self, table: pa.Table, *, without: Collection[str] = (), seed: int = 0) -> Look | None:
        """The ELBO of each row and its posterior mean without some columns; None if nothing is left to look at."""
        seen = [column.name not in without for column in self.schema for _ in self.codecs[column.name].variables]
        if self.vae is None or not any(seen) or not table.num_rows:
            return None
        return look(self.vae, self._rows(table), torch.tensor(seen, dtype=torch.float32), seed=seed)

    def save(self, directory: Path) -> None:
        """Write the synthesizer into `directory`, which is made; see `pipeline.saving`.

        Raises:
            ResynthError: Its network is of no use, or too large.
        """
        sample = fingerprint(self.sample(ROWS, seed=0), self.schema)
        saving.save(Parts(self.schema, self.codecs, self.vae, self.history, self.shrinkage, sample), directory)

    @classmethod
    def load(cls, directory: Path, digest: str | None = None) -> Self:
        """The inverse of `save`.

        Args:
            directory: Where it was saved.
            digest: What `saving.digest` said of it then; by default the files are taken to be those that were saved.

        Raises:
            NotFoundError: The directory holds no synthesizer.
            FormatError: It is of another format.
            DamagedError: The files are not what was saved.
        """
        parts = saving.load(directory, digest)
        loaded = cls(parts.schema, parts.codecs, parts.vae, parts.history, parts.shrinkage)
        loaded.first = parts.sample
        return loaded

    def prove(self) -> None:
        """Generate the first rows again and compare them with those of the time when the synthesizer was saved.

        Raises:
            DamagedError: They are others, or none that a model of this table would generate.
            ResynthError: It does not generate.
        """
        rows = self.sample(ROWS, seed=0)
        kept = fingerprint(rows, self.schema) if self.first is None else self.first
        compare(kept, rows, self.schema, {name: codec.commonest for name, codec in self.codecs.items()})

    def _block(self, seed: int, block: int) -> pa.Table:
        random = stream(seed, "generate", block)
        if self.vae is None:
            return self._decode(torch.zeros(BLOCK, 0), random, block * BLOCK)
        choice = torch.from_numpy(strata(random, 1, BLOCK)[0])
        noise = torch.from_numpy(ndtri(strata(random, self.vae.shape.latent, BLOCK)).T.copy())
        with torch.no_grad():
            z = self.vae.prior.draw(choice, noise)
        codes, reals = self._generated(z, random)
        if self.shrinkage.share:
            codes, reals = self._taken_apart(codes, reals, stream(seed, "apart", block))
        return self._written(codes, reals, random, block * BLOCK)

    def _decode(self, z: torch.Tensor, random: np.random.Generator, start: int) -> pa.Table:
        """Rows drawn from p(x|z), at most a block, numbered from `start`, through de-normalization.

        The noise is always that of a whole block, so that a row's does not depend on how many rows there are.
        """
        return self._written(*self._generated(z, random), random, start)

    def _generated(self, z: torch.Tensor, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Symbols and reals drawn from p(x|z)."""
        codes, reals = torch.zeros(len(z), 0, dtype=torch.long), torch.zeros(len(z), 0)
        if self.vae is not None:
            layout = self.vae.layout
            uniform = torch.from_numpy(strata(random, len(layout), BLOCK)[:, : len(z)])
            noise = torch.from_numpy(random.standard_normal((len(layout.real), BLOCK), dtype=np.float32)[:, : len(z)])
            codes, reals = self.vae.generate(z, uniform, noise)
        return codes, reals

    def _taken_apart(
        self, codes: torch.Tensor, reals: torch.Tensor, random: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A share of the rows with each column dealt out anew among them; see `pipeline.privacy.rehearsal`."""
        chosen = torch.from_numpy(np.flatnonzero(random.random(len(codes)) < self.shrinkage.share))
        codes, reals, d, r = codes.clone(), reals.clone(), 0, 0
        for codec in self.codecs.values():
            dealt = chosen[torch.from_numpy(random.permutation(len(chosen)))]
            discrete = sum(isinstance(variable, Discrete) for variable in codec.variables)
            real = len(codec.variables) - discrete
            codes[chosen, d : d + discrete] = codes[dealt, d : d + discrete]
            reals[chosen, r : r + real] = reals[dealt, r : r + real]
            d, r = d + discrete, r + real
        return codes, reals

    def _written(self, codes: torch.Tensor, reals: torch.Tensor, random: np.random.Generator, start: int) -> pa.Table:
        """Generated rows through de-normalization, numbered from `start`."""
        arrays, index, d, r = [], np.arange(start, start + BLOCK), 0, 0
        for codec in self.codecs.values():
            values: list[NDArray[Any]] = []
            for variable in codec.variables:
                if isinstance(variable, Discrete):
                    values.append(codes[:, d].numpy())
                    d += 1
                else:
                    values.append(reals[:, r].numpy())
                    r += 1
            rest = codec.draw(tuple(np.resize(value, BLOCK) for value in values), random, index)[: len(codes)]
            arrays.append(codec.decode(Encoded(tuple(values), rest)))
        return pa.Table.from_arrays(arrays, schema=self.schema.arrow)

    def _owners(self) -> list[int]:
        """The column that owns each variable, discrete ones first."""
        pairs = [(v, i) for i, codec in enumerate(self.codecs.values()) for v in codec.variables]
        discrete = [i for variable, i in pairs if isinstance(variable, Discrete)]
        return discrete + [i for variable, i in pairs if not isinstance(variable, Discrete)]

    def _rows(self, table: pa.Table) -> Rows:
        """Normal form of a table as tensors."""
        codes: list[NDArray[Any]] = []
        reals: list[NDArray[Any]] = []
        for name, codec in self.codecs.items():
            for variable, value in zip(codec.variables, codec.encode(table.column(name)).values, strict=True):
                (codes if isinstance(variable, Discrete) else reals).append(value)
        n = table.num_rows
        return Rows(
            torch.from_numpy(np.stack(codes, 1).astype(np.int64) if codes else np.zeros((n, 0), np.int64)),
            torch.from_numpy(np.stack(reals, 1).astype(np.float32) if reals else np.zeros((n, 0), np.float32)),
        )


def _normalization(
    rows: pa.Table, schema: Schema, champion: Synthesizer | None, novel: Novel, taken: pa.Table
) -> tuple[dict[str, Codec], tuple[Origin, ...]]:
    """Codecs fitted, or the champion's extended, to `rows`; the origin of every variable among the champion's."""
    if champion is None:
        return columns.fit(rows, schema, taken), ()
    if differences := champion.differences(schema):
        raise SchemaError(f"warm start: expected the champion's columns; {'; '.join(differences)}")
    extensions = columns.extend(champion.codecs, rows, schema, novel, taken)
    origins, before = [], 0
    for name, extension in extensions.items():
        origins += [o if o.variable is None else o._replace(variable=before + o.variable) for o in extension.origins]
        before += len(champion.codecs[name].variables)
    return {name: extension.codec for name, extension in extensions.items()}, tuple(origins)


def _completed(training: TrainingSettings, rows: Rows) -> TrainingSettings:
    """The settings with what follows from the rows."""
    rate = free_bits(rows) if training.free_bits is None else training.free_bits
    decay = weight_decay(len(rows)) if training.weight_decay is None else training.weight_decay
    return training.model_copy(update={"free_bits": rate, "weight_decay": decay})


def _shortened(training: TrainingSettings) -> TrainingSettings:
    """The settings of a warm start: less time, and the full weight of the KL from the first step."""
    return training.model_copy(update={"time_limit": WARM_SHARE * training.time_limit, "warmup": 0.0})


def _reconstruction(
    name: str, measure: columns.Measure, cross_entropy: float, real: pa.ChunkedArray, again: pa.ChunkedArray
) -> ColumnReconstruction:
    if measure == "ordered":
        x, y = numbers(real), numbers(again)
        both = np.isfinite(x) & np.isfinite(y)
        spread = float(np.var(x[both])) if both.any() else 0.0
        mse = float(np.mean((x[both] - y[both]) ** 2)) / spread if spread > 0 else None
        return ColumnReconstruction(name=name, cross_entropy=cross_entropy, mse=mse)
    if measure == "nominal":
        before, after = coded([real, again])
        accuracy = float((before == after).mean())
        return ColumnReconstruction(name=name, cross_entropy=cross_entropy, accuracy=accuracy)
    return ColumnReconstruction(name=name, cross_entropy=cross_entropy)
