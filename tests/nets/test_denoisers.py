"""Networks that read a time: sizes, conditions, where they start, and what they cost."""

import math
from functools import partial

import pytest
import torch
from torch.testing import assert_close

from coursekit.nets import AdaptiveBlock, DiT, TimeEmbedding, TimeMLP, UNet, drop_condition, fourier_features
from coursekit.nets.unet import Attention, ResidualBlock

SMALL_UNET = partial(UNet, width=4, multipliers=(1, 2), blocks=1, attention=(1,), heads=2)
SMALL_DIT = partial(DiT, patch=2, width=8, layers=2, heads=2)
IMAGE_NETS = {"unet": SMALL_UNET, "unet, patches": partial(SMALL_UNET, patch=2), "dit": SMALL_DIT}
NETS = {name: partial(make, (1, 8, 8)) for name, make in IMAGE_NETS.items()} | {
    "mlp": partial(TimeMLP, 3, (16,))
}


def example(name, n=3):
    torch.manual_seed(0)
    x = torch.randn(n, *((3,) if name == "mlp" else (1, 8, 8)), dtype=torch.float64)
    return x, torch.rand(n, dtype=torch.float64)


def shaken(net):
    """In double precision, and every parameter moved, since last layers start at zero."""
    with torch.no_grad():
        for p in net.double().parameters():
            p.add_(0.1 * torch.randn_like(p))
    return net.eval()


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 14, 14), (3, 32, 32), (2, 12, 20)])
@pytest.mark.parametrize("out_channels", [None, 6])
def test_images_keep_their_size(shape, out_channels):
    x, t = torch.randn(2, *shape), torch.rand(2)
    for make in (SMALL_UNET, SMALL_DIT):
        y = make(shape, out_channels=out_channels)(x, t)
        assert y.shape == (2, out_channels or shape[0], *shape[1:])
        assert y.is_contiguous()


def test_three_levels_and_attention_at_each():
    net = UNet((1, 8, 8), 4, (1, 2, 3), attention=(0, 1, 2), heads=1)
    assert net(torch.randn(2, 1, 8, 8), torch.rand(2)).shape == (2, 1, 8, 8)
    count = sum(isinstance(part, Attention) for part in net.modules())
    assert count == 3 * (2 + 3) + 1  # two blocks down and three up at each level, one in the middle


@pytest.mark.parametrize("name", NETS)
def test_the_time_matters_and_each_row_has_its_own(name):
    net, (x, t) = shaken(NETS[name]()), example(name)
    assert (net(x, t) != net(x, t + 0.1)).any()
    alone = [net(x[i : i + 1], t[i : i + 1]) for i in range(3)]
    assert_close(net(x, t), torch.cat(alone))
    with pytest.raises(ValueError, match=r"t has shape \(1,\); expected \(3,\)"):
        net(x, t[:1])


@pytest.mark.parametrize("name", NETS)
def test_a_label_matters_and_a_dropped_one_is_a_row_of_zeros(name):
    """Of two rows that differ in their label alone, dropping makes one."""
    net, (x, t) = shaken(NETS[name](c_dim=4)), example(name)
    c, other = torch.tensor([0, 2, 3]), torch.tensor([1, 2, 3])
    assert_close(net(x, t, c), net(x, t, torch.eye(4)[c]))
    assert (net(x, t, c)[0] != net(x, t, other)[0]).any()
    drop = torch.tensor([True, False, False])
    dropped = [net(x, t, drop_condition(labels, drop, 4)) for labels in (c, other)]
    assert_close(*dropped)
    assert_close(dropped[0][1:], net(x, t, c)[1:])
    with pytest.raises(ValueError, match="needs a condition"):
        net(x, t)


@pytest.mark.parametrize("name", IMAGE_NETS)
def test_an_image_as_a_condition_matters_and_must_fit(name):
    net, (x, t) = shaken(NETS[name](c_channels=2)), example(name)
    c = torch.randn(3, 2, 8, 8)
    dropped = drop_condition(c, torch.tensor([True, False, False]), 0)
    assert (net(x, t, c)[0] != net(x, t, dropped)[0]).any()
    assert torch.equal(net(x, t, c)[1:], net(x, t, dropped)[1:])
    for wrong in (None, c[:, :1]):
        with pytest.raises(ValueError, match=r"an image of shape \(3, 2, 8, 8\)"):
            net(x, t, wrong)


def test_the_outputs_start_at_zero_and_parts_as_the_identity():
    """adaLN-zero: nothing but the tokens passes; the same for a residual block and for attention."""
    torch.manual_seed(0)
    x, t = torch.randn(2, 1, 8, 8), torch.rand(2)
    for name in IMAGE_NETS:
        assert torch.equal(NETS[name]()(x, t), torch.zeros_like(x))
    tokens, maps, e = torch.randn(2, 5, 8), torch.randn(2, 8, 4, 4), torch.randn(2, 8)
    assert torch.equal(AdaptiveBlock(8, 2)(tokens, e), tokens)
    assert torch.equal(ResidualBlock(8, 8, 8)(maps, e), maps)
    assert torch.equal(Attention(8, 2)(maps), maps)


