"""Language models: probabilities that sum to one, and draws that are the same with a memory and without."""

import itertools

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from coursekit.models.ar import LanguageModel
from coursekit.nets import RNN, Transformer

V, T, CONTEXT = 3, 4, 6
NETS = {
    "rnn": lambda c_dim=0: RNN(V, 8, cell=nn.RNN, c_dim=c_dim),
    "gru": lambda c_dim=0: RNN(V, 8, layers=2, cell=nn.GRU, embedding=4, c_dim=c_dim),
    "lstm": lambda c_dim=0: RNN(V, 8, cell=nn.LSTM, c_dim=c_dim),
    "gpt, learnt positions": lambda c_dim=0: Transformer(V, CONTEXT, 8, 2, 2, c_dim),
    "gpt, rotary": lambda c_dim=0: Transformer(V, CONTEXT, 8, 2, 2, c_dim, rotary=True),
}
ALL = torch.tensor(list(itertools.product(range(V), repeat=T)))  # every sequence there is, (81, 4)


def model(name: str, begin: int | None = 1, c_dim: int = 0) -> LanguageModel:
    """In double precision, with weights far from uniform predictions."""
    torch.manual_seed(0)
    net = NETS[name](c_dim).double()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.7)
    return LanguageModel(net, begin, length=T).eval()


@pytest.fixture(params=NETS)
def name(request):
    return request.param


def drawn(lm: LanguageModel, seed: int = 5, **keywords) -> torch.Tensor:
    """Symbols from one seed."""
    torch.manual_seed(seed)
    return lm.sample(6, progress=False, **keywords)


def test_the_probabilities_of_all_sequences_sum_to_one(name):
    """The chain rule needs no normalizing constant; 3^4 sequences, given a condition too."""
    assert model(name).log_prob(ALL).exp().sum().item() == pytest.approx(1, abs=1e-12)
    c = torch.full((len(ALL),), 2)
    assert model(name, c_dim=3).log_prob(ALL, c).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_without_a_first_symbol_of_its_own_the_sum_is_one_for_each_first_symbol(name):
    """Then x_1 is given, and p(x_2, ..., x_T | x_1) is what is scored."""
    p = model(name, begin=None).log_prob(ALL).exp()
    assert_close(p.view(V, -1).sum(1), torch.ones(V, dtype=torch.double))


def test_log_prob_is_the_sum_of_conditionals_read_one_by_one(name):
    """By hand: softmax of the logits after each prefix, the entry of the symbol that comes."""
    lm = model(name)
    x = ALL[40]
    total = 0.0
    for t in range(T):
        prefix = torch.cat([torch.tensor([1]), x[:t]])[None]
        total += lm.net(prefix)[0, -1].softmax(-1)[x[t]].log()
    assert_close(lm.log_prob(x[None])[0], total)


def test_the_loss_is_nats_per_scored_symbol(name):
    """So that texts of different lengths compare: T of T with a first symbol of its own, else T - 1."""
    for begin, scored in ((1, T), (None, T - 1)):
        lm = model(name, begin)
        ((player, loss),) = lm.losses(ALL)
        assert player == "model"
        assert_close(loss, -lm.log_prob(ALL).mean() / scored)


@pytest.mark.parametrize("length", [T, CONTEXT, 2 * CONTEXT + 1])
@pytest.mark.parametrize("begin", [1, None])
def test_symbols_drawn_with_a_memory_are_those_drawn_without(name, length, begin):
    """Under the same noise; within the context, up to its end and beyond."""
    settings = {"length": length, "prompt": torch.tensor([2, 0]), "temperature": 1.3, "top_p": 0.9}
    lm = model(name, begin)
    symbols = drawn(lm, **settings)
    assert symbols.shape == (6, 2 + length)
    assert len(symbols.unique(dim=0)) > 1
    assert torch.equal(symbols, drawn(lm, cached=False, **settings))


def test_beyond_the_context_the_last_symbols_are_all_that_counts():
    """The greedy symbol is that of the last `context` ones, read as if nothing had been before."""
    lm = model("gpt, learnt positions", begin=None)
    symbols = drawn(lm, prompt=torch.tensor([0]), length=3 * CONTEXT, temperature=0.0)
    for t in range(CONTEXT, symbols.shape[1]):
        last = symbols[:, t - CONTEXT : t]
        assert torch.equal(symbols[:, t], lm.net(last)[:, -1].argmax(-1))


