"""A fitted generator of one table: schema, normalization and VAE in one object.

Row i of the dataset of a seed is a function of (model, seed, i): any range of rows, in any order and on any worker,
comes out the same (`pipeline.queries.generation`). Saved as safetensors and JSON (`pipeline.saving`); the files hold
the distinct values and bins of single columns, never a row.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import continuation, fitting, saving
from pipeline.assumptions import Assumption, assumed
from pipeline.columns.base import Novel
from pipeline.fingerprint import ROWS, Fingerprint, compare, fingerprint
from pipeline.fitted import Fitted
from pipeline.fitting import Choices, Material
from pipeline.frames import Form, Frame, alike, form_of, from_arrow, to_arrow
from pipeline.models.evidence import Evidence
from pipeline.models.vae import VAE
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.progress import Progress, silent
from pipeline.queries import anomaly, generation, reconstruction
from pipeline.queries.anomaly import ScoredRows
from pipeline.queries.bound import ElboReport, RowScores, row_scores
from pipeline.queries.scorer import Scorer
from pipeline.queries.space import LatentSpace
from pipeline.relations import Relation
from pipeline.schema import Schema
from pipeline.settings import ModelSettings, RelationSettings, TrainingSettings
from pipeline.statistics.thresholds import ScoreSettings
from pipeline.training.history import Epoch


class Synthesizer:
    """A fitted generator of one table; make one with `fit` or `load`.

    Args:
        fitted: Schema, normalization and network.
        form: The kind of frame that `sample` gives back.
        first: The fingerprint of the first rows when it was saved, where it was.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Synthesizer, TrainingSettings
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "member": [True, False] * 50})
        >>> synthesizer = Synthesizer.fit(frame, training=TrainingSettings(epochs=1))
        >>> synthesizer.sample(1000).shape
        (1000, 2)
    """

    def __init__(self, fitted: Fitted, *, form: Form = "arrow", first: Fingerprint | None = None) -> None:
        self.fitted, self.form, self.first = fitted, form, first

    @classmethod
    def fit(
        cls,
        rows: Frame,
        validation: Frame | None = None,
        schema: Schema | None = None,
        *,
        taken: Frame | None = None,
        model: ModelSettings | None = None,
        training: TrainingSettings | None = None,
        relations: RelationSettings | None = None,
        champion: "Synthesizer | None" = None,
        novel: Novel = "extend",
        seed: int = 0,
        progress: Progress = silent,
    ) -> Self:
        """Fit normalization and network to a table.

        `Synthesizer.fit(frame).sample(1000)` is a complete program: the schema is inferred, and a part is set aside.

        Args:
            rows: Training rows: an Arrow table, a pandas or a Polars frame.
            validation: Rows that choose when to stop; by default a part of `rows`.
            schema: From `pipeline.columns.infer`; by default the champion's, or inferred.
            taken: All real rows, if there are more than `rows` and `validation`; see `fitting.Material`.
            model: The network; sizes left open follow the table.
            training: The optimisation; lengths left open follow the table.
            relations: What is exact between columns; a warm start keeps the champion's.
            champion: A synthesizer of an earlier table at which the training starts (a *warm start*).
            novel: What to do with labels that the champion does not know.
            seed: Fixes initial weights, order and noise.
            progress: Receives the phase "train".

        Raises:
            SchemaError: A column cannot be of its kind; the champion does not suit the rows.
            TableError: There are too few rows, or `rows` is no frame or lacks a column of the schema.
            ResynthError: Training diverged.

        Example:
            >>> quick = TrainingSettings(epochs=1)
            >>> champion = Synthesizer.fit(frame, training=quick, seed=1)
            >>> Synthesizer.fit(pd.concat([frame, frame]), training=quick, champion=champion).schema.names
            ('age', 'member')
        """
        form, table = form_of(rows), to_arrow(rows)
        if schema is None:
            schema = champion.schema if champion is not None else fitting.inferred(table)
        material = Material.of_frames(table, validation, schema, taken)
        choices = Choices.of(model, training, novel, relations)
        start = champion.fitted if champion is not None else None
        return cls(fitting.fit(material, choices, champion=start, seed=seed, progress=progress), form=form)

    @property
    def schema(self) -> Schema:
        """The schema of the table."""
        return self.fitted.schema

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What was assumed about the table, and the settings that overrule it. What was withheld is not kept.

        Example:
            >>> synthesizer.assumptions  # ages and memberships leave nothing to assume
            ()
        """
        return assumed(self.schema, self.fitted.relations)

    @property
    def vae(self) -> VAE | None:
        """The network; None for a table in which nothing varies."""
        return self.fitted.vae

    @property
    def latent(self) -> LatentSpace:
        """The latent space: where rows lie in it, and walks through it."""
        return LatentSpace(self.fitted)

    @property
    def history(self) -> tuple[Epoch, ...]:
        """How the training went."""
        return self.fitted.history

    @property
    def shrinkage(self) -> Shrinkage:
        """How far generated rows are shrunk towards independent columns."""
        return self.fitted.shrinkage

    @property
    def taught(self) -> bool:
        """Whether there is a network that was taught how columns depend on each other."""
        return self.vae is not None and self.shrinkage.share < 1

    @property
    def labels(self) -> Mapping[str, pa.Array]:
        """The labels that it knows, by column."""
        return self.fitted.labels

    def differences(self, schema: Schema) -> tuple[str, ...]:
        """What keeps a training on a table of `schema` from starting at this synthesizer, one phrase each."""
        return continuation.differences(self.fitted, schema)

    def other_rules(self, schema: Schema) -> tuple[str, ...]:
        """How `schema` differs in what may be shown of the columns, one phrase each."""
        return continuation.other_rules(self.fitted, schema)

    def broken(self, table: pa.Table) -> tuple[tuple[Relation, float], ...]:
        """Relations that rows of a table with the columns of this synthesizer break, and the share of these rows."""
        return continuation.broken(self.fitted, table)

    def outgrown(self, rows: int, model: ModelSettings) -> tuple[str, ...]:
        """Whether `rows` training rows are too many for this network, whose sizes a warm start keeps; in a phrase."""
        return continuation.outgrown(self.fitted, rows, model)

    def strange(self, table: pa.Table) -> tuple[str, ...]:
        """Names of the columns that hold unknown labels, for a table with the columns of this synthesizer."""
        relations = self.fitted.relations
        found = {*relations.strange(table), *self.fitted.normalization.strange(relations.free(table))}
        return tuple(name for name in self.schema.names if name in found)

    def sample(self, rows: int, *, seed: int = 0, start: int = 0) -> Frame:
        """Rows `start` to `start` + `rows` − 1 of the dataset of `seed`, as the kind of frame that was given to `fit`.

        Raises:
            SettingsError: `rows` is not positive or `start` is negative.
            TableError: An identifier has no fresh values for so many rows.

        Example:
            >>> whole = synthesizer.sample(100, seed=7)
            >>> some = synthesizer.sample(10, seed=7, start=50)
            >>> some.equals(whole[50:60].reset_index(drop=True))
            True
        """
        return from_arrow(self.table(rows, seed=seed, start=start), self.form)

    def table(self, rows: int, *, seed: int = 0, start: int = 0) -> pa.Table:
        """The same rows as `sample`, as an Arrow table of exactly the schema.

        Example:
            >>> synthesizer.table(5).num_rows
            5
        """
        return pa.concat_tables(self.batches(rows, seed=seed, start=start))

    def batches(self, rows: int, *, seed: int = 0, start: int = 0) -> Iterator[pa.Table]:
        """The same rows as `table`, a block at a time, in bounded memory.

        Example:
            >>> [batch.num_rows for batch in synthesizer.batches(10_000)]
            [8192, 1808]
        """
        for codec in self.fitted.normalization.codecs.values():
            codec.expect_room(start + rows)
        return generation.batches(self.fitted, rows, seed=seed, start=start)

    def encode(self, table: Frame) -> NDArray[np.float32]:
        """Posterior means E[z|x], [rows, latent], of a table of the schema, in any form that `fit` takes.

        Raises:
            TableError: A column of the schema is missing, or its values do not fit.

        Example:
            >>> synthesizer.encode(synthesizer.table(5)).shape
            (5, 12)
        """
        return reconstruction.encoded(self.fitted, alike(table, self.schema.arrow))

    def decode(self, z: NDArray[np.float32], *, seed: int = 0) -> pa.Table:
        """A row drawn from p(x|z) for each z, [rows, latent].

        The noise of row i depends on `seed` and i only, however many rows there are. So z and z′ decoded in two calls
        with one seed differ, row by row, by nothing but z: decode the points of a line one after the other, each for
        all rows.

        Raises:
            TableError: `z` has another number of dimensions than the latent space.

        Example:
            >>> z = synthesizer.encode(synthesizer.table(5))
            >>> synthesizer.decode(z).num_rows
            5
        """
        return generation.decoded(self.fitted, z, seed=seed)

    def reconstruct(self, table: Frame, *, seed: int = 0) -> pa.Table:
        """Each row of `table` again, drawn from p(x|z) at its own posterior mean.

        Example:
            >>> synthesizer.reconstruct(synthesizer.table(5)).column_names
            ['age', 'member']
        """
        return self.decode(self.encode(table), seed=seed)

    def elbo(self, table: Frame, *, seed: int = 0, progress: Progress = silent) -> ElboReport:
        """The ELBO of `table` and its parts, and how each column comes back from z; see `pipeline.queries.bound`.

        `progress` is called now and then.

        Raises:
            TableError: There is no network, or `table` has no rows or lacks a column of the schema.

        Example:
            >>> report = synthesizer.elbo(synthesizer.table(50))
            >>> abs(report.elbo - (report.reconstruction - report.kl)) < 1e-6  # nats per row
            True
        """
        return reconstruction.elbo_report(self.fitted, alike(table, self.schema.arrow), seed=seed, progress=progress)

    def score(self, table: Frame, settings: ScoreSettings | None = None) -> Frame:
        """How strange each row of `table` is: columns `pipeline.queries.anomaly.SCORES`, in the form given to `fit`.

        Args:
            table: Rows with the columns of the schema, in any form that `fit` takes.
            settings: Which rows count as anomalies.

        Raises:
            TableError: A column of the schema is missing, or its values do not fit.

        Example:
            >>> odd = pd.DataFrame({"age": [30, 900], "member": [False, True]})
            >>> synthesizer.score(odd)["anomaly"].tolist()
            [False, True]
        """
        return from_arrow(self.scored(alike(table, self.schema.arrow), settings).table, self.form)

    def scored(self, table: pa.Table, settings: ScoreSettings | None = None, progress: Progress = silent) -> ScoredRows:
        """The same as `score` for an Arrow table of the schema, with the threshold."""
        return anomaly.score(self.scorer, table, settings or ScoreSettings(), progress)

    @cached_property
    def scorer(self) -> Scorer:
        """What looks at rows."""
        return Scorer(self.fitted)

    def look(self, table: pa.Table, *, without: Collection[str] = (), seed: int = 0) -> RowScores | None:
        """The ELBO of each row and its posterior mean, some columns being unknown; None if nothing is left to score."""
        known = self.fitted.normalization.known(without)
        if self.vae is None or not known.any() or not table.num_rows:
            return None
        rows = self.fitted.encode(table)
        return row_scores(self.vae, Evidence(rows.knowing(known.expand(len(rows), -1))), seed=seed)

    def save(self, directory: Path | str) -> None:
        """Write the synthesizer into `directory`, which is made; see `pipeline.saving`.

        Raises:
            ResynthError: Its network is of no use, or too large.

        Example:
            >>> import tempfile
            >>> directory = tempfile.mkdtemp() + "/model"
            >>> synthesizer.save(directory)
            >>> Synthesizer.load(directory).sample(5).equals(synthesizer.sample(5))
            True
        """
        sample = fingerprint(self._first(), self.schema)
        saving.save(saving.Saved(self.fitted, self.form, sample), Path(directory))

    @classmethod
    def load(cls, directory: Path | str, digest: str | None = None) -> Self:
        """The inverse of `save`.

        Args:
            directory: Where it was saved.
            digest: What `saving.digest` said of it then; by default the files are taken to be those that were saved.

        Raises:
            NotFoundError: The directory holds no synthesizer.
            FormatError: It is of another format.
            DamagedError: The files are not what was saved.
        """
        saved = saving.load(Path(directory), digest)
        return cls(saved.fitted, form=saved.form, first=saved.sample)

    def prove(self) -> None:
        """Generate the first rows again and compare them with those of the time when the synthesizer was saved.

        Raises:
            DamagedError: They are others, or none that a model of this table would generate.
            ResynthError: It does not generate.
        """
        rows = self._first()
        kept = fingerprint(rows, self.schema) if self.first is None else self.first
        rewritten, codecs = self.fitted.relations.rewritten, self.fitted.normalization.codecs
        known = {name: 1.0 if name in rewritten else codecs[name].commonest for name in self.schema.names}
        compare(kept, rows, self.schema, known)

    def _first(self) -> pa.Table:
        """The first rows. Their identifiers may repeat if there are too few."""
        return pa.concat_tables(generation.batches(self.fitted, ROWS, seed=0))
