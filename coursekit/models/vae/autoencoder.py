"""Autoencoder (Bourlard & Kamp 1988; Hinton & Salakhutdinov 2006, doi:10.1126/science.1127647)."""

from torch import Tensor, nn

from coursekit.protocols import Losses


class Autoencoder(nn.Module):
    """x -> z -> x', both maps learnt to make x' close to x. It has no distribution, hence no `sample`.

    Args:
        encoder: (x, c) -> z, (B, *) -> (B, D).
        decoder: (z, c) -> x', (B, D) -> (B, *); reshaped to the shape of x where it is flat.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The code of x, (B, *) -> (B, D)."""
        return self.encoder(x, c)

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """The data that code z stands for, (B, D) -> (B, *)."""
        return self.decoder(z, c)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; squared error, summed over the event, averaged over the batch."""
        reconstruction = self.decode(self.encode(x, c), c).reshape(x.shape)
        yield "model", (x - reconstruction).square().flatten(1).sum(1).mean()