def test_draws_have_the_models_probabilities():
    """40,000 sequences of 3 symbols: each of the 27 frequencies within 5 standard errors of exp(log_prob)."""
    lm = model("gru")
    torch.manual_seed(0)
    x = lm.sample(40_000, length=3, progress=False)
    frequency = (x @ torch.tensor([9, 3, 1])).bincount(minlength=27) / len(x)
    p = lm.log_prob(torch.tensor(list(itertools.product(range(V), repeat=3)))).exp()
    assert ((frequency - p).abs() <= 5 * (p * (1 - p) / len(x)).sqrt()).all()


def test_temperature_0_takes_the_likeliest_symbol_each_time(name):
    """A hundred seeds make no difference."""
    lm = model(name)
    symbols = drawn(lm, temperature=0.0)
    assert torch.equal(symbols, drawn(lm, seed=99, temperature=0.0, cached=False))
    assert torch.equal(symbols, lm.logits(symbols).argmax(-1))


def test_a_row_that_drew_the_stop_symbol_holds_nothing_else_from_there(name):
    """Before it the row is what it is without a stop; when all rows have it, drawing ends."""
    lm = model(name)
    free = drawn(lm, length=40, temperature=4.0)
    stopped = drawn(lm, length=40, temperature=4.0, stop=2)
    ends = [row.tolist().index(2) for row in free]
    assert stopped.shape[1] == max(ends) + 1 < 40
    for row, stopped_row, end in zip(free, stopped, ends, strict=True):
        assert_close(stopped_row[: end + 1], row[: end + 1])
        assert (stopped_row[end:] == 2).all()


def test_a_stop_symbol_in_the_prompt_stops_nothing():
    """It is part of the question."""
    x = drawn(model("lstm"), prompt=torch.tensor([2, 2]), stop=2, temperature=4.0)
    assert (x[:, 2] != 2).any()


def test_every_row_may_have_a_prompt_of_its_own():
    lm = model("gpt, rotary")
    prompts = torch.randint(V, (6, 3), generator=torch.Generator().manual_seed(0))
    assert torch.equal(drawn(lm, prompt=prompts)[:, :3], prompts)
    assert torch.equal(drawn(lm, prompt=prompts[0])[:, :3], prompts[:1].expand(6, 3))


def test_conditions_change_probabilities_and_draws(name):
    """Labels and their one-hot rows mean the same."""
    lm = model(name, c_dim=2)
    zero, one = torch.zeros(len(ALL), dtype=torch.long), torch.ones(len(ALL), dtype=torch.long)
    assert not torch.allclose(lm.log_prob(ALL, zero), lm.log_prob(ALL, one))
    assert_close(lm.log_prob(ALL, one), lm.log_prob(ALL, torch.eye(2).double()[one]))
    greedy = {"length": 20, "temperature": 0.0, "prompt": torch.tensor([0])}
    assert torch.equal(drawn(lm, c=zero[:6], **greedy), drawn(lm, c=zero[:6], cached=False, **greedy))


def test_progress_is_shown_for_every_symbol(capsys):
    model("rnn").sample(1, length=9)
    assert "9/9" in capsys.readouterr().err


def symbols(*values: int) -> torch.Tensor:
    return torch.tensor([values])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda lm: lm.log_prob(symbols(0, 3)), r"x holds symbols 0 to 3; expected 0 \.\. 2"),
        (lambda lm: lm.log_prob(symbols(0, -1)), r"x holds symbols -1 to 0"),
        (lambda lm: lm.log_prob(torch.zeros(1, 2)), r"x is of torch.float32; expected symbols as torch.long"),
        (lambda lm: lm.log_prob(torch.zeros(2).long()), r"shape \(2,\); expected \(B, T\), T at least 2"),
        (lambda lm: lm.log_prob(symbols(0)), "T at least 2"),
        (lambda lm: lm.log_prob(torch.zeros(1, 8).long()), "7 tokens; expected at most 6"),
        (lambda lm: lm.sample(2), "nothing to begin with: pass a prompt"),
        (lambda lm: lm.sample(2, prompt=symbols(0, 1)), r"prompt \(1, 2\), .*expected \(P,\) or \(2, P\)"),
        (lambda lm: lm.sample(2, prompt=symbols(5)[0]), "prompt holds symbols 5 to 5"),
        (lambda lm: lm.sample(2, prompt=symbols(1)[0], length=-1), "length -1"),
        (lambda lm: lm.sample(2, prompt=symbols(1)[0], top_k=0), "top_k is 0"),
        (lambda lm: LanguageModel(lm.net, begin=3), r"begin is 3; expected a symbol, 0 \.\. 2, or None"),
    ],
)
def test_a_wrong_value_is_named(act, message):
    with pytest.raises(ValueError, match=message):
        act(model("gpt, learnt positions", begin=None))
