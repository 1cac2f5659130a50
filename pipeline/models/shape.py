"""The sizes of a VAE."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.records import Record
from pipeline.settings import Activation, PriorName

Size = Annotated[int, Field(ge=1, le=2**16)]


class Shape(Record):
    """The sizes and parts of a VAE. Together with a layout of variables they determine every tensor of weights.

    Attributes:
        latent: Dimensions of z.
        width: Width of the encoder and of the decoder's running state.
        hidden: Width of each variable's own state.
        components: Components of the mixture prior.
        mixture: Components of the likelihood of a real variable.
        dropout: Dropout probability in encoder and decoder.
        blank: Probability in training that an earlier variable is hidden from the decoder.
        activation: Nonlinearity of encoder and decoder.
        prior: Name of p(z).
        decoder: Whether p(x|z) has edges between variables.
    """

    latent: Size
    width: Size
    hidden: Size
    components: Size
    mixture: Size
    dropout: Annotated[float, Field(ge=0, lt=1)]
    blank: Annotated[float, Field(ge=0, lt=1)] = 0.0
    activation: Activation = "silu"
    prior: PriorName
    decoder: Literal["autoregressive", "factorised"]
