"""PatchGAN's patches by gradients, and what the skips of a translator carry."""

import pytest
import torch

from coursekit.nets import PATCHES, PatchGAN, Translator

OTHERS = [((3, 1),), ((4, 2), (4, 2), (4, 1), (4, 1)), ((2, 2), (5, 3))]


@pytest.mark.parametrize("layers", [*PATCHES.values(), *OTHERS])
def test_a_score_sees_exactly_its_receptive_field(layers):
    """By gradients: those of the first score, and of its neighbour one stride to the right, end at k."""
    torch.manual_seed(0)
    critic = PatchGAN(1, 1, layers, width=3).double()
    k, s = critic.receptive_field, critic.stride
    x = torch.randn(1, 1, k + s, k + s, dtype=torch.float64, requires_grad=True)
    scores = critic(x, torch.randn_like(x))
    assert scores.shape == (1, 1, 2, 2)
    for column in (0, 1):
        (grad,) = torch.autograd.grad(scores[0, 0, 0, column], x, retain_graph=True)
        expected = torch.zeros_like(x)
        expected[..., :k, column * s : column * s + k] = 1
        assert torch.equal((grad != 0).double(), expected)


def test_the_patches_have_the_sides_that_they_are_called_by():
    """And the widest fits a glyph of 28 pixels once."""
    assert {side: PatchGAN(layers=layers).receptive_field for side, layers in PATCHES.items()} == {
        side: side for side in PATCHES
    }
    assert PatchGAN(layers=PATCHES[28])(torch.zeros(2, 1, 28, 28)).shape == (2, 1, 1, 1)


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_with_statistics_a_score_depends_on_more_than_its_patch(norm):
    """Which is why the sweep over patches is made without normalization."""
    torch.manual_seed(0)
    critic = PatchGAN(layers=PATCHES[16], width=4, norm=norm).double()
    x = torch.randn(2, 1, 28, 28, dtype=torch.float64)
    other = x.clone()
    other[..., 20:, 20:] += 1
    assert critic(x)[0, 0, 0, 0] != critic(other)[0, 0, 0, 0]


def test_what_a_critic_can_not_read_is_named():
    with pytest.raises(ValueError, match="at least 16 pixels"):
        PatchGAN()(torch.zeros(1, 1, 15, 28))
    with pytest.raises(ValueError, match="needs a condition"):
        PatchGAN(1, 1)(torch.zeros(1, 1, 28, 28))
    with pytest.raises(ValueError, match="norm must be one of batch, layer, none"):
        PatchGAN(norm="group")
    with pytest.raises(ValueError, match="layers not empty"):
        PatchGAN(layers=())


@pytest.mark.parametrize(("shape", "depth"), [((3, 28, 28), 2), ((1, 16, 24), 3), ((2, 8, 8), 1)])
@pytest.mark.parametrize("skips", [True, False])
def test_images_of_all_sizes_are_translated(shape, depth, skips):
    net = Translator(shape[0], 5, width=4, depth=depth, blocks=1, skips=skips)
    y = net(torch.randn(2, *shape))
    assert y.shape == (2, 5, *shape[1:])
    assert y.abs().max() < 1
    with pytest.raises(ValueError, match=f"divisible by {2**depth}"):
        net(torch.randn(2, shape[0], 9, 9))


@pytest.mark.parametrize("skips", [True, False])
def test_without_skips_all_must_pass_the_deepest_level(skips):
    """With that level set to zero a U-Net still sees its input, and a bottleneck does not."""
    torch.manual_seed(0)
    net = Translator(width=4, skips=skips)
    torch.nn.init.zeros_(net.blocks[-1].weight)
    y = net(torch.randn(2, 1, 8, 8))
    assert torch.equal(y[0], y[1]) != skips


@pytest.mark.parametrize(("into", "out"), [(3, 3), (3, 1), (1, 3)])
def test_a_bounded_change_stays_within_its_bound(into, out):
    """Of the image, or of its brightest channel where that number changes; and there is a change."""
    x = torch.randn(2, into, 8, 8)
    moved = Translator(into, out, width=4, change=0.1)(x) - (x if into == out else x.amax(1, keepdim=True))
    assert moved.shape == (2, out, 8, 8)
    assert 0 < moved.abs().max() <= 0.1 + 1e-6


def test_dropout_is_the_generators_noise_in_use_as_well():
    torch.manual_seed(0)
    x = torch.randn(1, 1, 8, 8)
    for dropout in (0.0, 0.5):
        net = Translator(width=4, dropout=dropout).eval()
        assert torch.equal(net(x), net(x)) == (dropout == 0)
