"""GANs: the two-player step against a loop by hand, and the optimal critic on known densities."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from coursekit import train
from coursekit.models.gan import GAN
from coursekit.nets import MLP


def gan(c_dim: int = 0, **keywords) -> GAN:
    """A small GAN in the plane."""
    return GAN(MLP(2, 2, (16,), c_dim), MLP(2, 1, (16,), c_dim), latent_dim=2, **keywords)


class Recorder:
    """Fresh points, and the state of the noise at every step."""

    def __init__(self):
        self.points = torch.randn(8, 16, 2, generator=torch.Generator().manual_seed(0))

    def batch(self, step: int, size: int, seed: int = 0):
        """Batch number `step`."""
        return self.points[step], None


class Unconditional(nn.Sequential):
    """A net that takes a condition and leaves it."""

    def forward(self, x, c=None):
        return super().forward(x)


def test_training_equals_a_loop_by_hand_bitwise():
    """Two optimizers, and a generator whose gradient comes through the critic that has already stepped."""
    torch.manual_seed(0)
    model = gan(critic_steps=2)
    other = copy.deepcopy(model)
    noise = []

    def recording(n, truncation=None):
        noise.append(torch.randn(n, 2))
        return noise[-1]

    model.latent = recording
    data = Recorder()
    train.fit(model, data, 8, batch_size=16, lr={"critic": 2e-3, "generator": 1e-3}, progress=False)

    critic_adam = torch.optim.Adam(other.critic.parameters(), lr=2e-3, fused=True)
    generator_adam = torch.optim.Adam(other.generator.parameters(), lr=1e-3, fused=True)
    drawn = iter(noise)
    for x in data.points:
        for real in x.chunk(2):
            fake = other.generator(next(drawn))
            real_loss = F.softplus(-other.critic(real)).mean()
            critic_adam.zero_grad()
            (real_loss + F.softplus(other.critic(fake.detach())).mean()).backward()
            critic_adam.step()
        generator_adam.zero_grad()
        F.softplus(-other.critic(fake)).mean().backward()
        generator_adam.step()
    for ours, by_hand in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, by_hand)


@pytest.mark.parametrize(
    ("p", "q"),
    [(Normal(0.0, 1.0), Normal(1.0, 1.0)), (Normal(0.0, 1.0), Normal(0.0, 0.5))],
    ids=["shifted", "narrower"],
)
def test_a_trained_critic_approaches_p_over_p_plus_q(p, q):
    """The largest error of D, over where 99% of both lie, is 0.02 to 0.03 in all of four seeds."""
    torch.manual_seed(0)
    generator = nn.Linear(1, 1)  # q, from z; its learning rate is zero
    nn.init.constant_(generator.weight, q.scale)
    nn.init.constant_(generator.bias, q.loc)
    model = GAN(Unconditional(generator), MLP(1, 1, (32, 32), activation=nn.Tanh), latent_dim=1)
    data = p.icdf((torch.arange(4096) + 0.5) / 4096)[:, None]
    settings = {"lr": {"critic": 1e-2, "generator": 0.0}, "schedule": train.Cosine(), "progress": False}
    train.fit(model, data, 400, batch_size=512, **settings)
    ends = torch.tensor([0.005, 0.995])
    low, high = min(p.icdf(ends[0]), q.icdf(ends[0])), max(p.icdf(ends[1]), q.icdf(ends[1]))
    x = torch.linspace(low.item(), high.item(), 101)
    found, optimal = model.scores(x[:, None]).sigmoid(), (p.log_prob(x) - q.log_prob(x)).sigmoid()
    assert (found - optimal).abs().max() < 0.04


def test_truncated_latents_follow_the_truncated_normal():
    """Kolmogorov's distance of 20,000 components to the exact distribution, below its 99.9% point."""
    torch.manual_seed(0)
    z = gan().latent(10_000, truncation=0.7).flatten().sort().values
    assert z.abs().max() <= 0.7
    low, high = Normal(0.0, 1.0).cdf(torch.tensor([-0.7, 0.7]))
    exact = (Normal(0.0, 1.0).cdf(z) - low) / (high - low)
    assert (exact - torch.linspace(0, 1, len(z))).abs().max() < 1.95 / len(z) ** 0.5


def test_a_conditional_gan_learns_the_mean_of_each_class():
    """Three classes of points around (3, 0), (0, 3) and (-3, 0): the label alone says where."""
    torch.manual_seed(0)
    means = torch.tensor([[3.0, 0.0], [0.0, 3.0], [-3.0, 0.0]])
    c = torch.arange(3).repeat(400)
    data = means[c] + 0.3 * torch.randn(1200, 2), c
    model = gan(c_dim=3)
    train.fit(model, data, 600, batch_size=128, lr=3e-3, progress=False)
    found = torch.stack([model.sample(200, torch.full((200,), k)).mean(0) for k in range(3)])
    assert (found - means).norm(dim=1).max() < 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"critic_steps": 0}, "critic_steps is 0"),
        ({"clip": 0.0}, "clip is 0.0"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        gan(**keywords)


def test_bad_input_is_named():
    model = gan(critic_steps=3)
    with pytest.raises(ValueError, match=r"a batch of 4 can't be cut into critic_steps=3 equal parts"):
        next(model.losses(torch.zeros(4, 2)))
    with pytest.raises(ValueError, match=r"truncation is -1"):
        model.sample(2, truncation=-1)
    with pytest.raises(ValueError, match=r"the critic gave \(4, 2\); expected one score a row, \(4,\)"):
        GAN(MLP(2, 2), MLP(2, 2), 2).scores(torch.zeros(4, 2))
