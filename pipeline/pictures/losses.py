"""A figure of the course of a training."""

from collections.abc import Sequence

from pipeline.pictures.style import MUTED, SYNTHETIC, Picture, plain
from pipeline.training.history import Epoch


def loss_curves(history: Sequence[Epoch]) -> Picture:
    """Draw ELBO, its two terms and the learning rate by epoch. A line marks the epoch of the best validation ELBO."""
    figure = Picture(figsize=(10, 6), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    panels = figure.subplots(2, 2, sharex=True)
    for axes, name, title in zip(
        panels.flat, ("elbo", "reconstruction", "kl"), ("ELBO", "Reconstruction", "KL"), strict=False
    ):
        axes.plot(epochs, [getattr(epoch, name) for epoch in history], color=MUTED, label="train")
        axes.plot(
            epochs, [getattr(epoch, f"validation_{name}") for epoch in history], color=SYNTHETIC, label="held out"
        )
        axes.set_title(f"{title} (nats per row)", loc="left", fontsize=10)
    panels[1, 1].plot(epochs, [epoch.learning_rate for epoch in history], color=MUTED)
    panels[1, 1].set_title("Learning rate", loc="left", fontsize=10)
    best = max(history, key=lambda epoch: epoch.validation_elbo, default=None)
    for axes in panels.flat:
        plain(axes)
        if best is not None:
            axes.axvline(best.epoch, color="black", linewidth=0.8, linestyle=":")
    if best is not None:
        panels[0, 0].legend(frameon=False, fontsize=9, title=f"best epoch: {best.epoch}", title_fontsize=9)
    for axes in panels[1]:
        axes.set_xlabel("epoch")
    return figure
