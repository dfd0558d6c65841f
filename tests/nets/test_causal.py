"""Networks of subpixels: what each may see, what it does see, and walking through an image with a memory."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.nets import MADE, NADE, CausalConv2d, CausalNet, GatedPixelCNN, PixelCNN, RowLSTM, raster
from coursekit.nets.pixelrnn import skew, unskew
from tests.models.ar.image_nets import CONVOLUTIONS, NETS, net

EVERYTHING = ["fvbn", "nade", "made", "made, two layers", "gated"]  # networks that see all that comes before


def influence(chosen: CausalNet, rows: int = 16) -> torch.Tensor:
    """|d parameters of subpixel i / d subpixel j|, summed over random images: (D, D), in order."""
    torch.manual_seed(1)
    channels, height, width = chosen.shape
    x = torch.rand(rows, *chosen.shape, dtype=torch.double, requires_grad=True)
    out = chosen(x).reshape(rows, channels, -1, height, width).sum((0, 2)).flatten()  # (D,)
    gradients = [torch.autograd.grad(out[i], x, retain_graph=True)[0] for i in chosen.order]
    return torch.stack([g.abs().sum(0).flatten()[chosen.order] for g in gradients])


def earlier(size: int) -> torch.Tensor:
    """j < i."""
    return torch.ones(size, size).tril(-1).bool()


@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 2, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("name", NETS)
def test_no_subpixel_sees_itself_or_what_comes_after(name, shape):
    """The gradient is zero exactly, for every colour channel: else p(x) is no product of conditionals."""
    seen = influence(net(name, shape, out_features=2, levels=4))
    assert not seen[~earlier(len(seen))].any()


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 2, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("name", EVERYTHING)
def test_every_subpixel_sees_all_that_comes_before(name, shape):
    """No blind spot, neither in space nor among the colours."""
    seen = influence(net(name, shape, out_features=2, levels=4))
    assert (seen > 0).equal(earlier(len(seen)))


def test_any_order_of_made_and_nade_is_kept():
    """What a unit sees follows from positions in the order, not from places in the image."""
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    for chosen in (MADE((1, 3, 4), hidden=(60, 60), direct=False, order=order), NADE((1, 3, 4), order=order)):
        assert (influence(chosen.double(), rows=200) > 0).equal(earlier(12))


def offsets(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """How many rows above pixel i, and columns right of it, pixel j is: (D, D) each."""
    row, column = torch.arange(side * side) // side, torch.arange(side * side) % side
    return row[:, None] - row, column - column[:, None]


def test_the_blind_spot_of_pixelcnn_is_a_triangle_to_the_right():
    """With 3 x 3 kernels a path gains one column to the right for each row up, and never any within a row."""
    seen = influence(PixelCNN((1, 6, 6), width=8, layers=6, first=3).double())
    up, right = offsets(6)
    assert (seen > 0).equal(earlier(36) & (right <= up))
    assert (earlier(36) & (right > up)).sum() > 50


def test_the_gated_stacks_see_into_that_triangle():
    """Same kernels, as many layers."""
    seen = influence(GatedPixelCNN((1, 6, 6), width=8, layers=7, first=3).double(), rows=64)
    assert (seen > 0).equal(earlier(36))


@pytest.mark.parametrize("layers", [1, 2])
def test_row_lstm_sees_a_triangle(layers):
    """One column more on both sides for each row up; to the left one by the first kernel and one a layer."""
    seen = influence(RowLSTM((1, 6, 6), width=8, layers=layers, first=3).double())
    up, right = offsets(6)
    assert (seen > 0).equal(earlier(36) & (right <= up) & (right >= -(up + 1 + layers)))


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 3, 4)], ids=["grey", "colour"])
def test_diagonal_bilstm_misses_only_the_end_of_the_row_above(shape):
    """The last subpixel of a row is seen in the next row through the first kernel alone, here 3 wide."""
    seen = influence(net("diagonal bilstm", shape))
    channels, _, width = shape
    pixel = torch.arange(len(seen)) // channels
    row, column = pixel // width, pixel % width
    last = (torch.arange(len(seen)) % (channels * width)) == channels * width - 1
    missed = last & (row == row[:, None] - 1) & (column[:, None] + 1 < width - 1)
    assert (seen > 0).equal(earlier(len(seen)) & ~missed)
    assert missed.any()


@pytest.mark.parametrize(
    ("kind", "centre"),
    [("A", [[0, 0, 0], [1, 0, 0], [1, 1, 0]]), ("B", [[1, 0, 0], [1, 1, 0], [1, 1, 1]])],
)
def test_the_masks_of_types_a_and_b(kind, centre):
    """Rows above are open, the own row up to the centre; there R precedes G precedes B."""
    centre = torch.tensor(centre).bool().repeat_interleave(2, 1).repeat(2, 1)  # F = 6, F' = 2 gates of 3
    convolution = CausalConv2d(6, 6, 2, 2, 2, kind, channels=3, parts=2)
    assert convolution.mask[:, :, :2].all()
    assert convolution.mask[:, :, 2, :2].all()
    assert convolution.mask[:, :, 2, 2].equal(centre)
    assert not convolution.mask[:, :, 2, 3:].any()


def test_skewing_turns_diagonals_into_columns_and_back():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    skewed = skew(x)
    assert skewed[0, 0].tolist() == [[0, 1, 2, 3, 0, 0], [0, 4, 5, 6, 7, 0], [0, 0, 8, 9, 10, 11]]
    assert_close(unskew(skewed), x)


def test_raster_goes_row_by_row_and_channel_by_channel():
    assert raster((2, 1, 2)).tolist() == [0, 2, 1, 3]
    assert PixelCNN((2, 1, 2), width=4).places == [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1)]


@pytest.mark.parametrize("c_dim", [0, 5])
@pytest.mark.parametrize("shape", [(1, 4, 3), (3, 2, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("name", NETS)
@torch.no_grad()
def test_walking_with_a_memory_gives_the_parameters_of_the_whole_network(name, shape, c_dim):
    """Also though what comes later is still wrong when a subpixel is asked for, as it is while sampling."""
    chosen = net(name, shape, out_features=2, levels=4, c_dim=c_dim)
    x = torch.randint(4, (3, *shape)).double()
    c = torch.tensor([0, 4, 2]) if c_dim else None
    expected = chosen(x, c).unflatten(1, (shape[0], 2))
    canvas, visited = torch.zeros_like(x), []
    for (channel, row, column), parameters in chosen.conditionals(canvas, c):
        assert_close(parameters, expected[:, channel, :, row, column])
        canvas[:, channel, row, column] = x[:, channel, row, column]
        visited.append((channel, row, column))
    assert visited == chosen.places


@pytest.mark.parametrize("name", NETS)
def test_the_condition_reaches_every_subpixel(name):
    chosen = net(name, (1, 3, 3), c_dim=3)
    x = torch.zeros(1, 1, 3, 3, dtype=torch.double)
    assert (chosen(x, torch.tensor([0])) != chosen(x, torch.tensor([2]))).all()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: PixelCNN((28, 28)), r"shape is \(28, 28\); expected \(C, H, W\)"),
        (lambda: PixelCNN((1, 4, 4), levels=1), "levels is 1"),
        (lambda: PixelCNN((1, 4, 4), first=4), r"kernels are \(4, 3\); expected at least 1, and odd"),
        (lambda: GatedPixelCNN((3, 4, 4), width=32), "can't be shared evenly by 3 channels"),
        (lambda: GatedPixelCNN((1, 4, 4), layers=0), "layers is 0"),
        (lambda: MADE((1, 2, 2), order=torch.tensor([0, 1, 1, 3])), r"each of 0 \.\. 3 once"),
        (lambda: MADE((1, 2, 2), hidden=(), direct=False), "no input would reach an output"),
        (lambda: NADE((1, 2, 2), hidden=0), "hidden is 0"),
        (lambda: CausalConv2d(1, 1, kind="C"), "kind must be 'A', 'B' or None, got 'C'"),
        (lambda: PixelCNN((1, 4, 4))(torch.zeros(2, 1, 4, 5)), r"expected \(B, 1, 4, 4\)"),
        (lambda: PixelCNN((1, 4, 4))(torch.zeros(2, 1, 4, 4), torch.zeros(2)), "got a condition"),
    ],
)
def test_what_does_not_fit_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


def test_convolutions_take_their_size_from_the_arguments():
    """As many layers as asked for, and the first kernel wider than the others."""
    for name in CONVOLUTIONS:
        chosen = CONVOLUTIONS[name]((1, 8, 8), layers=3, first=5)
        assert len(chosen.layers) == 3
        first = chosen.layers[0].vertical if name == "gated" else chosen.look
        assert first.kernel_size == (3, 5)
