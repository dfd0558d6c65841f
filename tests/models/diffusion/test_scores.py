"""Score matching and the models in continuous time, against scores that are known."""

import pytest
import torch
from diffusers import EDMEulerScheduler
from torch import nn
from torch.testing import assert_close

from coursekit.models.diffusion import (
    EDM,
    NCSN,
    VE,
    VP,
    ContinuousDiffusion,
    Data,
    Denoising,
    Epsilon,
    ExactMixture,
    Explicit,
    Flow,
    FlowMatching,
    GridTimes,
    LogitNormalTimes,
    Preconditioned,
    Score,
    ScoreModel,
    ScoreSDE,
    Sliced,
    Straight,
    UniformTimes,
    Velocity,
)
from coursekit.nets import TimeMLP
from tests.models.diffusion.oracles import PATHS, Given, moments, one_gaussian, two_peaks

DATUM = 0.7


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Linear(nn.Module):
    """s(x) = -A x: the score of N(0, A^-1)."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, x, t=None, c=None):
        return -x @ self.matrix.T


def correlated(n: int) -> torch.Tensor:
    return torch.randn(n, 3) @ torch.tensor([[1.0, 0.3, 0.0], [0.0, 0.8, -0.4], [0.0, 0.0, 1.2]])


def test_explicit_score_matching_is_its_formula_for_a_linear_score():
    """tr J = -tr A and |s|^2 / 2 = |A x|^2 / 2."""
    net, x = Linear(torch.randn(3, 3)), torch.randn(6, 3)
    expected = -net.matrix.trace() + 0.5 * (x @ net.matrix.T).square().sum(1)
    assert_close(Explicit()(net, x), expected)


def test_explicit_score_matching_is_least_at_the_data_s_precision():
    """The gradient in A vanishes at the inverse of the sample's covariance: no density was needed."""
    x = correlated(500)
    net = Linear(torch.linalg.inv(x.T @ x / len(x)))
    Explicit()(net, x).mean().backward()
    assert_close(net.matrix.grad, torch.zeros(3, 3))


def test_sliced_score_matching_is_unbiased_for_the_explicit_one():
    net, x = Linear(torch.randn(3, 3)), torch.randn(1, 3)
    many = Sliced(2)(net, x.repeat(20_000, 1)).detach()
    assert (many.mean() - Explicit()(net, x)[0]).abs() < 5 * many.std() / 20_000**0.5
    assert many.std() > 0


def test_explicit_and_sliced_losses_work_through_deep_networks():
    """The trace by autograd is that of the Jacobian matrix."""
    net, x = TimeMLP(3, (8,)), torch.randn(4, 3)
    score = lambda y: net(y, y.new_zeros(len(y)))  # noqa: E731
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: score(row[None])[0]))(x)
    expected = jacobian.diagonal(dim1=1, dim2=2).sum(1) + 0.5 * score(x).square().sum(1)
    assert_close(Explicit()(score, x), expected)


def test_denoising_score_matching_is_zero_for_one_datum_at_the_exact_score():
    """x + sigma eps around a single point has the score -eps / sigma, whatever eps."""
    x = torch.full((50, 3), DATUM)
    score = lambda y: -(y - DATUM) / 0.4**2  # noqa: E731
    assert_close(Denoising(0.4)(score, x), torch.zeros(50))
    assert Denoising(0.4)(lambda y: 1.1 * score(y), x).min() > 0


def test_denoising_and_explicit_score_matching_differ_by_a_constant():
    """Between two models the difference of losses is the same for both, on noised data: Vincent's theorem."""
    sigma, n = 0.5, 200_000
    x = correlated(n)
    nets = Linear(0.5 * torch.eye(3)), Linear(torch.randn(3, 3))
    noisy = x + sigma * torch.randn_like(x)
    explicit = Explicit()(nets[0], noisy) - Explicit()(nets[1], noisy)
    torch.manual_seed(1)
    a = Denoising(sigma)(nets[0], x)
    torch.manual_seed(1)
    denoising = a - Denoising(sigma)(nets[1], x)
    error = 5 * ((explicit.var() + denoising.var()) / n).sqrt()
    assert (explicit.mean() - denoising.mean()).abs() < error


