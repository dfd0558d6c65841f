"""pix2pix and CycleGAN: their losses by hand, patch by patch, and the buffer of earlier fakes."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from coursekit import train
from coursekit.models.gan import CycleGAN, Hinge, ImageBuffer, LeastSquares, Pix2Pix
from coursekit.nets import PatchGAN, Translator

LAYERS, SHAPE = ((4, 2), (2, 1)), (1, 8, 8)


class Shift(nn.Module):
    """x + amount."""

    def __init__(self, amount: float = 0.0):
        super().__init__()
        self.amount = nn.Parameter(torch.tensor(amount))

    def forward(self, x):
        return x + self.amount


class Narrow(nn.Module):
    """The first column alone."""

    def forward(self, x):
        return x[..., :1]


def critic(c_channels: int = 0) -> PatchGAN:
    return PatchGAN(1, c_channels, LAYERS, width=4)


def pix2pix(**keywords) -> Pix2Pix:
    return Pix2Pix(Translator(width=4, blocks=1), critic(1), **keywords)


def cyclegan(to_b=None, to_a=None, **keywords) -> CycleGAN:
    nets = [net or Translator(width=4, blocks=1, skips=False) for net in (to_b, to_a)]
    return CycleGAN(*nets, critic(), critic(), [SHAPE, SHAPE], **keywords)


def images(n: int = 6, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed)) - 1


@pytest.mark.parametrize("objective", [None, LeastSquares(), Hinge()])
def test_the_adversarial_loss_is_the_mean_over_patches(objective):
    """Every patch is cut out and scored by itself, as an image of its own."""
    model = pix2pix(l1=0.0, objective=objective).double()
    x, c = images().double(), images(seed=1).double()
    k, s = model.critic.receptive_field, model.critic.stride
    fake = model.generator(c)

    def alone(x):
        cut = torch.cat([x, c], 1).unfold(2, k, s).unfold(3, k, s)  # (B, 2, h, w, k, k)
        patches = cut.permute(0, 2, 3, 1, 4, 5).reshape(-1, 2, k, k)
        return model.critic(patches[:, :1], patches[:, 1:]).flatten()

    (first, critics), (second, generators) = model.losses(x, c)
    assert (first, second) == ("critic", "generator")
    assert_close(critics, model.objective.critic(alone(x), alone(fake)))
    assert_close(generators, model.objective.generator(alone(fake)))


def test_the_weights_add_up_and_zero_leaves_the_other_alone():
    """L1 alone trains no critic, and has the loss of a regression."""
    x, c = images(), images(seed=1)
    both = pix2pix(l1=7.0, adversarial=3.0)
    alone = {}
    for name in ("l1", "adversarial"):
        model = copy.deepcopy(both)
        setattr(model, name, 0.0)
        alone[name] = list(model.losses(x, c))
    error = F.l1_loss(both.generator(c), x)
    ((player, regression),) = alone["adversarial"]
    assert player == "generator"
    assert_close(regression, 7 * error)
    assert_close(list(both.losses(x, c))[1][1], alone["l1"][1][1] + 7 * error)
    with pytest.raises(ValueError, match=r"l1 is 0.0, adversarial 0.0; expected both at least 0, one above"):
        pix2pix(l1=0.0, adversarial=0.0)


def test_pix2pix_asks_for_its_sources():
    model = pix2pix()
    assert_close(model.sample(6, images()), model.generator(images()))
    with pytest.raises(ValueError, match="needs a condition c, the source images"):
        model.sample(6)
    with pytest.raises(ValueError, match="n is 5 and c holds 6 images"):
        model.sample(5, images())


def test_cycle_and_identity_terms_are_zero_for_identity_maps():
    """And for shifts by d and e they are 2 |d + e| and |d| + |e|."""
    x = images(), images(seed=1)
    still = cyclegan(Shift(), Shift())
    assert still.cycle_error(x) == still.identity_error(x) == 0
    moved = cyclegan(Shift(0.3), Shift(-0.1))
    assert_close(moved.cycle_error(x), torch.tensor(0.4))
    assert_close(moved.identity_error(x), torch.tensor(0.4))


def test_the_generators_loss_is_the_sum_of_its_parts():
    """Written out with both nets by name; each fake is judged by the critic of its own kind."""
    (a, b), model = (images(), images(seed=1)), cyclegan(cycle=5.0, identity=2.0)
    there, back = model.generators
    loss = sum(
        0.5 * (c(y) - 1).square().mean() for c, y in zip(model.critics, (back(b), there(a)), strict=True)
    )
    loss = loss + 5 * (F.l1_loss(back(there(a)), a) + F.l1_loss(there(back(b)), b))
    loss = loss + 2 * (F.l1_loss(there(b), b) + F.l1_loss(back(a), a))
    (first, _), (second, found) = model.losses((a, b))
    assert (first, second) == ("critics", "generators")
    assert_close(found, loss)
    with pytest.raises(ValueError, match="expected two equal ones"):
        CycleGAN(Shift(), Shift(), critic(), critic(), [SHAPE, (3, 8, 8)], identity=1.0)
    with pytest.raises(ValueError, match="cycle is -1"):
        cyclegan(cycle=-1.0)


def test_the_buffer_first_fills_and_then_exchanges_half():
    """Nothing is lost or made up: what is shown and what is kept are the old and the new, rearranged."""
    buffer = ImageBuffer((1,), size=8)
    x = torch.arange(2000.0)[:, None]
    assert torch.equal(buffer(x[:5]), x[:5])
    assert torch.equal(buffer(x[5:8]), x[5:8])
    assert torch.equal(buffer.images, x[:8])
    shown = buffer(x[8:])
    everything = torch.cat([shown, buffer.images]).flatten().sort().values
    assert torch.equal(everything, x.flatten())
    share = (shown != x[8:]).float().mean()
    assert abs(share - 0.5) < 4 * 0.5 / 1992**0.5


def test_the_buffer_rests_in_evaluation_mode_and_may_have_no_room():
    full = ImageBuffer((1,), size=2)
    full(torch.zeros(2, 1))
    before = copy.deepcopy(full.state_dict())
    x = torch.ones(20, 1)
    assert torch.equal(full.eval()(x), x)
    assert all(torch.equal(full.state_dict()[name], value) for name, value in before.items())
    assert torch.equal(ImageBuffer((1,), size=0)(x), x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda x: next(pix2pix(adversarial=0.0).losses(x.expand(-1, 3, -1, -1), x)),
            "expected the shape of x",
        ),
        (
            lambda x: next(pix2pix(adversarial=0.0).losses(x, x[:1])),
            r"of c \(1, 1, 8, 8\) the generator made",
        ),
        (lambda x: cyclegan().encode(x, x), "CycleGAN takes none"),
        (lambda x: cyclegan().decode(x, x), "CycleGAN takes none"),
        (lambda x: next(cyclegan().losses((x, x), x)), "CycleGAN takes none"),
        (lambda x: next(cyclegan().losses(x)), "expected a pair of batches"),
        (lambda x: next(cyclegan().losses((x, x[:, :, 1:]))), "expected a pair of batches"),
        (lambda x: cyclegan(Narrow(), Shift()).identity_error((x, x)), "the generators made"),
        (lambda x: cyclegan(buffer=-1), "size is -1; expected how many images are kept"),
        (lambda x: ImageBuffer(SHAPE)(x[:, :, 1:]), "the buffer keeps images of shape"),
        (lambda x: Translator(depth=0), "depth is 0"),
        (lambda x: Translator(change=-0.1), "change -0.1"),
        (lambda x: Translator(dropout=1.5), "dropout 1.5"),
    ],
)
def test_what_can_not_be_is_named(call, words):
    """Most of these would be broadcast, or fail after both generators have run."""
    with pytest.raises(ValueError, match=words):
        call(images())


def test_a_stopped_and_resumed_training_equals_an_uninterrupted_one(tmp_path):
    """Bit for bit, the buffer's images included; without them the critics would be shown other fakes."""
    data = Unpaired()
    options = {"batch_size": 4, "progress": False, "device": "cpu"}

    def fresh():
        torch.manual_seed(0)
        return cyclegan(buffer=6)

    whole, stopped, resumed = fresh(), fresh(), fresh()
    train.fit(whole, data, 6, **options)
    train.fit(stopped, data, 3, checkpoint=tmp_path, **options)
    train.fit(resumed, data, 6, checkpoint=tmp_path, resume=True, **options)
    assert whole.buffers_of[0].filled == 6
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


class Unpaired:
    """Fixed batches of two kinds."""

    def batch(self, step: int, size: int, seed: int = 0):
        return (images(size, 2 * step), images(size, 2 * step + 1)), None
