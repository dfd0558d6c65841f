"""The training loop: players, seeds, modes, and what happens when something goes wrong."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from coursekit.train import Cosine, Trainer, adam, fit
from tests.train.models import Duel, Noisy, Regression, points


def same_bits(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(s, t) for s, t in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def quiet(model: nn.Module, steps: int, **keywords: object) -> object:
    return fit(model, points(), steps, **{"batch_size": 32, "progress": False, "device": "cpu", **keywords})


def test_two_players_equal_a_hand_written_loop_bit_for_bit():
    """The generator's loss must be computed after the critic has stepped, and by its gradient alone."""
    fitted, by_hand = Duel(), Duel()
    trainer = Trainer(fitted, points(), batch_size=32, device="cpu")
    noise = []
    fitted.generator.register_forward_pre_hook(lambda _, args: noise.append(args[0].clone()))
    critic_steps = adam(by_hand.critic.parameters(), 1e-3)
    generator_steps = adam(by_hand.generator.parameters(), 1e-3)
    trainer.run(5, progress=False)
    for step in range(5):
        x = trainer.data.batch(step, 32, 0)[0]
        fake = by_hand.generator(noise[step])
        critic_steps.zero_grad()
        real_term = F.softplus(-by_hand.critic(x)).mean()
        (real_term + F.softplus(by_hand.critic(fake.detach())).mean()).backward()
        critic_steps.step()
        generator_steps.zero_grad()
        F.softplus(-by_hand.critic(fake)).mean().backward()
        generator_steps.step()
    assert same_bits(fitted, by_hand)


def test_a_player_leaves_no_gradient_on_the_others():
    """The generator's loss runs through the critic, whose gradient would otherwise pile up."""
    seen = []

    class Watched(Duel):
        def losses(self, x, c=None):
            for name, loss in super().losses(x, c):
                yield name, loss
                seen.extend(p.grad for p in self.parameters())

    quiet(Watched(), 2)
    assert len(seen) == 2 * 2 * len(list(Duel().parameters()))
    assert all(gradient is None for gradient in seen)


def test_the_callers_random_state_and_modes_are_left_alone():
    """A chapter that trains in between draws the same numbers afterwards."""
    model = Noisy()
    model.net[1].eval()
    modes = [m.training for m in model.modules()]
    torch.manual_seed(5)
    before = torch.get_rng_state()
    quiet(model, 3)
    assert torch.equal(before, torch.get_rng_state())
    assert modes == [m.training for m in model.modules()]


def test_a_callback_that_draws_numbers_does_not_change_the_result():
    """Looking at a model while it trains must not train another one."""
    plain, watched, modes = Noisy(), Noisy(), []

    def look(trainer: Trainer) -> None:
        torch.randn(100)
        trainer.log(size=trainer.model.net[0].weight.norm())
        modes.append(trainer.model.training)

    quiet(plain, 10)
    history = quiet(watched, 10, every=(3, look))
    assert same_bits(plain, watched)
    assert history.series("size")[0] == [3, 6, 9]
    assert modes == [False] * 3


def test_the_seed_decides_batches_and_noise():
    """Equal seeds give equal bits; another seed gives another run."""
    runs = [Noisy() for _ in range(3)]
    for model, seed in zip(runs, (0, 0, 1), strict=True):
        quiet(model, 5, seed=seed)
    assert same_bits(runs[0], runs[1])
    assert not same_bits(runs[0], runs[2])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_at_once_and_says_where(bad):
    """On a CPU the check comes before the step, so the parameters are still those of the step before."""

    class Breaks(Regression):
        def losses(self, x, c=None):
            self.calls = getattr(self, "calls", 0) + 1
            for name, loss in super().losses(x, c):
                yield name, loss * (bad if self.calls == 4 else 1.0)

    model, healthy = Breaks(), Regression()
    with pytest.raises(FloatingPointError, match=r"'model' became (nan|inf) at step 4.*smaller lr"):
        quiet(model, 10)
    quiet(healthy, 3)
    assert same_bits(model, healthy)
    assert model.training