def test_langevin_chains_of_a_score_model_reach_its_density():
    """For s(x) = -A x the chain's stationary covariance is known: that of N(0, A^-1), wider by the step."""
    a, size = 2.0, 0.1
    model = ScoreModel(Linear(a * torch.eye(2)), (2,))
    x = model.sample(20_000, start=torch.full((20_000, 2), 3.0), steps=80, size=size)
    assert_close(x.mean(0), torch.zeros(2), rtol=0, atol=0.03)
    assert_close(x.var(0), torch.full((2,), 1 / (a * (1 - a * size / 4))), rtol=0.04, atol=0)


@pytest.mark.parametrize("prediction", [Epsilon(), Data(), Velocity(), Score(), Flow(), Preconditioned()])
@pytest.mark.parametrize("name", ["vp", "ve", "sub-vp", "cosine"])
def test_every_loss_is_zero_for_one_datum_at_the_exact_denoiser(prediction, name):
    """x_0 is then known from x_t, and with it eps and all other readings."""
    path = PATHS[name].double()
    oracle = ExactMixture(one_gaussian(DATUM, 1e-30, dims=3), path)

    def says(x, t):
        p = oracle.predict(x, t)
        return prediction.target(path, t, p.x0, p.eps)

    for likelihood in (False, True):
        model = ContinuousDiffusion(
            Given(says), (3,), path, prediction, UniformTimes(0.05), likelihood=likelihood
        )
        ((player, loss),) = model.losses(torch.full((40, 3), oracle.means[0, 0].item()))
        assert player == "model"
        assert_close(loss, torch.zeros(()), rtol=0, atol=1e-6)


def test_named_models_are_zero_there_too():
    """NCSN at its levels, flow matching on its straight path, EDM with its scaled input."""

    def exact(path, prediction, scale_back=lambda x, t: x):
        oracle = ExactMixture(one_gaussian(DATUM, 1e-30, dims=3), path)

        def says(x, t):
            p = oracle.predict(scale_back(x, t), t)
            return prediction.target(path, t, p.x0, p.eps)

        return Given(says)

    edm = EDM(nn.Identity(), (3,))
    pre, path = edm.denoiser.prediction, edm.path
    edm.denoiser.net.net = exact(path, pre, lambda x, t: x / pre.coefficients(path, t, x)[2])
    x = torch.full((40, 3), torch.tensor(DATUM, dtype=torch.float32).item())
    models = [NCSN(exact(VE(), Epsilon()), (3,)), FlowMatching(exact(Straight(), Flow()), (3,)), edm]
    models += [ScoreSDE(exact(VP(), Epsilon()), (3,))]
    for model in models:
        ((_, loss),) = model.losses(x)
        assert_close(loss, torch.zeros(()), rtol=0, atol=1e-6)


def test_the_likelihood_weight_is_half_g2_over_sigma2():
    model = ContinuousDiffusion(
        Given(lambda x, t: torch.zeros_like(x)),
        (3,),
        VP(),
        times=UniformTimes(0.3, 0.3 + 1e-9),
        likelihood=True,
    )
    plain = ContinuousDiffusion(model.denoiser.net, (3,), VP(), times=UniformTimes(0.3, 0.3 + 1e-9))
    losses = []
    for m in (model, plain):
        torch.manual_seed(0)
        losses.append(next(m.losses(torch.randn(5, 3)))[1])
    t = torch.tensor(0.3)
    assert_close(losses[0], losses[1] * VP().diffusion(t) / (2 * VP().noise(t) ** 2))


def test_preconditioning_equals_diffusers():
    """Their scheduler's scalings of input and output at a row of sigmas."""
    theirs, pre, path = EDMEulerScheduler(sigma_data=0.5), Preconditioned(0.5), VE(0.002, 80.0)
    t, x, out = torch.linspace(0, 1, 7), torch.randn(7, 3), torch.randn(7, 3)
    sigma = path.noise(t)[:, None]
    assert_close(pre.coefficients(path, t, x)[2] * x, theirs.precondition_inputs(x, sigma))
    assert_close(pre.solve(path, t, x, out)[0], theirs.precondition_outputs(x, out, sigma))


