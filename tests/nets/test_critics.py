"""Generators and critics of GANs: sizes, conditions, and what their layers compute."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.nets import DCGANCritic, DCGANGenerator, Projection, ResNetCritic, ResNetGenerator
from coursekit.nets.dcgan import halvings
from coursekit.nets.resnet import ConditionalNorm, DownBlock, UpBlock

GENERATORS, CRITICS = (DCGANGenerator, ResNetGenerator), (DCGANCritic, ResNetCritic)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 8, 8), (2, 12, 20)])
def test_images_of_all_sizes_come_out_and_go_in(shape):
    for generator, critic in zip(GENERATORS, CRITICS, strict=True):
        x = generator(5, shape, width=4)(torch.randn(2, 5))
        assert x.shape == (2, *shape)
        assert x.is_contiguous()
        assert x.abs().max() < 1
        assert critic(shape, width=4)(x).shape == (2,)


def test_28_pixels_are_halved_twice_and_32_three_times():
    assert halvings((1, 28, 28)) == (2, (7, 7))
    assert halvings((3, 32, 32)) == (3, (4, 4))
    with pytest.raises(ValueError, match="even and at least 6"):
        halvings((1, 4, 4))


def test_the_dcgan_of_32_pixels_has_as_many_numbers_as_counted_by_hand():
    """An affine map, then transposed convolutions 256-128-64-3; the critic's mirror it."""
    count = [sum(p.numel() for p in net.parameters()) for net in dcgan((3, 32, 32))]
    norms = 2 * (256 + 128 + 64)
    assert count[0] == 100 * 256 * 16 + 16 * (256 * 128 + 128 * 64 + 64 * 3) + 3 + norms
    assert count[1] == 16 * (3 * 64 + 64 * 128 + 128 * 256) + 64 + (256 * 16 + 1) + 2 * (128 + 256)


def dcgan(shape):
    return DCGANGenerator(100, shape), DCGANCritic(shape)


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_a_critic_without_batch_norm_scores_each_row_by_itself(norm):
    """What a gradient penalty rests on; with batch norm the score depends on the company."""
    torch.manual_seed(0)
    x = torch.randn(4, 1, 8, 8)
    for critic, alone in ((DCGANCritic((1, 8, 8), 4, norm=norm), True), (DCGANCritic((1, 12, 12), 4), False)):
        y = x if alone else torch.randn(4, 1, 12, 12)
        assert torch.allclose(critic(y)[:2], critic(y[:2]), atol=1e-6) == alone
    with pytest.raises(ValueError, match="norm must be one of batch, layer, none, got 'group'"):
        DCGANCritic((1, 8, 8), norm="group")


@pytest.mark.parametrize("net", [*GENERATORS, *CRITICS])
def test_the_condition_matters(net):
    """In double precision, away from small first weights; a label is a one-hot row."""
    torch.manual_seed(0)
    generates = net in GENERATORS
    net = net(*([5] * generates), (1, 8, 8), width=4, c_dim=3).double().eval()
    x, c = torch.randn(2, *((5,) if generates else (1, 8, 8)), dtype=torch.float64), torch.tensor([0, 2])
    assert_close(net(x, c), net(x, torch.eye(3)[c]))
    assert (net(x, c) != net(x, torch.tensor([1, 1]))).any()
    with pytest.raises(ValueError, match="needs a condition"):
        net(x)


def test_the_projection_is_a_bilinear_form():
    """score(h, c) = w . h + b + sum_ij c_i V_ij h_j."""
    head = Projection(4, 3).double()
    h, c = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    form = torch.einsum("bi,ji,bj->b", c, head.from_c.weight, h)
    assert_close(head(h, c), h @ head.out.weight[0] + head.out.bias + form)


def test_a_blocks_skip_is_an_average_or_a_copy_of_pixels():
    """Without its two convolutions a block only changes the size."""
    torch.manual_seed(0)
    x = torch.randn(2, 4, 6, 6)
    down, up = DownBlock(4, 4), UpBlock(4)
    for block in (down, up):
        torch.nn.init.zeros_(block.second.weight)
        torch.nn.init.zeros_(block.second.bias)
        torch.nn.init.zeros_(block.beside.bias)
        block.beside.weight.data = torch.eye(4)[:, :, None, None]
    assert_close(down(x), x.unflatten(2, (3, 2)).unflatten(4, (3, 2)).mean((3, 5)))
    assert_close(up(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_conditional_norm_scales_and_shifts_by_class():
    """Each class has a mean of its own and a spread of its own, whatever comes in."""
    torch.manual_seed(0)
    norm, x = ConditionalNorm(2, 3), 5 * torch.randn(400, 2, 4, 4) + 7
    torch.nn.init.zeros_(norm.from_c.weight)
    norm.from_c.weight.data[:, 1] = torch.tensor([1.0, 0.0, 0.0, -3.0])  # scales + 1, shifts of class 1
    y = norm(x, torch.nn.functional.one_hot(torch.tensor([1]), 3).float().expand(400, 3))
    assert_close(y.mean((0, 2, 3)), torch.tensor([0.0, -3.0]), atol=1e-3, rtol=0)
    assert_close(y.std((0, 2, 3)), torch.tensor([2.0, 1.0]), atol=1e-2, rtol=0)
