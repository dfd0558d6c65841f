"""Chapter 5: every labelled equation against numbers that were computed another way."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.testing import assert_close

from coursekit.models.ar import BernoulliOutput, DiscretizedLogisticMixture, PixelModel
from coursekit.nets import CausalConv2d, DiagonalBiLSTM, GatedPixelCNN, PixelCNN, RowLSTM
from coursekit.nets.pixelcnn import GatedLayer
from tests.equations.registry import checks

EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=9))).reshape(-1, 1, 3, 3)
NETS = [PixelCNN, GatedPixelCNN, RowLSTM, DiagonalBiLSTM]


@pytest.fixture(autouse=True)
def seed():
    """Random weights that do not depend on the order of the tests."""
    torch.manual_seed(0)


@torch.no_grad()
@pytest.mark.parametrize("net", NETS)
@checks("pixel-chain")
def test_conditionals_are_ratios_of_sums_over_all_images_that_begin_alike(net):
    """p(x_d = 1 | x_<d) as a ratio of two sums over all images with this beginning."""
    model = PixelModel(net((1, 3, 3), width=4, layers=2, first=3, c_dim=2), BernoulliOutput()).double()
    x, c = EVERY.double(), torch.ones(512, dtype=torch.long)
    joint, flat = model.log_prob(x, c).exp(), x.flatten(1)
    assert_close(joint.sum(), torch.ones((), dtype=torch.float64))
    stated = model.conditionals(x, c).base_dist.probs.flatten(1)
    for d in range(9):
        alike = (flat[:, None, :d] == flat[None, :, :d]).all(-1).double()
        assert_close(stated[:, d], alike @ (joint * flat[:, d]) / (alike @ joint))


@pytest.mark.parametrize("net", NETS)
@checks("rgb-chain")
def test_green_depends_on_red_and_blue_on_both_and_on_all_colours_before(net):
    """Gradients of the three conditionals of one pixel with respect to all subpixels of the image."""
    model = net((3, 4, 4), width=6, layers=4, first=3).double()
    with torch.no_grad():
        for p in model.parameters():
            p.uniform_(0.02, 0.05)
    x = torch.ones(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    out = model(x)[0, :, 2, 1]
    for channel in range(3):
        (gradient,) = torch.autograd.grad(out[channel], x, retain_graph=True)
        depends = gradient[0] != 0
        assert depends[:, 2, 1].tolist() == [other < channel for other in range(3)]
        assert depends[:, 1, 1].all()
        assert depends[:, 2, 0].all()
        assert not depends[:, 2, 2:].any()
        assert not depends[:, 3].any()


def some_mixture(levels: int) -> tuple[Tensor, Tensor, Tensor, DiscretizedLogisticMixture]:
    logits, mean = torch.randn(3, dtype=torch.float64), torch.tensor([-0.9, 0.1, 1.2], dtype=torch.float64)
    log_scale = torch.tensor([-3.0, -1.5, -2.0], dtype=torch.float64)
    return logits, mean, log_scale, DiscretizedLogisticMixture(logits, mean, log_scale, levels)


@checks("logistic-mixture")
def test_a_levels_probability_is_the_integral_of_the_density_over_its_bin():
    """The density, not its distribution function, is summed over fine lines; the outer bins go far out."""
    logits, mean, log_scale, mixture = some_mixture(9)
    for k in range(9):
        low = -40.0 if k == 0 else (2 * k - 1) / 8 - 1
        high = 40.0 if k == 8 else (2 * k + 1) / 8 - 1
        line = torch.linspace(low, high, 100_001, dtype=torch.float64)[:, None]
        z = (line - mean) / log_scale.exp()
        density = logits.softmax(0) * torch.exp(-z - log_scale - 2 * F.softplus(-z))
        mass = torch.trapezoid(density.sum(1), line[:, 0])
        assert_close(mixture.log_prob(torch.tensor(float(k))).exp(), mass, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("levels", [2, 17, 256])
@checks("levels-sum")
def test_the_probabilities_of_all_levels_sum_to_one(levels):
    """Also where a mean lies outside of [-1, 1] and a scale is far smaller than a bin."""
    *_, mixture = some_mixture(levels)
    total = mixture.log_prob(torch.arange(levels, dtype=torch.float64)).exp().sum()
    assert_close(total, torch.ones((), dtype=torch.float64))


@torch.no_grad()
@pytest.mark.parametrize("kind", ["A", "B"])
@checks("masked-conv")
def test_masked_convolution_is_the_sum_over_the_shifts_that_are_open(kind):
    """Loops over places and shifts in the words of the formula, against the package's layer."""
    layer, x = CausalConv2d(2, 3, above=1, left=1, right=1, kind=kind), torch.randn(1, 2, 4, 5)
    stated = layer.bias[:, None, None].expand(3, 4, 5).clone()
    for i, j, u, v in itertools.product(range(4), range(5), (-1, 0, 1), (-1, 0, 1)):
        opened = u < 0 or (u == 0 and v < 0) or (u == v == 0 and kind == "B")
        if opened and 0 <= i + u < 4 and 0 <= j + v < 5:
            stated[:, i, j] += layer.weight[:, :, u + 1, v + 1] @ x[0, :, i + u, j + v]
    assert_close(layer(x)[0], stated)


