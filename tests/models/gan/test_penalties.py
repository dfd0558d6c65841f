"""What bounds a critic's slope, against finite differences and closed forms."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from coursekit.models.gan import GAN, R1, GradientPenalty, Wasserstein, spectral_norm
from coursekit.nets import MLP, ResNetCritic

SHAPE = (1, 3, 3)


def scores(net: nn.Module, x: Tensor, c: Tensor | None = None) -> Tensor:
    return net(x, c).squeeze(1)


def slopes(net: nn.Module, x: Tensor, h: float = 1e-5) -> Tensor:
    """|grad a(x)| by central differences in every pixel: (B, *) -> (B,)."""
    steps = h * torch.eye(9, dtype=x.dtype).reshape(9, *SHAPE)
    differences = [(scores(net, x + step) - scores(net, x - step)) / (2 * h) for step in steps]
    return torch.stack(differences, 1).norm(dim=1)


@pytest.fixture
def critic():
    torch.manual_seed(0)
    return MLP(SHAPE, 1, (6, 6), activation=nn.Tanh).double()


@pytest.fixture
def batch():
    g = torch.Generator().manual_seed(1)
    return [torch.randn(5, *SHAPE, dtype=torch.float64, generator=g) for _ in range(2)]


def test_the_gradient_penalty_equals_finite_differences(critic, batch):
    """At the points that the penalty draws, known from its seed."""
    real, fake = batch
    torch.manual_seed(2)
    penalty = GradientPenalty(7.0)(partial(scores, critic), real, fake)
    torch.manual_seed(2)
    share = torch.rand(5, dtype=torch.float64).reshape(5, 1, 1, 1)
    points = (1 - share) * real + share * fake
    assert_close(penalty, 7 * (slopes(critic, points) - 1).square().mean(), rtol=1e-7, atol=0)


def test_r1_equals_finite_differences(critic, batch):
    penalty = R1(7.0)(partial(scores, critic), *batch)
    assert_close(penalty, 3.5 * slopes(critic, batch[0]).square().mean(), rtol=1e-7, atol=0)


@pytest.mark.parametrize("penalty", [GradientPenalty(), R1()])
def test_a_penalty_can_be_trained_on(critic, batch, penalty):
    """Its gradient by the first weights, a derivative of a derivative, equals finite differences."""

    def value(weight: Tensor) -> Tensor:
        torch.manual_seed(3)
        call = partial(torch.func.functional_call, critic, {"layers.0.weight": weight})
        return penalty(lambda x, c: call((x, c)).squeeze(1), *batch)

    assert torch.autograd.gradcheck(value, critic.layers[0].weight)


def test_a_linear_critic_has_the_same_slope_everywhere(batch):
    """a(x) = w . x: the penalties are 10 (|w| - 1)^2 and 5 |w|^2."""
    critic = MLP(SHAPE, 1, ()).double()
    norm = critic.layers[0].weight.norm()
    assert_close(GradientPenalty()(partial(scores, critic), *batch), 10 * (norm - 1).square())
    assert_close(R1()(partial(scores, critic), *batch), 5 * norm.square())


@pytest.mark.parametrize("penalty", [GradientPenalty, R1])
def test_a_negative_weight_is_an_error(penalty):
    with pytest.raises(ValueError, match="weight is -1"):
        penalty(-1)


def test_spectral_norm_gives_every_layer_the_largest_singular_value_one():
    """Against a singular value decomposition, after the power iterations of 30 passes."""
    torch.manual_seed(0)
    critic = spectral_norm(ResNetCritic((1, 8, 8), width=4, c_dim=3))
    for _ in range(30):
        critic(torch.randn(2, 1, 8, 8), torch.tensor([0, 1]))
    layers = [layer for layer in critic.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    assert len(layers) == 8  # two blocks of three convolutions, two affine maps
    for layer in layers:
        assert_close(
            torch.linalg.matrix_norm(layer.weight.flatten(1), 2), torch.tensor(1.0), atol=5e-3, rtol=0
        )


def test_clipped_weights_stay_in_the_box_at_every_step():
    """From the beginning, and after steps of an optimizer that would leave it."""
    torch.manual_seed(0)
    model = GAN(MLP(2, 2, (8,)), MLP(2, 1, (8,)), 2, Wasserstein(), critic_steps=2, clip=0.05)
    optimizer = torch.optim.SGD(model.critic.parameters(), lr=10.0)
    largest = [max(p.abs().max() for p in model.critic.parameters())]
    for player, loss in model.losses(torch.randn(4, 2)):
        largest.append(max(p.abs().max() for p in model.critic.parameters()))
        if player == "critic":
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            assert max(p.abs().max() for p in model.critic.parameters()) > 0.05
    assert largest == [torch.tensor(0.05)] * 4
