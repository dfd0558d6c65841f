"""Guidance against Bayes' rule, which a mixture knows exactly."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import (
    VE,
    VP,
    ClassifierFree,
    ClassifierGuided,
    Denoiser,
    ExactMixture,
    FlowMatching,
    Heun,
    even_log_snr,
    guidance_target,
)
from coursekit.nets import TimeMLP
from tests.models.diffusion.oracles import two_peaks

X = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
T, LABELS = torch.linspace(0.1, 0.9, 6), torch.tensor([0, 1, 1, 0, 1, 0])


def components() -> list[ExactMixture]:
    """The exact denoiser of each peak alone."""
    both = two_peaks()
    return [
        ExactMixture(GaussianMixture(both.means[k : k + 1], both.variance[k : k + 1]), VP()) for k in (0, 1)
    ]


class Posterior(nn.Module):
    """log p(k | x_t) of the peaks, up to a constant, by Bayes' rule from the peaks' own densities."""

    def forward(self, x, t):
        log_p = torch.stack([peak.log_prob(x, t) for peak in components()], 1)
        return log_p + two_peaks().weights.log()


class ConditionalPeaks(nn.Module):
    """eps given a label, and without one where the row is zero."""

    c_dim = 2

    def forward(self, x, t, c):
        alone = torch.stack([peak.predict(x, t).eps for peak in components()], 1)
        both = ExactMixture(two_peaks(), VP()).predict(x, t).eps
        return torch.where(c.any(1, keepdim=True), (c[..., None] * alone).sum(1), both)


def test_an_exact_classifier_turns_the_marginal_into_the_conditional():
    """score(x) + grad log p(k | x) = score(x | k): weight 1 is the peak's own denoiser."""
    guided = ClassifierGuided(ExactMixture(two_peaks(), VP()), Posterior(), 1.0).predict(X, T, LABELS)
    alone = torch.stack([peak.predict(X, T).x0 for peak in components()], 1)
    assert_close(guided.x0, alone[torch.arange(6), LABELS], rtol=1e-4, atol=1e-4)


def test_classifier_guidance_of_weight_zero_is_none():
    exact = ExactMixture(two_peaks(), VP())
    assert torch.equal(
        ClassifierGuided(exact, Posterior(), 0.0).predict(X, T, LABELS).eps, exact.predict(X, T).eps
    )


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
def test_classifier_free_guidance_is_its_formula(weight):
    """0 is the unconditional denoiser, 1 the conditional one, the rest lie on the line through both, for each
    reading; labels and one-hot rows are the same."""
    denoiser = Denoiser(ConditionalPeaks(), VP())
    one_hot = nn.functional.one_hot(LABELS, 2).float()
    with_c, without = denoiser.predict(X, T, one_hot), denoiser.predict(X, T, torch.zeros(6, 2))
    for c in (LABELS, one_hot) if weight != 1 else (one_hot,):
        guided = ClassifierFree(denoiser, weight).predict(X, T, c)
        for name in ("x0", "eps", "score", "v", "flow"):
            a, b = getattr(without, name), getattr(with_c, name)
            assert_close(getattr(guided, name), a + weight * (b - a), rtol=1e-4, atol=1e-4)
        assert guided.x_t.shape == X.shape


def test_both_ways_of_guiding_are_one():
    """With exact parts a classifier's gradient is the difference of the two scores."""
    free = ClassifierFree(Denoiser(ConditionalPeaks(), VP()), 2.5).predict(X, T, LABELS)
    classified = ClassifierGuided(ExactMixture(two_peaks(), VP()), Posterior(), 2.5).predict(X, T, LABELS)
    assert_close(free.eps, classified.eps, rtol=1e-3, atol=1e-3)


def test_guidance_needs_a_condition():
    with pytest.raises(ValueError, match="c is None"):
        ClassifierFree(Denoiser(ConditionalPeaks(), VP()), 2.0).predict(X, T)
    with pytest.raises(ValueError, match="c is None"):
        ClassifierGuided(ExactMixture(two_peaks(), VP()), Posterior(), 2.0).predict(X, T)


def test_training_drops_the_condition_of_a_share_of_the_rows():
    """Rows of zeros among one-hot rows, as often as asked; none where drop is 0."""
    model = FlowMatching(TimeMLP(2, (8,), c_dim=2), (2,), drop=0.25)
    c = torch.zeros(4_000, dtype=torch.long)
    share = 1 - model.dropped(c).sum(1).mean().item()
    assert share == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / 4_000) ** 0.5)
    assert FlowMatching(TimeMLP(2, (8,), c_dim=2), (2,)).dropped(c) is c
    assert model.dropped(None) is None


