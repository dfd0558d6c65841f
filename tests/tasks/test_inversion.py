"""Inversion against decoders whose inverse is known."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.testing import assert_close

from coursekit import train
from coursekit.models.gan import GAN
from coursekit.nets import MLP
from coursekit.tasks import Inverter, Likeness, invert

D, PIXELS = 3, (1, 4, 2)


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Linear(nn.Module):
    """x = W z + b: what is made small has one minimum, in closed form."""

    latent_dim = D

    def __init__(self):
        super().__init__()
        self.W, self.b = nn.Parameter(draws(8, D, seed=1)), nn.Parameter(draws(8, seed=2))

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return (z @ self.W.T + self.b).unflatten(1, PIXELS)


class Smooth(nn.Module):
    """Three tanh layers, one-to-one but curved, with a normalization that would mix the rows in training."""

    latent_dim = D

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.net = nn.Sequential(MLP(D, 30, (30,), activation=nn.Tanh), nn.BatchNorm1d(30), nn.Linear(30, 8))
        self.double()

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return torch.tanh(self.net(z)).unflatten(1, PIXELS)


def gan() -> GAN:
    """A generator of the package: 3 codes to 8 numbers."""
    torch.manual_seed(3)
    return GAN(MLP(D, 8, (30,), activation=nn.Tanh), MLP(8, 1), D).double()


@pytest.mark.parametrize("make", [Linear, Smooth, gan])
def test_the_code_of_a_decoded_image_is_recovered(make):
    """The image determines its code, so the search must come back to it."""
    model, z = make(), draws(5, D)
    found = invert(model.eval(), model.decode(z).detach(), draws(4, 5, D, seed=5), steps=800)
    assert_close(found.z, z, atol=1e-3, rtol=0)
    assert_close(found.x, model.decode(z), atol=1e-3, rtol=0)
    assert found.loss.max() < 1e-6


def test_an_image_outside_the_decoders_range_gets_the_penalized_least_squares_code():
    """(W'W / 8 + prior I / 3)^-1 W'(x - b) / 8, the minimum of both terms together."""
    model, x = Linear(), draws(5, *PIXELS, seed=6)
    W, b = model.W.detach(), model.b.detach()
    for prior in (0.0, 0.5):
        system = W.T @ W / 8 + prior / D * torch.eye(D)
        expected = torch.linalg.solve(system, W.T @ (x.flatten(1) - b).T / 8).T
        found = invert(model, x, draws(1, 5, D), prior=prior, steps=1000)
        assert_close(found.z, expected, atol=1e-3, rtol=0)
        residual = (expected @ W.T + b - x.flatten(1)).square().mean(1) + prior * expected.square().mean(1)
        assert_close(found.loss, residual, atol=1e-5, rtol=0)


def test_features_alone_match_features_and_nothing_else():
    """Features that see six pixels of eight, fitted by three numbers: the least squares of those rows."""
    model, x = Linear(), draws(5, *PIXELS, seed=6)
    likeness = Likeness(pixel=0.0, feature=2.0, features=lambda x: x.flatten(1)[:, :6])
    found = invert(model, x, draws(1, 5, D), likeness=likeness, steps=1000)
    W, b = model.W.detach()[:6], model.b.detach()[:6]
    expected = torch.linalg.lstsq(W, (x.flatten(1)[:, :6] - b).T).solution.T
    assert_close(found.z, expected, atol=1e-3, rtol=0)
    assert_close(
        found.loss, 2 * (expected @ W.T + b - x.flatten(1)[:, :6]).square().mean(1), atol=1e-5, rtol=0
    )


def test_the_best_of_several_starts_is_kept_for_each_row():
    """sin(3 z) has many valleys; z in each row is that of the start with the least loss."""

    class Waves(nn.Module):
        def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
            return torch.cat([torch.sin(3 * z), 0.1 * z], 1)

    model, z = Waves(), 2 * draws(20, 1)
    starts = 3 * draws(6, 20, 1, seed=1)
    found = invert(model, model.decode(z), starts, steps=300)
    assert found.losses.shape == (6, 20)
    assert_close(found.loss, found.losses.min(0).values)
    assert_close((model.decode(found.z) - model.decode(z)).square().mean(1), found.loss)
    one = invert(model, model.decode(z), starts[:1], steps=300)
    assert (found.loss <= one.loss + 1e-9).all()
    assert found.loss.mean() < 0.5 * one.loss.mean()


def test_a_row_is_inverted_alike_alone_and_among_others():
    """Even where the decoder normalizes by its batch in training."""
    model = Smooth().train()
    x, starts = draws(4, *PIXELS).tanh(), draws(2, 4, D, seed=1)
    together = invert(model, x, starts, steps=20).z
    alone = torch.cat([invert(model, x[i : i + 1], starts[:, i : i + 1], steps=20).z for i in range(4)])
    assert_close(together, alone)


def test_the_model_and_the_arguments_are_left_as_they_were():
    model = Smooth().train()
    model.net[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x, starts, state = draws(4, *PIXELS), draws(2, 4, D, seed=1), torch.get_rng_state()
    kept = starts.clone()
    found = invert(model, x, starts, steps=3)
    assert [part.training for part in model.net] == [True, False, True]
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(starts, kept)
    assert torch.equal(state, torch.get_rng_state())
    assert not found.z.requires_grad


def test_no_steps_compare_the_starts():
    model, starts = Linear(), draws(3, 5, D)
    found = invert(model, draws(5, *PIXELS), starts, steps=0)
    assert all((row == starts[:, i]).all(1).any() for i, row in enumerate(found.z))


def test_the_condition_goes_to_every_start_and_a_distribution_gives_its_mean():
    """Row i is decoded under c_i, whichever start it is of."""

    class Shifted(nn.Module):
        def decode(self, z: Tensor, c: Tensor) -> Independent:
            mean = z + 10 * c[:, None]
            return Independent(Normal(mean, torch.ones_like(mean)), 1)

    z, c = draws(4, 2), torch.tensor([0.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    found = invert(Shifted(), z + 10 * c[:, None], draws(3, 4, 2, seed=1), c, steps=500)
    assert_close(found.z, z, atol=1e-3, rtol=0)


def test_an_encoder_learns_the_inverse_and_changes_nothing_of_the_decoder():
    """The pseudo-inverse is an affine map, so such an encoder can be exact; it is trained as any model."""
    model = Linear().float()
    inverter = Inverter(model, nn.Sequential(nn.Flatten(), nn.Linear(8, D)), weight=0.0)
    before = [p.clone() for p in model.parameters()]
    x = model.decode(draws(256, D).float()).detach()
    train.fit(inverter, x, 1500, lr=2e-2, schedule=train.Cosine(), progress=False, device="cpu")
    z = draws(50, D, seed=9).float()
    assert_close(inverter.encode(model.decode(z)), z, atol=0.02, rtol=0)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


def test_the_encoders_loss_is_the_sum_of_its_two_terms():
    """By hand, from the same noise."""
    model, x = Linear(), draws(6, *PIXELS)
    inverter = Inverter(model, nn.Sequential(nn.Flatten(), nn.Linear(8, D)).double(), weight=0.3)
    torch.manual_seed(0)
    ((player, loss),) = inverter.losses(x)
    torch.manual_seed(0)
    z = torch.randn(6, D, dtype=torch.float64)
    codes = (inverter.encoder(model.decode(z)) - z).square().sum() / (6 * D)
    images = (model.decode(inverter.encoder(x)) - x).square().sum() / (6 * math.prod(PIXELS))
    assert player == "encoder"
    assert_close(loss, codes + 0.3 * images)


def test_training_the_encoder_keeps_the_decoder_in_evaluation_mode():
    """Its running statistics would follow the encoder's codes else."""
    model = Smooth()
    inverter = Inverter(model, nn.Sequential(nn.Flatten(), nn.Linear(8, D)).double()).train()
    assert inverter.encoder.training
    assert not any(part.training for part in model.modules())


def test_from_an_encoders_guess_a_short_search_ends_lower_than_either():
    """A guess with an error: a few steps mend it, and as few from a random code do not arrive."""
    model, z = Smooth().eval(), draws(30, D)
    x, guess = model.decode(z).detach(), z + 0.3 * draws(30, D, seed=1)
    from_guess = invert(model, x, guess[None], steps=40, lr=0.03).loss
    assert from_guess.mean() < 0.1 * invert(model, x, guess[None], steps=0).loss.mean()
    assert from_guess.mean() < 0.1 * invert(model, x, draws(1, 30, D, seed=2), steps=40, lr=0.03).loss.mean()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: invert(Linear(), draws(5, *PIXELS), draws(5, D)), r"\(5, 3\); expected \(S, 5, D\)"),
        (lambda: invert(Linear(), draws(5, *PIXELS), draws(2, 4, D)), r"\(2, 4, 3\); expected \(S, 5, D\)"),
        (lambda: invert(Linear(), draws(5, *PIXELS), draws(2, 5, D), lr=0.0), "lr=0.0: expected"),
        (lambda: Likeness(pixel=0.0), "pixel=0.0, feature=0.0: expected weights >= 0, one above 0"),
        (lambda: Likeness(feature=1.0), "belong together"),
        (lambda: Likeness(features=torch.flatten), "belong together"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    """The message says which value and what was expected."""
    with pytest.raises(ValueError, match=words):
        call()
