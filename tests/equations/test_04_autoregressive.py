"""Chapter 4: every labelled equation against numbers that were computed another way."""

import itertools
import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn, tensor
from torch.testing import assert_close

from coursekit.models.ar import BernoulliOutput, LanguageModel, PixelModel, next_symbol
from coursekit.nets import FVBN, MADE, Transformer
from coursekit.nets.transformer import Block, rotate, rotations
from tests.equations.registry import checks

D = 6
EVERY = tensor(list(itertools.product((0.0, 1.0), repeat=D)), dtype=torch.float64)  # all binary x, (64, 6)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_weights(net: nn.Module, std: float = 1.0) -> nn.Module:
    """In double precision, far from the first weights."""
    torch.manual_seed(0)
    for p in net.double().parameters():
        nn.init.normal_(p, std=std)
    return net


@checks("chain-rule")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_marginals_divided_and_multiplied_give_the_joint_in_every_order(order):
    """p(x_d | x_<d) as a ratio of two marginals of a table; and back, softmaxes of anything sum to one."""
    joint = normal(24).softmax(0).view(2, 3, 4)
    product = torch.ones_like(joint)
    for d, k in enumerate(order):
        later = order[d + 1 :]
        with_k = joint.sum(later, keepdim=True) if later else joint
        product = product * with_k / with_k.sum(k, keepdim=True)
    assert_close(product, joint)

    first, second = normal(3, seed=1).softmax(0), normal(3, 4, seed=2).softmax(1)
    third = normal(3, 4, 5, seed=3).softmax(2)
    assert_close((first[:, None, None] * second[..., None] * third).sum(), tensor(1.0, dtype=torch.float64))


@checks("table-count")
@pytest.mark.parametrize(("V", "parts"), [(2, 1), (2, 10), (3, 7), (65, 4)])
def test_the_conditional_tables_have_as_many_free_numbers_as_the_joint_table(V, parts):
    """Counted by listing the pasts where they are few, by whole numbers of any size elsewhere."""
    if V**parts < 3000:
        pasts = sum(len(list(itertools.product(range(V), repeat=d))) for d in range(parts))
        assert pasts * (V - 1) == V**parts - 1
    assert sum((V - 1) * V ** (d - 1) for d in range(1, parts + 1)) == V**parts - 1


@checks("ar-nll")
def test_the_mean_of_minus_log_p_is_the_sum_of_the_classifiers_losses():
    """Left from the model; right one classifier at a time, probabilities picked by label, without logits."""
    model = PixelModel(random_weights(MADE((1, 2, 3), hidden=(12,))), BernoulliOutput())
    x = (normal(50, D, seed=4) > 0).double()
    images = x.view(-1, 1, 2, 3)
    one = model.conditionals(images).base_dist.probs.flatten(1)  # p(x_d = 1 | x_<d)
    losses = [
        -torch.stack([1 - one[:, d], one[:, d]], 1)[range(50), x[:, d].long()].log().mean() for d in range(D)
    ]
    assert_close(-model.log_prob(images).mean(), torch.stack(losses).sum())


@checks("fvbn")
def test_the_belief_network_is_the_logistic_regression_on_earlier_pixels_in_0_and_1():
    """The package reads pixels as -1 and +1: W of the formula is twice its matrix, b less its rows' sums."""
    net = random_weights(FVBN((1, 2, 3)))
    A, a = net.out.kernel, net.out.bias
    W, b = 2 * A, a - A.sum(1)
    assert (W.triu() == 0).all()
    one = PixelModel(net, BernoulliOutput()).conditionals(EVERY.view(-1, 1, 2, 3)).base_dist.probs.flatten(1)
    for d in range(D):
        score = b[d] + sum(
            (W[d, j] * EVERY[:, j] for j in range(d)), torch.zeros(len(EVERY), dtype=torch.float64)
        )
        assert_close(one[:, d], 1 / (1 + (-score).exp()))


@checks("made-masks")
@pytest.mark.parametrize("width", [3, 16, 40])
def test_masks_by_degree_leave_no_path_from_a_later_input(width):
    """Paths are counted one by one, for random degrees; and autograd finds none in the package's network."""
    m = torch.randint(1, D, (width,), generator=torch.Generator().manual_seed(width))
    for d, j in itertools.product(range(1, D + 1), repeat=2):
        paths = sum(1 for degree in m.tolist() if degree >= j and d > degree)
        assert paths == 0 or j < d

    net = random_weights(MADE((1, 2, 3), hidden=(width, width)))
    jacobian = torch.autograd.functional.jacobian(lambda x: net(x.view(1, 1, 2, 3)).flatten(), normal(D))
    assert (jacobian.triu() == 0).all()
    assert jacobian.tril(-1).abs().sum() > 0


