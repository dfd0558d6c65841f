"""PCA, the linear-Gaussian model, and the VAE on it, where each quantity is known exactly."""

import pytest
import torch
from sklearn.decomposition import PCA as SklearnPCA
from torch import nn
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from coursekit.models.vae import IWAE, PCA, VAE, Autoencoder, GaussianDecoder, LinearGaussian

D, K, VARIANCE = 5, 2, 0.3


@pytest.fixture(autouse=True)
def float64():
    """Oracles are compared to the last digits of float64."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


class ExactEncoder(nn.Module):
    """Mean and log-variance of the exact posterior, diagonal where the columns of W are orthogonal."""

    def __init__(self, model: LinearGaussian, variance_factor: float = 1.0):
        super().__init__()
        self.model, self.variance_factor = model, variance_factor

    def forward(self, x, c=None):
        q = self.model.encode(x)
        log_var = (q.variance * self.variance_factor).log()
        return torch.cat([q.mean, log_var], 1)


class LinearDecoder(nn.Module):
    def __init__(self, model: LinearGaussian):
        super().__init__()
        self.model = model

    def forward(self, z, c=None):
        return z @ self.model.weight.T + self.model.mean


@pytest.fixture
def exact() -> LinearGaussian:
    orthogonal = torch.linalg.qr(torch.randn(D, K)).Q
    return LinearGaussian(orthogonal * torch.tensor([2.0, 0.7]), torch.randn(D), VARIANCE)


def vae_on(exact: LinearGaussian, cls=VAE, variance_factor: float = 1.0, **keywords):
    decoder = GaussianDecoder(LinearDecoder(exact), (D,), VARIANCE)
    return cls(ExactEncoder(exact, variance_factor), decoder, latent_dim=K, **keywords).double()


def test_pca_equals_sklearns():
    x = torch.randn(40, D) @ torch.randn(D, D)
    ours, theirs = PCA(3).fit(x), SklearnPCA(3).fit(x.numpy())
    assert_close(ours.explained_variance, torch.from_numpy(theirs.explained_variance_))
    assert_close(ours.explained_variance_ratio, torch.from_numpy(theirs.explained_variance_ratio_))
    round_trip = torch.from_numpy(theirs.inverse_transform(theirs.transform(x.numpy())))
    assert_close(ours.decode(ours.encode(x)), round_trip)
    assert_close(ours.components.abs(), torch.from_numpy(theirs.components_).abs())


def test_pca_keeps_the_shape_of_images_and_is_exact_with_all_components():
    x = torch.randn(20, 1, 2, 3)
    assert_close(PCA(6).fit(x).decode(PCA(6).fit(x).encode(x)), x)


def test_pca_names_what_is_wrong():
    with pytest.raises(ValueError, match="n_components is 0"):
        PCA(0)
    with pytest.raises(ValueError, match="6 components need"):
        PCA(6).fit(torch.randn(5, 9))
    with pytest.raises(ValueError, match="call fit"):
        PCA(2).encode(torch.randn(3, 4))
    with pytest.raises(ValueError, match=r"shape \(3, 5\)"):
        PCA(2).fit(torch.randn(9, 4)).encode(torch.randn(3, 5))


def test_log_prob_is_the_marginal_of_the_joint(exact):
    """The marginal covariance written out in full is another road to log p(x)."""
    x = exact.sample(7)
    covariance = exact.weight @ exact.weight.T + VARIANCE * torch.eye(D)
    assert_close(exact.log_prob(x), MultivariateNormal(exact.mean, covariance).log_prob(x))


def test_the_posterior_is_bayes_rule(exact):
    """log p(x) = log p(x | z) + log p(z) - log p(z | x) for any z at all."""
    x, z = exact.sample(7), torch.randn(7, K)
    bayes = exact.decode(z).log_prob(x) + exact.prior.log_prob(z) - exact.encode(x).log_prob(z)
    assert_close(bayes, exact.log_prob(x))


def test_elbo_is_log_p_minus_kl_for_any_gaussian(exact):
    x = exact.sample(7)
    root = torch.randn(7, K, K)
    q = MultivariateNormal(torch.randn(7, K), root @ root.mT + 0.1 * torch.eye(K))
    kl = torch.distributions.kl_divergence(q, exact.encode(x))
    assert_close(exact.elbo(x, q=q), exact.log_prob(x) - kl)
    assert (kl > 0).all()


def test_fit_is_the_maximum_of_the_likelihood():
    """At the closed-form optimum the gradient of the likelihood in every parameter is zero."""
    x = torch.randn(200, D) @ torch.randn(D, D) + torch.randn(D)
    model = LinearGaussian.fit(x, K)
    model.log_prob(x).mean().backward()
    for name, p in model.named_parameters():
        assert_close(p.grad, torch.zeros_like(p), msg=lambda m, name=name: f"{name}: {m}")


def test_fit_spans_the_principal_directions():
    x = torch.randn(200, D) @ torch.randn(D, D)
    q = torch.linalg.qr(LinearGaussian.fit(x, K).weight).Q
    cosines = torch.linalg.svdvals(PCA(K).fit(x).components @ q)
    assert_close(cosines, torch.ones(K))


def test_linear_gaussian_names_what_is_wrong():
    with pytest.raises(ValueError, match="variance is -1"):
        LinearGaussian(torch.zeros(3, 2), torch.zeros(3), -1.0)
    with pytest.raises(ValueError, match="weight"):
        LinearGaussian(torch.zeros(3, 2), torch.zeros(2), 1.0)
    with pytest.raises(ValueError, match="n_components is 4"):
        LinearGaussian.fit(torch.randn(9, 4), 4)


def test_importance_weights_are_exact_at_the_exact_posterior(exact):
    """With q equal to the posterior every weight is p(x), so three samples are as good as infinity."""
    x = exact.sample(7)
    assert_close(vae_on(exact).log_prob(x, k=3), exact.log_prob(x).detach())


def many_elbos(model: VAE, x: torch.Tensor, n: int = 20_000) -> torch.Tensor:
    """n independent estimates of the bound for each x, (n, B)."""
    return model.elbo(x.repeat(n, 1)).unflatten(0, (n, len(x))).detach()


def test_a_careless_encoder_pays_the_kl(exact):
    """E[ELBO] = log p - KL(q || posterior), within five standard errors of the estimate."""
    x = exact.sample(3)
    model = vae_on(exact, variance_factor=4.0)
    kl = 0.5 * K * (4.0 - 1.0 - torch.tensor(4.0).log())  # the same mean, four times the variance
    draws = many_elbos(model, x)
    error = (draws.mean(0) - (exact.log_prob(x) - kl)).abs()
    assert (error < 5 * draws.std(0) / len(draws) ** 0.5).all()
    assert_close(model.encode(x).variance, 4 * exact.encode(x).variance)


def test_the_sampled_kl_has_the_closed_forms_mean(exact):
    x = exact.sample(3)
    a = many_elbos(vae_on(exact, variance_factor=2.0), x)
    b = many_elbos(vae_on(exact, variance_factor=2.0, analytic_kl=False), x)
    assert ((a.mean(0) - b.mean(0)).abs() < 5 * ((a.var(0) + b.var(0)) / len(a)).sqrt()).all()


def test_bounds_rise_with_k_towards_the_likelihood(exact):
    """The means of L_1, L_5 and L_50 stand in order below log p(x)."""
    x = exact.sample(64)
    means = [many_elbos(vae_on(exact, IWAE, 4.0, k=k), x, 100).mean() for k in (1, 5, 50)]
    assert means[0] < means[1] < means[2] < exact.log_prob(x).mean()


def test_log_prob_does_not_depend_on_the_chunks(exact, monkeypatch):
    """Weights at the exact posterior are all equal, so any split of k must give the same number."""
    x, model = exact.sample(7), vae_on(exact)
    monkeypatch.setattr("coursekit.models.vae.vae.ROWS", 16)
    assert_close(model.log_prob(x, k=11), exact.log_prob(x).detach())


def test_learnt_variance_finds_the_noise(exact):
    """The gradient in the variance vanishes at the mean squared error: the maximum likelihood estimate."""
    x = exact.sample(500)
    z = exact.encode(x).mean.detach()
    error = (x - LinearDecoder(exact)(z)).square().mean().item()
    decoder = GaussianDecoder(LinearDecoder(exact), (D,), error, learn_variance=True).double()
    decoder(z).log_prob(x).mean().backward()
    assert_close(decoder.log_variance.grad, torch.zeros(()))


def test_beta_weighs_the_training_loss_and_leaves_the_bound(exact):
    x = exact.sample(7)
    kl = vae_on(exact).encode(x)
    values = {}
    for beta in (1.0, 4.0):
        model = vae_on(exact, beta=beta)
        torch.manual_seed(1)
        ((player, loss),) = model.losses(x)
        torch.manual_seed(1)
        values[beta] = (loss.item(), model.elbo(x).mean().item())
        assert player == "model"
    assert values[1.0][1] == values[4.0][1]
    extra = 3 * torch.distributions.kl_divergence(kl, model.prior).mean().item()
    assert values[4.0][0] - values[1.0][0] == pytest.approx(extra)


def test_a_linear_autoencoder_cannot_beat_pca():
    """Its squared error is at least PCA's, and PCA's weights put into it reach that error."""
    x = torch.randn(100, D) @ torch.randn(D, D)
    x = x - x.mean(0)
    pca = PCA(K).fit(x)
    encoder, decoder = nn.Linear(D, K, bias=False), nn.Linear(K, D, bias=False)

    class Plain(nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x, c=None):
            return self.layer(x)

    model = Autoencoder(Plain(encoder), Plain(decoder))
    ((_, random_loss),) = model.losses(x)
    with torch.no_grad():
        encoder.weight.copy_(pca.components)
        decoder.weight.copy_(pca.components.T)
    ((_, pca_loss),) = model.losses(x)
    assert_close(pca_loss, (x - pca.decode(pca.encode(x))).square().sum(1).mean())
    assert random_loss > pca_loss
    pca_loss.backward()
    assert_close(encoder.weight.grad, torch.zeros(K, D))  # a stationary point


def test_a_bernoulli_decoder_refuses_grey_values():
    from coursekit.models.vae import BernoulliDecoder
    from coursekit.nets import MLP

    p = BernoulliDecoder(MLP(2, 4), (1, 2, 2))(torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"x holds 0\.5; a Bernoulli decoder needs 0 or 1"):
        p.log_prob(torch.full((3, 1, 2, 2), 0.5))


@pytest.mark.parametrize("k", [0, -3])
def test_k_below_one_is_named(exact, k):
    with pytest.raises(ValueError, match=f"k is {k}"):
        vae_on(exact).log_prob(exact.sample(2), k=k)
    with pytest.raises(ValueError, match=f"k is {k}"):
        vae_on(exact, IWAE, k=k)
