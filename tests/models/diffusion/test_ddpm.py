"""DDPM: its terms by torch's own divergences, its bound below the truth, its losses by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from coursekit.models.diffusion import (
    DDPM,
    Ancestral,
    Bound,
    Cosine,
    Data,
    ExactMixture,
    FixedLarge,
    FixedSmall,
    Hybrid,
    LearnedRange,
    Linear,
    SequenceDenoiser,
    Simple,
    Velocity,
)
from coursekit.models.diffusion.decoder import log_decoder
from coursekit.nets import TimeMLP
from tests.models.diffusion.oracles import Given, one_gaussian, two_peaks


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def schedule() -> Linear:
    return Linear(20, 0.01, 0.4)


def blind(variance=None, **keywords) -> DDPM:
    """A network that always sees 0.3, so that nothing is random in its terms."""
    net = Given(lambda x, t: torch.full_like(x, 0.3))
    return DDPM(net, (3,), schedule(), Data(), variance, **keywords)


def exact(steps: int, mixture=None, variance=None) -> DDPM:
    """DDPM with the best network there is; beta_i = beta(i / T) / T with the same beta(t) for all T."""
    path = Linear(steps, 0.1 / steps, 9 / steps)
    oracle = ExactMixture(mixture or two_peaks(), path)
    return DDPM(Given(lambda x, t: oracle.predict(x, t).eps), (2,), path, variance=variance)


@pytest.mark.parametrize("variance", [FixedSmall(), FixedLarge()])
def test_terms_are_divergences_between_normals(variance):
    """Each term by torch's kl_divergence, from the schedule's own betas."""
    model, x = blind(variance), torch.randn(4, 3)
    beta, bar = model.path.betas, model.path.alpha_bars
    small = (1 - bar[:-1]) / (1 - bar[1:]) * beta[1:]
    of_x0 = bar[:-1].sqrt() * beta[1:] / (1 - bar[1:])
    used = small if isinstance(variance, FixedSmall) else beta[1:]
    expected = [-Normal(0.3, small[0].sqrt()).log_prob(x).sum(1)]
    for w, q, p in zip(of_x0, small.sqrt(), used.sqrt(), strict=True):
        expected.append(kl_divergence(Normal(w * x, q), Normal(w * 0.3, p)).sum(1))
    last = Normal(bar[-1].sqrt() * x, (1 - bar[-1]).sqrt())
    expected.append(kl_divergence(last, Normal(0.0, 1.0)).sum(1))
    assert_close(model.terms(x), torch.stack(expected, 1))
    assert_close(model.elbo(x, draws=None), -sum(expected))


def test_a_few_random_steps_estimate_the_whole_sum():
    """One step in each of T parts is the sum itself; a single one has its mean."""
    model, x = blind(), torch.randn(2, 3)
    whole = model.elbo(x, draws=None)
    assert_close(model.elbo(x, draws=20), whole)
    for draws in (1, 4):
        many = model.elbo(x.repeat(8_000, 1), draws=draws).detach().unflatten(0, (8_000, 2))
        assert ((many.mean(0) - whole).abs() < 5 * many.std(0) / 8_000**0.5).all()
        assert (many.std(0) > 0).all()


def test_the_bound_is_below_the_likelihood_and_approaches_it():
    """With the best network and the variance beta the gap is that of finite steps, and falls as T grows.

    beta-tilde is too small for data that are no single point: its gap stays.
    """
    mixture = two_peaks()
    x = mixture.sample(2_000).double()
    gaps = {"large": [], "small": []}
    for steps in (10, 40, 160):
        small = exact(steps, mixture)
        oracle = small.denoiser.net.function
        upper = Given(lambda x, t, oracle=oracle: torch.cat([oracle(x, t), torch.ones_like(x)], 1))
        large = DDPM(upper, (2,), small.path, variance=LearnedRange())
        for name, model in (("large", large), ("small", small)):
            gaps[name].append((mixture.log_prob(x) - model.elbo(x, draws=None)).mean().item())
    assert gaps["large"][0] > 2 * gaps["large"][1] > 4 * gaps["large"][2] > 0
    assert gaps["small"][2] > 0.5


def test_ancestral_samples_have_the_chains_own_variance():
    """For N(0, v) each step is linear, so the variance of the samples, 1 at first, is known."""
    v, model = 0.3, exact(10, one_gaussian(variance=0.3))
    path = model.path
    bar = torch.cat([torch.ones(1), path.alpha_bars])
    variance = torch.ones(())
    for i in range(10, 0, -1):
        beta, x0_of_x = path.betas[i - 1], bar[i].sqrt() * v / (bar[i] * v + 1 - bar[i])
        gain = (1 - beta).sqrt() * (1 - bar[i - 1]) / (1 - bar[i])
        gain = gain + bar[i - 1].sqrt() * beta / (1 - bar[i]) * x0_of_x
        variance = gain**2 * variance + (1 - bar[i - 1]) / (1 - bar[i]) * beta
    x = Ancestral()(model.denoiser, path.prior_sample(40_000, (2,), torch.zeros(1)), steps=10)
    assert_close(x.var(0), variance.expand(2), rtol=0.03, atol=0)


def test_levels_share_the_mass_of_one():
    """Summed over all grey levels, tails included, the decoder is a distribution, wherever its mean lies."""
    x = torch.linspace(-1, 1, 17)[:, None]
    mean, log_variance = torch.tensor([[-1.3, -0.2, 0.06, 5.0]]), torch.tensor([[-6.0, -1.0, 2.0, -4.0]])
    log_p = log_decoder(x, mean.expand(17, 4), log_variance.expand(17, 4), 17)
    assert log_p.isfinite().all()
    assert_close(log_p.logsumexp(0), torch.zeros(4))


def test_a_level_has_the_mass_of_its_bin():
    x, mean, deviation = torch.tensor([0.25]), torch.tensor([0.1]), torch.tensor([0.2])
    normal = Normal(mean, deviation)
    mass = normal.cdf(x + 1 / 8) - normal.cdf(x - 1 / 8)
    assert_close(log_decoder(x, mean, 2 * deviation.log(), 9), mass.log())
    far = log_decoder(torch.tensor([-1.0]), torch.tensor([1.0]), torch.tensor([-9.0]), 9)
    tail = -0.5 * (15 / 8 * torch.tensor(4.5).exp()) ** 2  # no floor that would lift it
    assert_close(far[0], tail, rtol=1e-3, atol=0)
    with pytest.raises(ValueError, match="levels is 1"):
        log_decoder(x, mean, mean, 1)


def test_levels_enter_the_bound():
    """A density's mass in a narrow bin is its height times the width."""
    x = torch.tensor([[-0.2, 0.0, 0.4]])
    density, mass = blind().terms(x)[:, 0], blind(levels=1001).terms(x)[:, 0]
    assert_close(mass, density - 3 * torch.log(torch.tensor(2 / 1000)), rtol=1e-3, atol=0)