def test_history_holds_the_mean_loss_since_the_entry_before():
    """With a learning rate of zero every step's loss can be computed again."""
    model = Regression()
    trainer = Trainer(model, points(), batch_size=32, lr=0.0, log_every=4, device="cpu")
    history = trainer.run(10, progress=False)
    with torch.no_grad():
        losses = [next(model.losses(trainer.data.batch(s, 32, 0)[0]))[1].item() for s in range(10)]
    assert history.steps == [4, 8, 10]
    expected = [sum(losses[:4]) / 4, sum(losses[4:8]) / 4, sum(losses[8:]) / 2]
    assert_close(torch.tensor(history["model"]), torch.tensor(expected))


def test_clip_norm_bounds_the_step_of_plain_gradient_descent():
    """One SGD step at learning rate 1 moves the weights by exactly the clipped norm."""
    model, before = Regression(), Regression()
    quiet(model, 1, lr=1.0, clip_norm=0.01, optimizer=lambda p, lr: torch.optim.SGD(p, lr=lr))
    moves = [(p - q).flatten() for p, q in zip(model.parameters(), before.parameters(), strict=True)]
    assert_close(torch.cat(moves).norm().item(), 0.01, atol=1e-6, rtol=1e-3)


def test_each_player_can_have_its_own_learning_rate_and_schedule():
    """A critic at rate zero stays where it was while the generator moves."""
    model, before = Duel(), Duel()
    schedule = {"critic": Cosine(), "generator": Cosine(warmup=2)}
    quiet(model, 3, lr={"critic": 0.0, "generator": 1e-2}, schedule=schedule)
    assert same_bits(model.critic, before.critic)
    assert not same_bits(model.generator, before.generator)


def test_cosine_rises_linearly_and_ends_at_its_floor():
    """Three points of the schedule are known exactly."""
    schedule = Cosine(warmup=4, floor=0.1)
    assert_close([schedule(s, 25) for s in (0, 3, 4, 14, 24)], [0.2, 0.8, 1.0, 0.55, 0.1])


def test_bf16_computes_in_bf16_and_keeps_float32_weights():
    """Autocast must reach the model's matrix products, inside the generator of losses."""
    seen = []
    model = Regression()
    model.net[0].register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    history = quiet(model, 5, precision="bf16")
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert len(history["model"]) == 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"log_every": 0}, "log_every"),
        ({"precision": "fp8"}, "precision must be 'no' or 'bf16', got 'fp8'"),
        ({"lr": {"critic": 1e-3}}, "lr has no entry for player 'model', only for critic"),
        ({"schedule": None}, "schedule is None; expected a function"),
        ({"optimizer": {"model": "adam"}}, "optimizer is 'adam'; expected a function"),
    ],
)
def test_a_wrong_argument_is_named(keywords, message):
    """The message names the argument and what it got."""
    with pytest.raises(ValueError, match=message):
        quiet(Regression(), 1, **keywords)


def test_a_player_that_is_no_part_of_the_model_is_named():
    """A misspelt player must not silently train nothing."""

    class Misspelt(Regression):
        def losses(self, x, c=None):
            yield "critc", self.net(x).mean()

    with pytest.raises(ValueError, match=r"Misspelt\.losses yielded player 'critc'"):
        quiet(Misspelt(), 1)


def test_a_loss_a_row_is_refused():
    """Summing or averaging is the model's decision."""

    class Rowwise(Regression):
        def losses(self, x, c=None):
            yield "model", self.net(x)[:, 0]

    with pytest.raises(ValueError, match=r"player 'model' has shape \(32,\); yield its mean"):
        quiet(Rowwise(), 1)


def test_data_of_a_strange_kind_is_refused():
    """A list of rows looks like data and is none."""
    with pytest.raises(TypeError, match="data is a list"):
        fit(Regression(), [[1.0]], 1, progress=False)


def test_compile_runs_the_models_parts_compiled_while_training_lasts(monkeypatch):
    """The compiler is replaced by a counter: that parts reach it and then leave it is our share."""
    calls = []

    def compiler(function, **_):
        return lambda *args: calls.append(1) or function(*args)

    monkeypatch.setattr(torch, "compile", compiler)
    compiled, plain = Regression(), Regression()
    quiet(compiled, 3, compile=True)
    quiet(plain, 3)
    assert len(calls) == 3
    assert same_bits(compiled, plain)
    compiled.net(points())
    assert len(calls) == 3