def test_a_model_samples_with_the_weight_it_is_given():
    model = FlowMatching(TimeMLP(2, (8,), c_dim=2), (2,), drop=0.1)
    out = []
    for weight in (0.0, 1.0, 4.0):
        torch.manual_seed(5)
        out.append(model.sample(6, LABELS, steps=3, weight=weight))
    torch.manual_seed(5)
    assert_close(model.sample(6, torch.zeros(6, 2), steps=3), out[0])
    assert not torch.allclose(out[1], out[2])


THREE = GaussianMixture([[-2.0], [0.5], [2.0]], [0.3, 0.2, 0.5], [1.0, 2.0, 1.0])
CLASSES = torch.tensor([0, 1, 0])
GRID = torch.linspace(-9, 9, 721)[:, None]


@pytest.mark.parametrize("classes", [[0, 2, 0], [0, 1]])
def test_a_mixture_needs_a_component_of_each_class_and_a_class_of_each_component(classes):
    """Of a class without any, what follows would be NaN."""
    with pytest.raises(
        ValueError, match="for 3 components; expected one for each, and every class from 0 to"
    ):
        ExactMixture(THREE, VP(), classes=torch.tensor(classes))


def test_a_mixture_of_classes_is_the_mixture_of_one():
    """Given its label: the components of that class alone; given zeros or nothing: all of them."""
    exact = ExactMixture(THREE, VP(), classes=CLASSES)
    alone = ExactMixture(GaussianMixture(THREE.means[::2], THREE.variance[::2]), VP())
    x, t, labels = X[:, :1], T, torch.zeros(6, dtype=torch.long)
    assert_close(exact.predict(x, t, labels).x0, alone.predict(x, t).x0)
    assert_close(exact.log_prob(x, t, labels), alone.log_prob(x, t))
    everything = ExactMixture(THREE, VP()).predict(x, t)
    for c in (None, torch.zeros(6, 2)):
        assert_close(exact.predict(x, t, c).eps, everything.eps)
    with pytest.raises(ValueError, match="built with c_dim=0"):
        ExactMixture(THREE, VP()).predict(x, t, labels)


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
def test_the_target_is_the_product_of_powers(weight):
    """Ratios of its weights at any points; at 0 and 1 it is the whole mixture and the class, by its mean."""
    target = guidance_target(THREE, CLASSES, 0, weight, GRID)
    alone = GaussianMixture(THREE.means[::2], THREE.variance[::2])
    log_q = weight * alone.log_prob(GRID) + (1 - weight) * THREE.log_prob(GRID)
    assert_close(target.weights, log_q.softmax(0), rtol=1e-3, atol=1e-7)
    if weight < 2:
        mean = {0.0: 0.25, 1.0: 0.0}[weight]
        assert_close((target.weights * GRID[:, 0]).sum(), torch.tensor(mean), atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="label is 7"):
        guidance_target(THREE, CLASSES, 7, weight, GRID)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_the_exactly_guided_ode_reaches_its_target_and_classifier_free_guidance_does_not(weight):
    """In one dimension the ODE carries quantiles to quantiles. With the score of the target, diffused, it
    ends at the target's; with the weighted scores of data and class it does so at weight 1 alone."""
    path, target = VE(0.02, 50.0), guidance_target(THREE, CLASSES, 0, weight, GRID)
    share = (torch.arange(41) + 0.5) / 41
    begin = 50.0 * torch.distributions.Normal(0.0, 1.0).icdf(share)[:, None]
    cumulative = target.weights.cumsum(0) - 0.5 * target.weights
    wanted = GRID[torch.searchsorted(cumulative, share).clamp(max=len(GRID) - 1), 0]
    solve, c = Heun("noise"), torch.zeros(41, dtype=torch.long)
    times = even_log_snr(begin, path, 60, end=0.0)
    exact = solve(ExactMixture(target, path), begin, times=times)[:, 0]
    free = ClassifierFree(ExactMixture(THREE, path, classes=CLASSES), weight)
    gap = (solve(free, begin, c, times=times)[:, 0] - wanted).abs().mean()
    assert (exact - wanted).abs().mean() < 0.05
    assert gap < 0.05 if weight == 1 else gap > 0.25