def test_attention_is_the_formula():
    """softmax(q k^T / sqrt(d)) v for each head, pixel by pixel, on the normalized maps."""
    torch.manual_seed(0)
    net, x = shaken(Attention(8, 2)), torch.randn(1, 8, 2, 3, dtype=torch.float64)
    q, k, v = net.qkv(net.norm(x))[0].reshape(3, 2, 4, 6)  # (heads, size, pixels)
    h = torch.empty(2, 4, 6, dtype=torch.float64)
    for head in range(2):
        weights = (q[head].T @ k[head] / math.sqrt(4)).softmax(1)  # from pixels to pixels
        h[head] = v[head] @ weights.T
    assert_close(net(x), x + net.out(h.reshape(1, 8, 2, 3)))


def test_an_adaptive_block_is_the_formula():
    """The paper's block with one head, from torch's own multi-head attention."""
    torch.manual_seed(0)
    block = shaken(AdaptiveBlock(8, 2))
    x, e = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 8, dtype=torch.float64)
    peer = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    peer.in_proj_weight.data, peer.in_proj_bias.data = block.qkv.weight.data, block.qkv.bias.data
    peer.out_proj.weight.data, peer.out_proj.bias.data = block.mix.weight.data, block.mix.bias.data
    shift, scale, a, shift2, scale2, b = block.set(e)[:, None].chunk(6, -1)
    normal = torch.nn.LayerNorm(8, 1e-6, elementwise_affine=False, dtype=torch.float64)
    h = normal(x) * (1 + scale) + shift
    y = x + a * peer(h, h, h)[0]
    h = torch.nn.functional.gelu(block.up(normal(y) * (1 + scale2) + shift2), approximate="tanh")
    assert_close(block(x, e), y + b * block.down(h))


def test_patches_are_put_back_where_they_were_taken():
    """With a last layer that copies, each pixel of the output depends on its own patch of the input alone."""
    torch.manual_seed(0)
    net = SMALL_DIT((2, 4, 6))
    torch.nn.init.normal_(net.out.weight)
    x = torch.randn(1, 2, 4, 6, requires_grad=True)
    (grad,) = torch.autograd.grad(net(x, torch.rand(1))[0, :, 2:, 4:].square().sum(), x)
    assert grad[0, :, 2:, 4:].abs().min() > 0
    grad[0, :, 2:, 4:] = 0
    assert grad.abs().max() == 0


def test_fourier_features_are_the_positions_of_the_transformer():
    """At t = i / 1000 the first frequency is 1 a step and the last 1e-4."""
    t = torch.tensor([0.0, 0.001, 0.5], dtype=torch.float64)
    angles = 1000 * t[:, None] * torch.tensor([1.0, 1e-2, 1e-4], dtype=torch.float64)
    assert_close(fourier_features(t, 6), torch.cat([angles.cos(), angles.sin()], 1))
    with pytest.raises(ValueError, match="size is 5; expected an even number"):
        fourier_features(t, 5)


def test_no_condition_leaves_the_embedding_of_the_time():
    embed, t = TimeEmbedding(8, 4, c_dim=3), torch.rand(2)
    assert_close(embed(t, torch.zeros(2, 3)), embed.layers(fourier_features(t, 4)))


def test_a_patch_of_two_costs_a_quarter():
    """The same feature maps on a quarter of the pixels; attention, which costs more, is left out."""
    nets = [UNet((1, 16, 16), 16, (1, 2), heads=1, patch=patch) for patch in (1, 2)]
    assert 0.2 < flops(nets[1]) / flops(nets[0]) < 0.3


def test_the_unet_has_as_many_numbers_as_counted_by_hand():
    """Two levels of a block down and two up, without attention but in the middle, of 8 and 16 maps."""

    def conv(n_in, n_out, side=3):
        return side * side * n_in * n_out + n_out

    def block(n_in, n_out):
        beside = conv(n_in, n_out, 1) if n_in != n_out else 0
        return 2 * n_in + conv(n_in, n_out) + (32 + 1) * n_out + 2 * n_out + conv(n_out, n_out) + beside

    time = (8 + 1) * 32 + (32 + 1) * 32
    down = conv(1, 8) + block(8, 8) + conv(8, 8) + block(8, 16)
    middle = 2 * block(16, 16) + 2 * 16 + conv(16, 48, 1) + conv(16, 16, 1)
    up = block(16 + 16, 16) + block(16 + 8, 16) + conv(16, 16) + block(16 + 8, 8) + block(8 + 8, 8)
    net = UNet((1, 8, 8), 8, (1, 2), blocks=1)
    assert sum(p.numel() for p in net.parameters()) == time + down + middle + up + 2 * 8 + conv(8, 1)


def flops(net):
    """Multiplications in convolutions: each weight once for every pixel that comes out."""
    counts = []
    for conv in (part for part in net.modules() if isinstance(part, torch.nn.Conv2d)):
        conv.register_forward_hook(lambda conv, x, y: counts.append(conv.weight.numel() * y[0, 0].numel()))
    net(torch.randn(1, 1, 16, 16), torch.rand(1))
    return sum(counts)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (partial(UNet, (1, 30, 28)), r"3 levels of patches of side 1 need sides divisible by 4"),
        (partial(UNet, (1, 28, 28), attention=(3,)), r"expected levels among 0 .. 2"),
        (partial(UNet, (1, 28, 28), attention=(0,), heads=3), "heads is 3; expected a divisor"),
        (partial(UNet, (1, 28, 28), c_dim=2, c_channels=1), "a vector or an image"),
        (partial(DiT, (1, 30, 28)), r"patch=4 must go into the sides of \(1, 30, 28\)"),
        (
            partial(DiT, (1, 28, 28), c_dim=2, c_channels=1),
            "c_tokens=None two must be left out",
        ),
    ],
)
def test_what_does_not_fit_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