def test_preconditioning_keeps_input_and_target_at_variance_one():
    s, path = 0.7, VE(0.01, 20.0)
    x0, eps = s * torch.randn(5, 40_000), torch.randn(5, 40_000)
    t, pre = torch.linspace(0, 1, 5), Preconditioned(s)
    x_t = path.perturb(x0, t, eps)
    assert_close((pre.coefficients(path, t, x_t)[2] * x_t).var(1), torch.ones(5), rtol=0.03, atol=0)
    assert_close(pre.target(path, t, x0, eps).var(1), torch.ones(5), rtol=0.03, atol=0)


def test_a_later_start_begins_with_that_times_noise():
    """A network that sees no noise leaves x where it begins: at the deviation of the first time."""
    model = ContinuousDiffusion(Given(lambda x, t: torch.zeros_like(x)), (2,), VE(0.1, 10.0))
    for keywords in ({"start": 0.5}, {"times": torch.tensor([0.5, 0.2, 0.0])}):
        x = model.sample(20_000, steps=2, progress=False, **keywords)
        assert_close(x.std(), torch.tensor(1.0), rtol=0.02, atol=0)


def test_edm_samples_have_the_datas_moments():
    """Its own sampler, with a last step to x_0, with the exact denoiser."""
    mixture, model = two_peaks(), EDM(nn.Identity(), (2,))
    oracle, pre, path = ExactMixture(mixture, model.path), model.denoiser.prediction, model.path

    def says(x, t):
        p = oracle.predict(x / pre.coefficients(path, t, x)[2], t)
        return pre.target(path, t, p.x0, p.eps)

    model.denoiser.net.net = Given(says)
    x = model.sample(8_000, steps=40)
    mean, covariance = moments(mixture)
    assert_close(x.mean(0), mean, rtol=0, atol=0.06)
    assert_close(x.T.cov(), covariance, rtol=0, atol=0.08)


def test_rectified_pairs_are_the_ends_of_the_models_own_paths():
    """Integrated from the noise they give the datum; trained on them a straight flow has no loss left."""
    oracle = ExactMixture(one_gaussian(0.4, 0.3), Straight())
    model = FlowMatching(Given(lambda x, t: oracle.predict(x, t).flow), (2,))
    x0, noise = model.pairs(16, steps=40)
    assert_close(model.sampler(model.denoiser, noise, steps=40), x0)
    assert_close(x0.T.cov().diagonal().mean().item(), 0.3, rtol=0, atol=0.3)
    gain, shift = 0.3**0.5, torch.tensor(0.4, dtype=torch.float32).item()

    def straight(x, t):  # x_t = (1 - t) (shift + gain e) + t e, so that e follows from x_t alone
        t = t[:, None]
        e = (x - (1 - t) * shift) / ((1 - t) * gain + t)
        return e - (shift + gain * e)

    e = torch.randn(50, 2)
    ((_, loss),) = FlowMatching(Given(straight), (2,)).losses((shift + gain * e, e))
    assert_close(loss, torch.zeros(()))


def test_times_are_drawn_as_they_say():
    like = torch.zeros(1)
    uniform = UniformTimes(0.2, 0.6)(1_000, like)
    assert_close(uniform.sort().values.diff(), torch.full((999,), 0.4 / 1_000))
    assert uniform.min() >= 0.2
    assert uniform.max() <= 0.6
    normal = LogitNormalTimes(0.5, 2.0)(20_000, like).logit()
    assert_close(normal.mean(), torch.tensor(0.5), rtol=0, atol=0.07)
    assert_close(normal.std(), torch.tensor(2.0), rtol=0.03, atol=0)
    assert GridTimes(3)(100, like).unique().tolist() == [0, 0.5, 1]


def test_wrong_arguments_are_named():
    net = TimeMLP(3, (8,))
    for wrong, message in (
        (lambda: NCSN(net, (3,), levels=1), "levels is 1"),
        (lambda: Denoising(0.0), r"sigma is 0\.0"),
        (lambda: Sliced(0), "projections is 0"),
        (lambda: Preconditioned(-1.0), r"sigma_data is -1\.0"),
        (lambda: UniformTimes(0.5, 0.5), r"first is 0\.5"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()
