"""Networks over sequences: nothing looks ahead, and reading on equals reading all."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from coursekit.nets import RNN, Transformer
from coursekit.nets.transformer import rotate, rotations

V, T = 5, 7
NETS = {
    "rnn": lambda c_dim=0: RNN(V, 8, cell=nn.RNN, c_dim=c_dim),
    "gru, two layers": lambda c_dim=0: RNN(V, 8, layers=2, cell=nn.GRU, c_dim=c_dim),
    "lstm, embedded": lambda c_dim=0: RNN(V, 8, cell=nn.LSTM, embedding=6, c_dim=c_dim),
    "gpt, learnt positions": lambda c_dim=0: Transformer(V, T, 8, 2, 2, c_dim),
    "gpt, rotary": lambda c_dim=0: Transformer(V, T, 8, 2, 2, c_dim, rotary=True, bias=False),
}


@pytest.fixture(params=NETS)
def net(request, device):
    """In double precision, with weights large enough that everything has an influence."""
    torch.manual_seed(0)
    net = NETS[request.param]().double().to(device)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return net


def influence(net: torch.nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """Whether the logits at t (row) have a gradient in what is read at s (column), (T, T)."""
    read = {}
    name = "embed" if net.embed is not None else "cell"

    def keep(module, inputs, output=None):
        read["x"] = (inputs[0] if output is None else output).requires_grad_()
        return (read["x"], *inputs[1:]) if output is None else read["x"]

    module = getattr(net, name)
    hook = module.register_forward_hook(keep) if name == "embed" else module.register_forward_pre_hook(keep)
    for p in net.parameters():
        p.requires_grad_(False)
    logits = net(tokens)
    hook.remove()
    rows = [torch.autograd.grad(at.square().sum(), read["x"], retain_graph=True)[0] for at in logits[0]]
    return torch.stack([row[0].abs().sum(-1) > 0 for row in rows])


def test_logits_depend_on_all_tokens_before_and_on_none_after(net, device):
    """Causality by gradients: exactly the lower triangle, the diagonal included."""
    tokens = torch.randint(V, (1, T), device=device)
    assert torch.equal(influence(net, tokens), torch.ones(T, T, dtype=torch.bool, device=device).tril())


@pytest.mark.parametrize("pieces", [[1] * T, [3, 1, 2, 1], [T]], ids=str)
def test_reading_on_gives_the_logits_of_reading_everything(net, pieces, device):
    """One symbol at a time, as in drawing; a prompt first; pieces in the middle, which need a mask."""
    tokens, memory = torch.randint(V, (3, T), device=device), net.memory(3, T)
    logits = [net(piece, None, memory) for piece in tokens.split(pieces, 1)]
    assert_close(torch.cat(logits, 1), net(tokens))


@pytest.mark.parametrize("name", NETS)
def test_the_condition_reaches_every_position(name):
    """Also the first, and one row's condition does not reach another row."""
    torch.manual_seed(0)
    net, tokens = NETS[name](3), torch.randint(V, (2, T))
    a, b = net(tokens, torch.tensor([0, 2])), net(tokens, torch.tensor([1, 2]))
    assert ((a[0] - b[0]).abs().sum(-1) > 0).all()
    assert_close(a[1], b[1], rtol=0, atol=0)


def test_input_and_output_share_one_table():
    """V x width numbers for the symbols, once; the gradient comes from both ends."""
    net = Transformer(V, T, 8, 1, 2)
    one_block = (2 * 2 * 8) + (8 * 24 + 24) + (8 * 8 + 8) + (8 * 32 + 32) + (32 * 8 + 8)
    assert sum(p.numel() for p in net.parameters()) == V * 8 + T * 8 + one_block + 2 * 8
    net(torch.zeros(1, 1, dtype=torch.long))[0, 0, 3].backward()
    assert net.embed.weight.grad.abs().sum(-1).nonzero().flatten().tolist() == [0, 3]  # read 0, asked for 3


def test_rotations_see_distances_alone():
    """(R_s q) . (R_t k) depends on t - s: eq. (16) of the paper, which is why they are used."""
    q, k = torch.randn(2, 6, dtype=torch.double)
    cos, sin = (table.double() for table in rotations(10, 6))
    scores = rotate(q.expand(10, 6), cos, sin) @ rotate(k.expand(10, 6), cos, sin).T
    for distance in range(-9, 10):
        diagonal = scores.diagonal(distance)
        assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-6, rtol=0)


def test_rotary_attention_forgets_where_the_text_began():
    """Equal symbols at another place: other logits with learnt positions, the same ones with rotations."""
    for rotary in (False, True):
        torch.manual_seed(0)
        net = Transformer(V, 12, 8, 1, 2, rotary=rotary).double()
        tokens = torch.tensor([[4, 4, 4, 4, 4, 4]])
        logits = net(tokens)[0]
        assert torch.allclose(logits[2], logits[5]) == rotary


def test_dropout_acts_in_training_alone():
    net = Transformer(V, T, 8, 2, 2, dropout=0.5)
    tokens = torch.randint(V, (2, T))
    assert not torch.equal(net(tokens), net(tokens))
    plain = Transformer(V, T, 8, 2, 2)
    plain.load_state_dict(net.state_dict())
    assert_close(net.eval()(tokens), plain(tokens))


def test_first_weights_let_the_blocks_add_up():
    """GPT-2 divides the maps that add to x by sqrt(2 layers), so that depth does not enlarge x."""
    torch.manual_seed(0)
    net = Transformer(50, 20, 128, layers=8)
    assert net.blocks[3].qkv.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert net.blocks[3].down.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    assert net.blocks[3].out.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)


def test_a_copy_of_a_memory_reads_on_by_itself(net, device):
    """One prompt, two continuations."""
    tokens, memory = torch.randint(V, (1, T), device=device), net.memory(1, T)
    net.requires_grad_(False)
    net(tokens[:, :4], None, memory)
    other = copy.deepcopy(memory)
    net(tokens[:, 4:].flip(1), None, memory)
    assert_close(net(tokens[:, 4:], None, other), net(tokens)[:, 4:])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RNN(V, cell=nn.LSTMCell), "cell must be nn.RNN, nn.GRU or nn.LSTM, got <class"),
        (lambda: Transformer(V, width=10, heads=4), "width is 10 and heads 4; heads must go into width$"),
        (lambda: Transformer(V, width=12, heads=4, rotary=True), "an even number of times"),
        (lambda: Transformer(V, gelu="erf"), "gelu must be 'none', the exact one, or 'tanh', got 'erf'"),
        (lambda: Transformer(V, T, 8)(torch.zeros(1, 8, dtype=torch.long)), "8 tokens; expected at most 7"),
    ],
)
def test_a_wrong_value_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_more_tokens_than_the_memory_was_made_for_are_refused():
    net = Transformer(V, T, 8)
    with pytest.raises(ValueError, match="4 tokens; expected at most 3, of a context of 7"):
        net(torch.zeros(1, 4, dtype=torch.long), None, net.memory(1, 3))