@pytest.mark.parametrize(("first", "kernel"), [(3, 3), (7, 3), (5, 5), (7, 5)])
@checks("blind-spot")
def test_the_blind_spot_is_bounded_by_the_stated_line_however_deep_the_network(first, kernel):
    """Gradients, with as many convolutions as the image has rows: the line is sharp, from both sides."""
    row, column, size = 6, 3, 13
    net = PixelCNN((1, 7, size), width=1, layers=6, first=first, kernel=kernel).double()
    with torch.no_grad():
        for p in net.parameters():
            p.uniform_(0.02, 0.05)
    x = torch.ones(1, 1, 7, size, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(x)[0, 0, row, column], x)
    for a, b in itertools.product(range(1, row + 1), range(size - column)):
        unseen = b > first // 2 + (a - 1) * (kernel // 2)
        assert (gradient[0, 0, row - a, column + b] == 0) == unseen


@torch.no_grad()
@checks("gated-unit")
def test_the_gate_is_tanh_times_sigmoid_with_the_condition_in_both():
    """Two convolutions of their own, from the two halves of the layer's weights."""
    layer = GatedLayer(2, 3, 1, 3, "B", False, c_dim=4)
    v, c = torch.randn(5, 2, 6, 6), torch.randn(5, 4)
    bias, _ = layer.bias(c).chunk(2, 1)
    padded = F.pad(v, (1, 1, 1, 0))
    a, b = (
        F.conv2d(padded, layer.vertical.weight[part], layer.vertical.bias[part])
        + (c @ layer.bias.map.weight[part].T)[:, :, None, None]
        for part in (slice(0, 3), slice(3, 6))
    )
    assert_close(layer.down(v, bias)[0], a.tanh() * b.sigmoid())


@torch.no_grad()
@checks("prefix-posterior")
def test_the_class_given_the_first_pixels_is_bayes_rule_on_the_joint_table():
    """Class and image in one table of 2 x 512 numbers; the unseen pixels are summed out."""
    model = PixelModel(
        GatedPixelCNN((1, 3, 3), width=4, layers=2, first=3, c_dim=2), BernoulliOutput()
    ).double()
    x, m = EVERY.double(), 4
    labels = [torch.full((512,), c) for c in range(2)]
    table = torch.stack([model.log_prob(x, c).exp() / 2 for c in labels])  # (2, 512)
    for seen in (0, 77, 300, 511):
        alike = (x.flatten(1)[:, :m] == x[seen].flatten()[:m]).all(1)
        summed = table[:, alike].sum(1)
        terms = [
            model.conditionals(x[seen : seen + 1], c[:1]).base_dist.log_prob(x[seen : seen + 1])
            for c in labels
        ]
        stated = torch.stack([t.flatten()[:m].sum() for t in terms]).softmax(0)
        assert_close(stated, summed / summed.sum())


class Counting(PixelCNN):
    """Counts how often it is run."""

    runs = 0

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        self.runs += 1
        return super().forward(x, c)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 3, 3)])
@checks("passes")
def test_the_naive_loop_runs_the_network_once_for_each_subpixel(shape):
    """A counter inside the network."""
    net = Counting(shape, width=3, layers=1, first=3)
    PixelModel(net, BernoulliOutput()).sample(1, cached=False, progress=False)
    assert net.runs == math.prod(shape)


class Multiplications(TorchFunctionMode):
    """Counts the multiplications of all convolutions and linear maps that torch is asked for."""

    count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function in (F.conv2d, F.linear):
            self.count += out.numel() * args[1][0].numel()
        return out


@torch.no_grad()
@pytest.mark.parametrize("shape", [(1, 5, 6), (3, 4, 3)])
@checks("cached-cost")
def test_a_memory_divides_the_multiplications_by_the_number_of_pixels(shape):
    """Counted where torch is called, in the naive loop, with a memory, and in one pass."""
    model = PixelModel(PixelCNN(shape, width=3, layers=2, first=3), BernoulliOutput())
    with Multiplications() as one_pass:
        model.net(torch.zeros(1, *shape))
    with Multiplications() as naive:
        model.sample(1, cached=False, progress=False)
    with Multiplications() as cached:
        model.sample(1, progress=False)
    assert one_pass.count > 0
    assert naive.count == math.prod(shape) * one_pass.count
    assert naive.count == shape[1] * shape[2] * cached.count
