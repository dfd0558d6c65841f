"""Networks: shapes, conditions, and errors that name what is wrong."""

from functools import partial

import pytest
import torch
from torch.testing import assert_close

from coursekit.nets import MLP, Beside, ConvDecoder, ConvEncoder, ConvNet, GatedConvNet, condition_vector


def test_an_mlp_without_hidden_layers_is_affine():
    """f(a x + b y) = a f(x) + b f(y) where a + b = 1."""
    net, x, y = MLP((2, 3), 4, hidden=()), torch.randn(5, 2, 3), torch.randn(5, 2, 3)
    assert_close(net(0.3 * x + 0.7 * y), 0.3 * net(x) + 0.7 * net(y))


@pytest.mark.parametrize(
    "net",
    [MLP((1, 8, 12), 7, c_dim=3), ConvEncoder((1, 8, 12), 7, width=4, c_dim=3)],
    ids=["MLP", "ConvEncoder"],
)
def test_encoders_use_the_condition(net):
    x, c = torch.randn(2, 1, 8, 12), torch.tensor([0, 2])
    assert net(x, c).shape == (2, 7)
    assert not torch.allclose(net(x, c), net(x, torch.tensor([1, 1])))


def test_the_conv_decoder_gives_the_encoders_shape_back():
    z, c = torch.randn(2, 5), torch.eye(3)[:2]
    net = ConvDecoder(5, (3, 12, 8), width=4, c_dim=3)
    assert net(z, c).shape == (2, 3, 12, 8)
    assert not torch.allclose(net(z, c), net(z, c.flip(1)))


@pytest.mark.parametrize("net", [partial(ConvNet, 2, 6, 8), partial(GatedConvNet, 2, 6, 8, 2)])
def test_nets_of_couplings_start_at_zero_and_use_the_condition(net):
    """Zero where nothing is learnt, so that a coupling is the identity; then another label, other numbers."""
    net = net(c_dim=3).double()
    x, c = torch.randn(2, 2, 5, 4, dtype=torch.float64), torch.tensor([0, 2])
    assert torch.equal(net(x, c), torch.zeros_like(x.repeat(1, 3, 1, 1)))
    torch.nn.init.normal_(net.out.weight)
    assert (net(x, c) != net(x, torch.tensor([1, 1]))).all()


def test_beside_reads_the_condition_as_further_channels():
    net, x, c = ConvNet(3, 2, 4), torch.randn(2, 1, 5, 4), torch.randn(2, 2, 5, 4)
    torch.nn.init.normal_(net.out.weight)
    assert_close(Beside(net)(x, c), net(torch.cat([x, c], 1)))
    for wrong in (None, torch.zeros(2, 2, 4, 4)):
        with pytest.raises(ValueError, match=r"expected an image \(B, K, H, W\) of the size of x"):
            Beside(net)(x, wrong)


def test_labels_and_one_hot_rows_are_the_same_condition():
    like = torch.zeros(3, 1)
    labels = torch.tensor([2, 0, 1])
    assert_close(condition_vector(labels, 4, like), condition_vector(torch.eye(4)[labels], 4, like))


@pytest.mark.parametrize(
    ("c", "c_dim", "named"),
    [
        (torch.tensor([0, 1]), 0, "c_dim=0"),
        (None, 3, "needs a condition"),
        (torch.tensor([0, 3]), 3, "labels run from 0 to 3"),
        (torch.zeros(2, 4), 3, r"shape \(2, 4\)"),
        (torch.tensor([0]), 3, r"expected \(2,\)"),
    ],
)
def test_a_wrong_condition_is_named(c, c_dim, named):
    with pytest.raises(ValueError, match=named):
        condition_vector(c, c_dim, torch.zeros(2, 1))


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"x has shape \(2, 5\); expected \(B, 4\)"):
        MLP(4, 1)(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="divisible by 4"):
        ConvEncoder((1, 30, 28), 2)
