"""Networks with a sequence as their condition: p(y | c) as an encoder-decoder and as a prefix."""

import itertools

import pytest
import torch
from torch.testing import assert_close

from coursekit.models.ar import LanguageModel
from coursekit.models.diffusion import ClassifierFree, Cosine, Denoiser, Prediction
from coursekit.nets import RNN, DiT, EncoderDecoder, Prefix, Transformer, drop_condition
from coursekit.nets.cross import CrossAttention

V, S, T = 3, 4, 5
SIZES = {"width": 8, "layers": 2, "heads": 2}


def translator(name: str) -> LanguageModel:
    """p(y | c) with symbols 0 .. 2; every parameter is large enough to matter."""
    torch.manual_seed(0)
    nets = {
        "encoder-decoder": lambda: EncoderDecoder(V, V, T, S, **SIZES),
        "prefix": lambda: Prefix(Transformer(V, T + S, **SIZES), S),
    }
    model = LanguageModel(nets[name](), begin=0, length=T).double()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return model.eval()


@pytest.fixture(params=["encoder-decoder", "prefix"])
def model(request):
    return translator(request.param)


def test_the_probabilities_of_all_answers_sum_to_one(model):
    """Over all 3^3 answers to each of two questions."""
    answers = torch.tensor(list(itertools.product(range(V), repeat=3)))
    for c in (torch.tensor([[1, 2, 0]]), torch.tensor([[2, 2, 2]])):
        log_p = model.log_prob(answers, c.expand(len(answers), -1))
        assert_close(log_p.logsumexp(0).exp(), torch.ones((), dtype=torch.double))


def test_every_answer_symbol_sees_all_of_the_question_and_none_of_the_future(model):
    """By gradients of the logits with respect to the embedded symbols."""
    y, c = torch.tensor([[1, 2, 0, 1, 2]]), torch.tensor([[2, 0, 1, 1]])
    seen = {}

    def keep(module, args, out):
        out.retain_grad()
        seen[len(seen)] = out

    net = model.net
    embeds = [net.source, net.embed.symbol] if isinstance(net, EncoderDecoder) else [net.net.embed]
    handles = [embed.register_forward_hook(keep) for embed in embeds]
    logits = model.logits(y, c)
    for i in range(T):
        for out in seen.values():
            out.grad = None
        logits[0, i].square().sum().backward(retain_graph=True)
        parts = [out.grad[0].abs().sum(-1) for out in seen.values()]
        source, tokens = parts if len(parts) == 2 else parts[0].split([S, T])
        assert (source > 0).all()
        assert (tokens[: i + 1] > 0).all()  # begin, y_1 .. y_{i-1}
        assert (tokens[i + 1 :] == 0).all()
    for handle in handles:
        handle.remove()


def test_cached_generation_equals_the_full_pass(model):
    """The same answers symbol by symbol with a memory and without; logits, too."""
    c = torch.randint(V, (6, S), generator=torch.Generator().manual_seed(1))
    drawn = []
    for cached in (True, False):
        torch.manual_seed(2)
        drawn.append(model.sample(6, c, cached=cached, progress=False))
    assert torch.equal(*drawn)
    memory = model.net.memory(6, T)
    steps = [model.net(drawn[0][:, t : t + 1], c, memory) for t in range(T)]
    assert_close(torch.cat(steps, 1), model.net(drawn[0], c))


def test_questions_may_be_shorter(model):
    c = torch.tensor([[1, 2]])
    assert model.sample(1, c, progress=False).shape == (1, T)


@pytest.mark.parametrize(
    ("c", "named"),
    [
        (None, "needs a condition"),
        (torch.zeros(2, S + 1, dtype=torch.long), r"shape \(2, 5\)"),
        (torch.zeros(1, S, dtype=torch.long), r"shape \(1, 4\); expected symbols, long \(2, S\)"),
        (torch.full((2, S), 1.7), "c is torch.float32"),
        (torch.full((2, S), V), "holds 3 to 3"),
    ],
)
def test_what_is_no_question_is_named(model, c, named):
    with pytest.raises(ValueError, match=named):
        model.sample(2, c, progress=False)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: EncoderDecoder(V, V, width=10, heads=4), "width is 10 and heads 4"),
        (lambda: CrossAttention(10, 4), "width is 10 and heads 4"),
        (lambda: Prefix(RNN(V, width=8), S), "RNN must have a context"),
        (lambda: Prefix(Transformer(V, T + S, **SIZES, c_dim=2), S), "no condition of its own"),
        (
            lambda: beyond(EncoderDecoder(V, V, T, S, **SIZES)),
            "3 tokens; expected at most 2, of a context of 5",
        ),
        (lambda: beyond(Prefix(Transformer(V, T + S, **SIZES), S)), "7 tokens; expected at most 6"),
    ],
)
def test_sizes_that_do_not_fit_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def beyond(net: torch.nn.Module) -> None:
    """A question and one token more than there is room for."""
    net(torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, S, dtype=torch.long), net.memory(1, 2))


def test_symbols_are_guided_in_any_precision():
    """bfloat16 holds whole numbers up to 256 only: larger symbols would become others."""
    seen = []

    class Reads:
        path, c_dim = Cosine(), 0

        def predict(self, x_t, t, c):
            seen.append(c)
            return Prediction(x_t, t, self.path, x_t, x_t)

    x, c = torch.zeros(2, 3, dtype=torch.bfloat16), torch.tensor([[257, 300], [1001, 5]])
    ClassifierFree(Reads(), 3.0).predict(x, torch.ones(2, dtype=torch.bfloat16), c)
    assert torch.equal(seen[0], torch.cat([torch.zeros_like(c), c]))


def test_a_dit_starts_from_one_kind_of_weights():
    """Tables of symbols as in other nets with attention, maps by Xavier, ways out zero."""
    net = DiT((1, 8, 8), width=64, layers=1, heads=2, c_tokens=(100, 50))
    for table in (net.source.symbol.weight, net.source.place.weight):
        assert table.std().item() == pytest.approx(0.02, rel=0.1)
    bound = (6 / (64 + 64)) ** 0.5
    assert 0.9 * bound < net.cross[0].q.weight.abs().max() <= bound
    assert not net.cross[0].q.bias.any()
    assert not net.cross[0].out.weight.any()


def test_a_dit_attends_to_a_text():
    """At first it ignores it; with weights in the way out it sees every symbol, and zeros mean none."""
    torch.manual_seed(0)
    net = DiT((1, 8, 8), width=8, layers=2, heads=2, c_tokens=(V, S)).double()
    x, t, c = (
        torch.randn(2, 1, 8, 8).double(),
        torch.rand(2).double(),
        torch.tensor([[1, 2, 1, 0], [2, 2, 1, 1]]),
    )
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.3 * torch.randn_like(p))
        out = net(x, t, c)
        for place in range(S):
            other = c.clone()
            other[:, place] = (c[:, place] + 1) % V
            assert (net(x, t, other) != out).flatten(1).any(1).all()
        nothing = drop_condition(c, torch.tensor([True, False]), 0)
        assert_close(nothing, torch.tensor([[0, 0, 0, 0], [2, 2, 1, 1]]))
        guided = ClassifierFree(Denoiser(net, Cosine()), 3.0).predict(x, t, c)
        with_c, without = (Denoiser(net, Cosine()).predict(x, t, each) for each in (c, torch.zeros_like(c)))
    assert_close(guided.eps, without.eps + 3 * (with_c.eps - without.eps))
    with pytest.raises(ValueError, match="two must be left out"):
        DiT((1, 8, 8), width=8, heads=2, c_dim=3, c_tokens=(V, S))
