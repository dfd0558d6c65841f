"""Translation between two sets of images without pairs (Zhu et al. 2017, arXiv:1703.10593)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.gan.objectives import LeastSquares, Objective
from coursekit.protocols import Losses

Pair = tuple[Tensor, Tensor]


class ImageBuffer(nn.Module):
    """Fakes of earlier steps, so that a critic does not forget what it has caught.

    The first `size` images are kept, and given back as they came. Then each image, with probability 1/2, is
    exchanged for one of those kept. In evaluation mode images pass through.

    Args:
        shape: (C, H, W) of one image.
        size: how many are kept; 0 for none.

    Raises:
        ValueError: a negative size, or (when called) images of another shape.

    Source: Shrivastava et al. 2017 (arXiv:1612.07828), section 2.3; 50 and 1/2 as in Zhu et al. 2017.
    """

    def __init__(self, shape: Sequence[int], size: int = 50):
        super().__init__()
        if size < 0:
            raise ValueError(f"size is {size}; expected how many images are kept, at least 0")
        self.shape, self.size = tuple(shape), size
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.tensor(0))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Images to show to the critic, (B, C, H, W) -> the same."""
        if x.shape[1:] != self.shape:
            raise ValueError(f"x has shape {tuple(x.shape)}; the buffer keeps images of shape {self.shape}")
        if not (self.size and self.training):
            return x
        shown, filled = x.clone(), int(self.filled)
        heads = torch.rand(len(x), device="cpu") < 0.5
        places = torch.randint(self.size, (len(x),), device="cpu")
        for i, (exchange, place) in enumerate(zip(heads.tolist(), places.tolist(), strict=True)):
            if filled < self.size:
                self.images[filled], filled = x[i], filled + 1
            elif exchange:
                shown[i] = self.images[place]
                self.images[place] = x[i]
        self.filled.fill_(filled)
        return shown


class CycleGAN(nn.Module):
    """G: A -> B and F: B -> A, from images of both kinds of which no two belong together.

    The critics minimize the objective's critic loss, each between its own images and the fakes that the
    buffer shows; the generators minimize the objective's generator losses plus

        cycle * (E |F(G(a)) - a| + E |G(F(b)) - b|) + identity * (E |G(b) - b| + E |F(a) - a|),

    means over pixels. Read one way it is an autoencoder of A whose codes must look like B, hence the names of
    the verbs: `encode` is G and `decode` is F.

    Args:
        to_b, to_a: G and F, (B, C, H, W) -> (B, C', H, W) and back, such as `nets.Translator`.
        critic_a, critic_b: x -> raw scores of any shape, such as `nets.PatchGAN`'s.
        shapes: (C, H, W) of an image of A, and of one of B.
        cycle: weight lambda of the cycle terms, at least 0.
        identity: weight of the identity terms, at least 0; above 0 both shapes must be the same.
        buffer: how many fakes of each kind are kept for the critics; 0 for none.
        objective: the losses of both; None takes `LeastSquares()`.

    Raises:
        ValueError: a negative weight, or an identity term between images of two shapes; when called, images
            of other shapes than `shapes`, or a condition, of which there is none.

    Source: Zhu et al. 2017, eqs. (1) to (3); section 5.2 for identity. There cycle is 10 and identity 5,
    beside least squares without the factor 1/2 that `LeastSquares` has: beside ours that is 5 and 2.5, so
    that the default of 10 weighs as 20 does there.
    """

    def __init__(
        self,
        to_b: nn.Module,
        to_a: nn.Module,
        critic_a: nn.Module,
        critic_b: nn.Module,
        shapes: Sequence[Sequence[int]],
        cycle: float = 10.0,
        identity: float = 0.0,
        buffer: int = 50,
        objective: Objective | None = None,
    ):
        super().__init__()
        if not (cycle >= 0 and identity >= 0):
            raise ValueError(f"cycle is {cycle}, identity {identity}; expected both at least 0")
        if identity and tuple(shapes[0]) != tuple(shapes[1]):
            raise ValueError(f"identity is {identity}, but the shapes are {shapes}; expected two equal ones")
        self.generators, self.critics = nn.ModuleList([to_b, to_a]), nn.ModuleList([critic_a, critic_b])
        self.shapes, self.cycle, self.identity = tuple(map(tuple, shapes)), cycle, identity
        self.buffers_of = nn.ModuleList(ImageBuffer(shape, buffer) for shape in self.shapes)
        self.objective = objective or LeastSquares()

    def encode(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """G, from A to B; takes no condition."""
        self._none(c)
        return self.generators[0](x)

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """F, from B to A; takes no condition."""
        self._none(c)
        return self.generators[1](z)

    def cycle_error(self, x: Pair, fakes: Pair | None = None) -> Tensor:
        """E |F(G(a)) - a| + E |G(F(b)) - b|; `fakes` are F(b) and G(a), where they are known already."""
        (a, b), (fake_a, fake_b) = x, self._fakes(x) if fakes is None else fakes
        return _distance(self.decode(fake_b), a) + _distance(self.encode(fake_a), b)

    def identity_error(self, x: Pair) -> Tensor:
        """E |G(b) - b| + E |F(a) - a|: a picture that is of the kind already should stay."""
        a, b = x
        return _distance(self.encode(b), b) + _distance(self.decode(a), a)

    def losses(self, x: Pair, c: Tensor | None = None) -> Losses:
        """Two players, "critics" and then "generators"; x is a batch of A and a batch of B."""
        self._none(c)
        fakes = self._fakes(x)
        yield (
            "critics",
            sum(
                self.objective.critic(critic(real), critic(buffer(fake.detach())))
                for critic, buffer, real, fake in zip(self.critics, self.buffers_of, x, fakes, strict=True)
            ),
        )
        scores = zip(self.critics, fakes, strict=True)
        loss = sum(self.objective.generator(critic(fake)) for critic, fake in scores)
        if self.cycle:
            loss = loss + self.cycle * self.cycle_error(x, fakes)
        if self.identity:
            loss = loss + self.identity * self.identity_error(x)
        yield "generators", loss

    def _fakes(self, x: Pair) -> Pair:
        shapes = [tuple(part.shape[1:]) for part in x]
        if shapes != list(self.shapes):
            raise ValueError(
                f"x holds images of {shapes}; expected a pair of batches, of {list(self.shapes)}"
            )
        a, b = x
        return self.decode(b), self.encode(a)

    @staticmethod
    def _none(c: Tensor | None) -> None:
        if c is not None:
            raise ValueError(
                "got a condition c, but CycleGAN takes none: its two kinds of images are x = (a, b)"
            )


def _distance(made: Tensor, x: Tensor) -> Tensor:
    """E |made - x|, of images of one shape."""
    if made.shape != x.shape:
        raise ValueError(f"the generators made {tuple(made.shape)} of images of {tuple(x.shape)}")
    return (made - x).abs().mean()