def test_losses_are_those_of_the_paper_written_out():
    """L_simple, and the bound in nats a dimension, at given steps and noise."""
    x, eps, i = torch.randn(5, 3), torch.randn(5, 3), torch.tensor([1, 2, 7, 15, 20])
    net = TimeMLP(3, (8,))
    bar = schedule().alpha_bars[i - 1][:, None]
    x_t = bar.sqrt() * x + (1 - bar).sqrt() * eps
    out = net(x_t, i / 20)
    model = DDPM(net, (3,), schedule())
    assert_close(Simple()(model, x, i, eps, None), (out - eps).square().mean())
    term = model.term(x, x_t, i, model.denoiser.predict(x_t, i / 20))
    assert_close(Bound()(model, x, i, eps, None), 20 * term.mean() / 3)
    model = DDPM(net, (3,), schedule(), Velocity())
    velocity = bar.sqrt() * eps - (1 - bar).sqrt() * x
    assert_close(Simple()(model, x, i, eps, None), F.mse_loss(out, velocity))


def test_the_hybrid_loss_trains_the_mean_by_l_simple_alone():
    net = TimeMLP(3, (8,), out_features=6)
    x, eps, i = torch.randn(5, 3), torch.randn(5, 3), torch.tensor([1, 2, 7, 15, 20])
    model = DDPM(net, (3,), schedule(), variance=LearnedRange())
    rows = []
    for weight in (0.0, 1.0):
        grad = torch.autograd.grad(Hybrid(weight)(model, x, i, eps, None), net.net.layers[-1].bias)[0]
        rows.append(grad)
    assert_close(rows[0][:3], rows[1][:3])
    assert_close(rows[0][3:], torch.zeros(3))
    assert rows[1][3:].abs().min() > 0


