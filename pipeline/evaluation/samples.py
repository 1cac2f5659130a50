"""The rows of an evaluation: equal numbers of synthetic and training rows, and the hold-out."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipeline.errors import SettingsError, TableError
from pipeline.evaluation import bootstrap
from pipeline.evaluation.detection import TwoSample
from pipeline.evaluation.scores import Incomputable
from pipeline.evaluation.views import Floats, View, chosen, views
from pipeline.profiles.features import FeatureSpace
from pipeline.randomness import stream
from pipeline.schema import Schema
from pipeline.settings import EvaluationSettings
from pipeline.statistics.neighbours import Points

Likelihoods = Callable[[pa.Table], Floats]
"""Bounds of log p(row) in nats under a model, [rows], for a table of the schema."""
MINIMUM_POINTS = 10  # rows per side; the distance of smaller samples says nothing


@dataclass(frozen=True)
class Samples:
    """The compared rows of three tables that share `schema`, and the settings and the seed of the evaluation.

    Attributes:
        views: Synthetic, training and held-out rows as `View`s.
        tables: The same rows as Arrow tables.
        schema: The schema of the three tables.
        settings: Bounds on rows, and the target for utility.
        seed: The seed of every random choice.
        real: The classifier's result on training and held-out rows, once it is known.
        told: What the model says of the hold-out, if there is a model (`pipeline.evaluation.areas.model.Told`).
        likelihood: The model's bound of the log-likelihood of each row of a table, if there is a model.
    """

    views: tuple[View, View, View]
    tables: tuple[pa.Table, pa.Table, pa.Table]
    schema: Schema
    settings: EvaluationSettings
    seed: int
    real: TwoSample | None = None
    told: object = None
    likelihood: Likelihoods | None = None

    @classmethod
    def draw(
        cls,
        synthetic: pa.Table,
        train: pa.Table,
        holdout: pa.Table,
        *,
        schema: Schema,
        settings: EvaluationSettings,
        seed: int,
    ) -> "Samples":
        """Draw rows at random: as many synthetic as training rows, at most `settings.rows` of each table.

        Raises:
            TableError: A table has no rows.
            SettingsError: The target is not a column of the schema.
        """
        for name, table in (("synthetic", synthetic), ("training", train), ("hold-out", holdout)):
            if table.num_rows == 0:
                raise TableError(f"evaluation: expected at least one {name} row, got 0")
        if settings.target is not None and settings.target not in schema.names:
            raise SettingsError(f"evaluation.target: expected a column of the table, got '{settings.target}'")
        equal = min(synthetic.num_rows, train.num_rows, settings.rows)
        named = (("synthetic", synthetic, equal), ("train", train, equal), ("holdout", holdout, settings.rows))
        tables = tuple(
            table.take(chosen(table.num_rows, rows, stream(seed, "evaluate", "rows", name)))
            for name, table, rows in named
        )
        synthetic, train, holdout = views(tables, schema)
        return cls((synthetic, train, holdout), (tables[0], tables[1], tables[2]), schema, settings, seed)

    def weights(self) -> Floats:
        """Weights of the held-out rows in resamples. They depend on the seed alone, so all generators share them."""
        return bootstrap.weights(self.views[2].rows, stream(self.seed, "evaluate", "bootstrap"))

    def random(self, purpose: str) -> np.random.Generator:
        """The random stream for a purpose. Synthetic and training rows share it, so only their data differ."""
        return stream(self.seed, "evaluate", purpose)

    def detection_rows(self) -> tuple[int, np.random.Generator]:
        """The number of rows of a side that the classifier sees, and the random stream that chooses them."""
        return self.settings.detection_rows, self.random("detection rows")

    def fresh_points(self) -> tuple[Points, Points, Points]:
        """Synthetic, training and held-out rows in a feature space that was fitted to none of them.

        Rows to which a space was fitted spread in it a little more than other rows of the same population. So the space
        is fitted to a random half of the training rows. The other half is compared, with as many synthetic rows.

        Raises:
            Incomputable: Nothing can be compared, or a side has fewer than 10 rows.
        """
        synthetic, train, holdout = self.tables
        order = self.random("halves").permutation(train.num_rows)
        half = len(order) // 2
        space = self._space(train.take(np.sort(order[half:])), self.schema, min(half, holdout.num_rows))
        compared = self.random("halves of synthetic").permutation(synthetic.num_rows)[:half]
        rows = synthetic.take(np.sort(compared)), train.take(np.sort(order[:half])), holdout
        return space.transform(rows[0]), space.transform(rows[1]), space.transform(rows[2])

    def neighbour_points(self) -> tuple[Points, Points, Points]:
        """Synthetic, training and held-out rows in a feature space that was fitted to the synthetic rows.

        Neither training nor held-out rows were used to fit the space, so neither side is favoured. Columns in which
        real rows cannot be compared take no part.

        Raises:
            Incomputable: Nothing can be compared, or a side has fewer than 10 rows.
        """
        synthetic, train, holdout = self.tables
        kept = tuple(column for column in self.schema if column.name in self.views[0].values)
        space = self._space(synthetic, replace(self.schema, columns=kept), min(synthetic.num_rows, holdout.num_rows))
        return space.transform(synthetic), space.transform(train), space.transform(holdout)

    def _space(self, table: pa.Table, schema: Schema, fewest: int) -> FeatureSpace:
        """Fit a space to these columns, if the smallest side of the comparison, with `fewest` rows, is large enough."""
        if fewest < MINIMUM_POINTS:
            raise Incomputable(f"needs {MINIMUM_POINTS} rows of each side, got {fewest}")
        space = FeatureSpace.fit(table, schema)
        if not space.dimensions:
            raise Incomputable("no column that can be compared varies")
        return space