@checks("ngram-backoff")
def test_smoothed_counts_sum_to_one_and_are_frequencies_without_smoothing():
    """On a ring of 60 symbols; and with kappa = 0 no other table gives the ring a higher likelihood."""
    V, n = 3, 2
    ring = tuple(torch.randint(V, (60,), generator=torch.Generator().manual_seed(0)).tolist())
    around = ring + ring[:n]
    counts = [Counter(around[i : i + k] for i in range(len(ring))) for k in range(n + 2)]

    def p(s: int, u: tuple[int, ...], kappa: float) -> float:
        shorter = p(s, u[1:], kappa) if u else 1 / V
        return (counts[len(u) + 1][(*u, s)] + kappa * shorter) / (counts[len(u)][u] + kappa)

    for u in itertools.chain(*(itertools.product(range(V), repeat=k) for k in range(n))):
        for kappa in (0.5, 2.0, 100.0):
            assert sum(p(s, u, kappa) for s in range(V)) == pytest.approx(1)
        assert p(0, u, 1e9) == pytest.approx(1 / V, abs=1e-5)  # all weight on the uniform distribution

    follow = tensor([[counts[2][(u, s)] for s in range(V)] for u in range(V)], dtype=torch.float64)
    free = torch.zeros(V, V, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([free], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        search.zero_grad()
        value = -(follow * free.log_softmax(1)).sum()
        value.backward()
        return value

    search.step(cost)
    table = tensor([[p(s, (u,), 0.0) for s in range(V)] for u in range(V)], dtype=torch.float64)
    assert_close(free.detach().softmax(1), table, rtol=1e-5, atol=1e-6)


@checks("rnn-gradient")
def test_the_gradient_through_time_is_a_product_of_jacobians_and_shrinks_with_the_norm():
    """Left by autograd through torch's own RNN, right by the formula; the bound by the spectral norm."""
    torch.manual_seed(0)
    rnn = nn.RNN(3, 5, batch_first=True).double()
    e, h0 = normal(1, 7, 3), 0.1 * normal(1, 1, 5, seed=1)
    states = rnn(e, h0)[0][0]  # h_1 .. h_7
    W = rnn.weight_hh_l0.detach()
    product = torch.eye(5, dtype=torch.float64)
    for h in states:
        product = torch.diag(1 - h.detach() ** 2) @ W @ product
    jacobian = torch.autograd.functional.jacobian(lambda h: rnn(e, h)[0][0, -1], h0)[:, 0, 0]
    assert_close(jacobian, product)
    assert torch.linalg.matrix_norm(jacobian, 2) <= torch.linalg.matrix_norm(W, 2) ** 7


@checks("attention")
def test_attention_is_the_weighted_sum_over_earlier_values():
    """Sums written out, against torch's fused attention and against the package's block, one head."""
    torch.manual_seed(0)
    block = Block(8, 1, bias=False).double()
    x = normal(1, 6, 8)
    q, k, v = block.qkv(block.norm1(x))[0].chunk(3, -1)
    rows = []
    for t in range(6):
        weights = [math.exp((q[t] @ k[s]).item() / math.sqrt(8)) for s in range(t + 1)]
        rows.append(sum(w / sum(weights) * v[s] for s, w in enumerate(weights)))
    y = torch.stack(rows)
    assert_close(y, F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0])
    h = x[0] + block.out(y)
    assert_close(block(x)[0], h + block.down(F.gelu(block.up(block.norm2(h)))))


@checks("attention-scale")
@pytest.mark.parametrize("d", [1, 3, 5])
def test_the_score_of_independent_vectors_has_variance_d(d):
    """Exactly, over all pairs of sign vectors, whose entries have mean 0 and variance 1."""
    signs = tensor(list(itertools.product((-1.0, 1.0), repeat=d)), dtype=torch.float64)
    scores = (signs @ signs.T).flatten()
    assert scores.mean() == 0
    assert scores.var(correction=0).item() == pytest.approx(d)
    assert (scores / math.sqrt(d)).var(correction=0).item() == pytest.approx(1)


@checks("rotary")
def test_the_score_of_turned_vectors_depends_on_the_distance_alone():
    """The package turns pairs of reals; the right side multiplies complex numbers, at the distance only."""
    d, length = 8, 12
    q, k = normal(d), normal(d, seed=1)
    cos, sin = rotations(length, d)
    theta = 10_000.0 ** (-torch.arange(d // 2, dtype=torch.float64) / (d // 2))
    a, b = torch.complex(*q.chunk(2)), torch.complex(*k.chunk(2))
    for t, s in ((0, 0), (5, 5), (7, 2), (11, 0), (10, 5)):
        turned = rotate(q, cos[t].double(), sin[t].double()) @ rotate(k, cos[s].double(), sin[s].double())
        expected = (torch.exp(1j * (t - s) * theta) * a * b.conj()).real.sum()
        assert_close(turned, expected, rtol=1e-5, atol=1e-6)  # the package's angles are float32
        if t == s:
            assert_close(turned, q @ k, rtol=1e-5, atol=1e-6)


@checks("perplexity")
def test_perplexity_is_the_inverse_geometric_mean_and_counts_equal_choices():
    """Of a text's probabilities, multiplied out; a model that knows nothing has the vocabulary's size."""
    net = random_weights(Transformer(5, 8, 8, 1, 2), 0.5)
    model, x = LanguageModel(net, begin=0), tensor([[3, 1, 4, 1, 0, 2]])
    p = [net(F.pad(x[:, :t], (1, 0)))[0, -1].softmax(0)[x[0, t]].item() for t in range(6)]
    cost = -model.log_prob(x).item() / 6
    assert math.exp(cost) == pytest.approx(math.prod(p) ** (-1 / 6))
    blank = LanguageModel(random_weights(Transformer(5, 8, 8, 1, 2), 1e-12), begin=0)
    assert math.exp(-blank.log_prob(x).item() / 6) == pytest.approx(5)


@checks("bits-per-character")
def test_bits_per_character_are_the_code_length_over_the_number_of_characters():
    """A text of Chinese and English, under a model of its bytes by their frequencies, added up in bits."""
    text = "深度学习 is deep learning"
    content = text.encode()
    frequency = Counter(content)
    bits = sum(-math.log2(frequency[byte] / len(content)) for byte in content)
    cost = -sum(math.log(frequency[byte] / len(content)) for byte in content) / len(content)
    assert len(content) > len(text)
    assert len(content) / len(text) * cost / math.log(2) == pytest.approx(bits / len(text))


@checks("temperature")
@pytest.mark.parametrize("tau", [0.2, 0.7, 1.0, 3.0])
def test_dividing_logits_by_the_temperature_raises_probabilities_to_a_power(tau):
    """Left the package, from logits; right powers of probabilities, divided by their sum."""
    logits = normal(9)
    powers = logits.softmax(0) ** (1 / tau)
    assert_close(next_symbol(logits, tau), powers / powers.sum())


@checks("nucleus")
@pytest.mark.parametrize("P", [0.1, 0.5, 0.9, 0.99])
def test_the_nucleus_is_the_smallest_set_of_symbols_that_reaches_P(P):
    """Over all 127 sets of seven symbols: the fewest that reach P, and the likeliest of those."""
    p = normal(7, seed=5).softmax(0)
    sets = [c for size in range(1, 8) for c in itertools.combinations(range(7), size)]
    reach = [c for c in sets if p[list(c)].sum() >= P]
    best = min(reach, key=lambda c: (len(c), -p[list(c)].sum().item()))
    expected = torch.zeros_like(p)
    expected[list(best)] = p[list(best)] / p[list(best)].sum()
    assert_close(next_symbol(p.log(), top_p=P), expected)


@checks("cache-cost")
@pytest.mark.parametrize("T", [1, 7, 20])
def test_positions_computed_while_drawing_are_a_triangle_without_a_cache_and_a_line_with_it(T):
    """Counted in a block as the package draws."""
    net = Transformer(5, 20, 8, 2, 2)
    model, seen = LanguageModel(net, begin=0, length=T), []
    net.blocks[-1].register_forward_pre_hook(lambda block, inputs: seen.append(inputs[0].shape[1]))
    model.sample(1, cached=False, progress=False)
    assert sum(seen) == T * (T + 1) / 2
    seen.clear()
    model.sample(1, progress=False)
    assert sum(seen) == T