def test_a_learnt_variance_needs_a_loss_that_sees_it():
    with pytest.raises(ValueError, match="can't train a learnt variance"):
        DDPM(TimeMLP(3, out_features=6), (3,), variance=LearnedRange(), weighting=Simple())
    assert isinstance(DDPM(TimeMLP(3, out_features=6), (3,), variance=LearnedRange()).weighting, Hybrid)


def test_fewer_sampling_steps_leave_loss_and_bound():
    """`steps` is what `sample` takes unasked; T is the schedule's."""
    few, x = blind(), torch.randn(2, 3)
    few.steps = 5
    assert_close(few.elbo(x, draws=None), blind().elbo(x, draws=None))
    assert few.terms(x).shape == (2, 21)


def test_clipping_reaches_samples_and_bounds_but_not_training():
    wild = Given(lambda x, t: torch.full_like(x, 7.0))
    clipped, free = (DDPM(wild, (3,), schedule(), Data(), clip=clip) for clip in (1.0, None))
    assert_close(clipped.sample(2), torch.ones(2, 3))
    assert_close(free.sample(2), torch.full((2, 3), 7.0))
    x = torch.rand(2, 3)
    assert (clipped.elbo(x, draws=None) > free.elbo(x, draws=None)).all()
    losses = []
    for model in (clipped, free):
        torch.manual_seed(0)
        losses.append(next(model.losses(x))[1])
    assert_close(*losses)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="draws is 21"):
        blind().elbo(torch.zeros(1, 3), draws=21)
    with pytest.raises(ValueError, match=r"drop is 1\.0"):
        blind(drop=1.0)
    with pytest.raises(ValueError, match=r"clip is -1\.0"):
        blind(clip=-1.0)


def test_stored_sequences_have_the_closed_forms_moments():
    """Twenty steps in a row lead where x_t = sqrt(alpha-bar) x_0 + sqrt(1 - alpha-bar) eps does."""
    model = SequenceDenoiser(TimeMLP(1, (8,)), (1,), schedule())
    sequence = model.sequences(torch.full((20_000, 1), 1.7))
    bar = torch.cat([torch.ones(1), model.path.alpha_bars])
    assert sequence.shape == (21, 20_000, 1)
    assert_close(sequence.mean(1)[:, 0], 1.7 * bar.sqrt(), rtol=0, atol=0.035)
    assert_close(sequence.var(1)[:, 0], 1 - bar, rtol=0.05, atol=1e-9)


def test_the_naive_loss_is_least_at_ddpms_answer():
    """For one datum the best step back is the posterior's mean, and the loss is then the mean beta-tilde.

    With it the sampler returns the datum."""
    path, datum = Cosine(20), 1.7
    oracle = ExactMixture(one_gaussian(datum, 1e-12, dims=1), path)

    def step_back(x, t):
        i = (t * 20).round().long()
        bar = torch.cat([torch.ones(1), path.alpha_bars])
        beta, now, before = path.betas[i - 1][:, None], bar[i][:, None], bar[i - 1][:, None]
        x0 = oracle.predict(x, t).x0
        mean = before.sqrt() * beta / (1 - now) * x0 + (1 - beta).sqrt() * (1 - before) / (1 - now) * x
        return mean - x

    model = SequenceDenoiser(Given(step_back), (1,), path)
    ((_, best),) = model.losses(torch.full((5_000, 1), datum))
    bar = torch.cat([torch.ones(1), path.alpha_bars])
    assert best.item() == pytest.approx(((1 - bar[:-1]) / (1 - bar[1:]) * path.betas).mean().item(), rel=0.03)
    worse = SequenceDenoiser(Given(lambda x, t: step_back(x, t) + 0.1), (1,), path)
    ((_, loss),) = worse.losses(torch.full((5_000, 1), datum))
    assert loss > best
    assert_close(model.sample(3), torch.full((3, 1), datum), rtol=0, atol=1e-3)
