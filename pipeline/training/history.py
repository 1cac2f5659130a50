"""The history of a training, epoch by epoch."""

from pipeline.records import Record


class Epoch(Record):
    """The results of one epoch. All are in nats per row, except number, seconds and learning rate."""

    epoch: int
    seconds: float
    learning_rate: float
    reconstruction: float
    kl: float
    elbo: float
    validation_reconstruction: float
    validation_kl: float
    validation_elbo: float
