"""The model's own scores on held-out rows: the evidence lower bound (ELBO) and its terms, in nats per row.

These scores have no ceiling, because there is no model of real rows to compare with. They compare models, and they say
whether a latent space is in use.
"""

from typing import ClassVar, Protocol

from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Metric, Score


class Told(Protocol):
    """The bound and its terms on the hold-out, such as a `pipeline.queries.bound.ElboReport`."""

    @property
    def elbo(self) -> float:
        """The evidence lower bound: reconstruction − KL."""

    @property
    def reconstruction(self) -> float:
        """E_q[log p(x|z)]."""

    @property
    def kl(self) -> float:
        """KL(q(z|x) ‖ p(z))."""

    @property
    def importance_weighted(self) -> float:
        """The importance-weighted bound, with many draws of z."""

    @property
    def active_units(self) -> int:
        """Latent dimensions whose posterior mean varies with the row."""


class Model(Area):
    """The ELBO and its terms. It applies only if the samples have a `told`."""

    name = "model"
    metrics: ClassVar = {
        "elbo": Metric("max", "evidence lower bound of held-out rows: reconstruction − kl, nats per row"),
        "reconstruction": Metric("max", "log-likelihood of held-out rows given z, nats per row"),
        "kl": Metric("min", "divergence of the posterior from the prior, nats per row"),
        "importance_weighted": Metric("max", "tighter bound from 100 draws of z, nats per row"),
        "active_units": Metric("max", "latent dimensions that vary with the row", 0.0),
    }

    def concerns(self, samples: Samples) -> bool:
        """Whether a model's bound on the hold-out is given."""
        return samples.told is not None

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        return Found(tuple(Score.of(name, float(getattr(samples.told, name))) for name in self.metrics))
