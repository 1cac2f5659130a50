"""What a training brought, epoch by epoch."""

from pipeline.records import Record


class Epoch(Record):
    """What one epoch brought; all but seconds and rate in nats per row."""

    epoch: int
    seconds: float
    learning_rate: float
    reconstruction: float
    kl: float
    elbo: float
    validation_reconstruction: float
    validation_kl: float
    validation_elbo: float
