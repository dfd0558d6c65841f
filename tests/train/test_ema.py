"""The moving average of weights against its formula."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.train import EMA, fit
from tests.train.models import Noisy, Regression, points


@pytest.mark.parametrize("warmup", [False, True])
def test_average_is_the_weighted_sum_of_all_past_weights(warmup):
    """Unrolled, the recursion is a product of decays times the start plus a weighted sum of what followed."""
    model = Regression()
    ema = EMA(model, decay=0.6, warmup=warmup)
    past = [model.net[0].weight.detach().clone()]
    for step in range(1, 6):
        with torch.no_grad():
            model.net[0].weight.add_(step)
        past.append(model.net[0].weight.detach().clone())
        ema.update()
    decays = [min(0.6, (1 + t) / (10 + t)) if warmup else 0.6 for t in range(1, 6)]
    expected = past[0] * torch.tensor(decays).prod()
    for t in range(1, 6):
        expected = expected + (1 - decays[t - 1]) * torch.tensor(decays[t:]).prod() * past[t]
    assert_close(ema.model.net[0].weight.data, expected)


@pytest.mark.parametrize("buffers", ["copy", "average"])
def test_buffers_are_copied_or_averaged_as_asked(buffers):
    """Running statistics can be averaged; a count of batches is a whole number and is always copied."""
    model = Noisy()
    ema = EMA(model, decay=0.75, warmup=False, buffers=buffers)
    model.net[1].running_mean.fill_(4.0)
    model.net[1].num_batches_tracked.fill_(9)
    ema.update()
    expected = 4.0 if buffers == "copy" else 1.0
    assert_close(ema.model.net[1].running_mean, torch.full((16,), expected))
    assert ema.model.net[1].num_batches_tracked.item() == 9


def test_fit_updates_the_average_after_every_step():
    """At decay zero the average is the model itself."""
    model = Regression()
    ema = EMA(model, decay=0.0)
    fit(model, points(), 3, batch_size=8, ema=ema, progress=False, device="cpu")
    assert ema.updates == 3
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), ema.model.parameters(), strict=True))


def test_an_average_of_another_model_is_refused():
    """It would be saved as if it were this one's."""
    with pytest.raises(ValueError, match="ema averages another model"):
        fit(Regression(), points(), 1, ema=EMA(Regression()), progress=False)


def test_a_decay_of_one_is_refused():
    """It would never leave the starting point."""
    with pytest.raises(ValueError, match="decay must lie in"):
        EMA(Regression(), decay=1.0)
