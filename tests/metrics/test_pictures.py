"""PSNR and SSIM against torchmetrics, and at the ends where they are known."""

import pytest
import torch
from torch.testing import assert_close
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from coursekit.metrics.pictures import psnr, ssim


def pair(channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    truth = torch.rand(4, channels, 16, 20, dtype=torch.float64) * 2 - 1
    noise = torch.tensor([0.01, 0.1, 0.5, 1.0], dtype=torch.float64).view(4, 1, 1, 1)
    return truth + noise * torch.randn_like(truth), truth


@pytest.mark.parametrize("channels", [1, 3])
def test_both_agree_with_torchmetrics_row_by_row(channels):
    x, truth = pair(channels)
    whole = {"data_range": 2.0, "reduction": "none"}
    assert_close(psnr(x, truth), peak_signal_noise_ratio(x, truth, dim=(1, 2, 3), **whole).double())
    _, full = structural_similarity_index_measure(x, truth, return_full_image=True, **whole)
    inner = full[..., 5:-5, 5:-5]  # theirs reflects the images at their borders; ours has no window there
    assert_close(ssim(x, truth), inner.flatten(1).mean(1), rtol=1e-6, atol=1e-8)


def test_ssim_in_single_precision_is_that_of_double(device):
    """Variances are differences of squares, which `--device cuda` would take in its shorter floats."""
    x, truth = (a.float().to(device) for a in pair())
    found = ssim(x, truth)
    assert (found.dtype, found.device.type) == (torch.float32, device.type)
    assert_close(found.cpu(), ssim(x.cpu().double(), truth.cpu().double()).float(), rtol=0, atol=1e-6)


def test_an_image_is_like_itself_and_less_so_with_more_noise():
    x, truth = pair()
    assert torch.isinf(psnr(truth, truth)).all()
    assert_close(ssim(truth, truth), torch.ones(4).double())
    assert (psnr(x, truth).diff() < 0).all()
    assert (ssim(x, truth).diff() < 0).all()


def test_a_constant_error_has_its_psnr_by_hand():
    """An error of 0.2 everywhere in a span of 2: 10 log10(4 / 0.04) = 20 dB."""
    truth = torch.zeros(2, 1, 4, 4)
    assert_close(psnr(truth + 0.2, truth), torch.full((2,), 20.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: psnr(torch.zeros(1, 2), torch.zeros(2, 2)), "expected one shape"),
        (lambda: ssim(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)), "smaller than the window, 11"),
        (lambda: ssim(torch.zeros(1, 16, 16), torch.zeros(1, 16, 16)), r"expected images \(B, C, H, W\)"),
        (lambda: psnr(torch.zeros(1, 2), torch.zeros(1, 2), 0.0), "span is 0.0"),
    ],
)
def test_what_can_not_be_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
