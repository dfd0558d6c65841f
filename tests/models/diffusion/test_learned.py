"""The learnt schedule, and the bound in continuous time, which is exact where the denoiser is."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.models.diffusion import VDM, VE, VP, ExactMixture, LearnedLogSNR
from coursekit.nets import TimeMLP
from tests.models.diffusion.oracles import Given, two_peaks


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def bent() -> LearnedLogSNR:
    """A schedule as training could leave it: the same ends, another shape."""
    path = LearnedLogSNR(9.0, -9.0)
    with torch.no_grad():
        path.line.fill_(-3.0)
        path.heights.copy_(torch.linspace(-3, 3, 16))
        path.rates.copy_(torch.linspace(8, 20, 16))
    return path


def test_log_snr_falls_from_end_to_end():
    t = torch.linspace(0, 1, 101)
    for path in (LearnedLogSNR(9.0, -9.0), bent()):
        log_snr = path.log_snr(t)
        assert_close(log_snr[[0, -1]], torch.tensor([9.0, -9.0]))
        assert (log_snr.diff() < 0).all()
    assert (bent().log_snr(t) - LearnedLogSNR(9.0, -9.0).log_snr(t)).abs().max() > 1


def test_its_fall_is_minus_the_derivative():
    t = torch.linspace(0, 1, 11).requires_grad_()
    grad = torch.autograd.grad(bent().log_snr(t).sum(), t)[0]
    assert_close(bent().fall(t), -grad)


@pytest.mark.parametrize("path", [LearnedLogSNR(9.0, -9.0), bent()], ids=["straight", "bent"])
def test_the_bound_of_the_exact_denoiser_is_the_likelihood(path):
    """For steps without number the reverse chain is exact: nothing is lost, whatever the schedule's shape."""
    mixture = two_peaks()
    oracle = ExactMixture(mixture, path)
    model = VDM(Given(lambda x, t: oracle.predict(x, t).eps), (2,), path)
    x = mixture.sample(2).double()
    with torch.no_grad():
        many = torch.stack([model.elbo(row.expand(40_000, 2)) for row in x], 1)
    error = (many.mean(0) - mixture.log_prob(x)).abs()
    assert (error < 5 * many.std(0) / 40_000**0.5 + 5e-3).all()


def test_samples_are_scaled_back_to_data():
    """At t = 0 what is left is alpha(0) x and a little noise."""
    path = LearnedLogSNR(4.0, -9.0)
    oracle = ExactMixture(two_peaks(), path)
    model = VDM(Given(lambda x, t: oracle.predict(x, t).eps), (2,), path)
    x = model.sample(4_000, steps=100, progress=False)
    mean = two_peaks().weights.double() @ two_peaks().means.double()
    assert_close(x.mean(0), mean, rtol=0, atol=0.1)


def test_a_path_without_noise_at_the_start_is_refused():
    with pytest.raises(ValueError, match=r"VP has sigma\(0\) = 0"):
        VDM(TimeMLP(2, (8,)), (2,), VP())
    VDM(TimeMLP(2, (8,)), (2,), VE())
    with pytest.raises(ValueError, match=r"first is 1\.0, last is 2\.0"):
        LearnedLogSNR(1.0, 2.0)
