"""A Hugging Face GPT-2 and a Transformer with its weights are one function."""

import pytest
import torch
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel

from coursekit.nets import Transformer, load_gpt2


def gpt(layers: int = 3, gelu: str = "tanh", rotary: bool = False) -> Transformer:
    return Transformer(50, 16, 24, layers, 4, rotary=rotary, gelu=gelu)


@pytest.fixture(scope="module")
def gpt2() -> GPT2LMHeadModel:
    """Small, with weights ten times as wide as GPT-2's, so that every part shows in the logits."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=50, n_positions=16, n_embd=24, n_layer=3, n_head=4, initializer_range=0.2, use_cache=False
    )
    model = GPT2LMHeadModel(config).double().eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, 0.1, 0.2)  # biases and norms too, which start at 0 and 1
    return model


def test_the_logits_are_those_of_the_peer(gpt2):
    """Weights loaded by name, matrices transposed; in double precision to its last digits."""
    net = load_gpt2(gpt().double(), gpt2.state_dict())
    tokens = torch.randint(50, (5, 16))
    with torch.no_grad():
        assert_close(net(tokens), gpt2(tokens).logits, rtol=1e-9, atol=1e-9)


def test_the_names_of_a_file_without_the_head_are_known_too(gpt2):
    """Published files hold the bare model, and older ones the constant masks."""
    bare = gpt2.transformer.state_dict() | {"h.0.attn.bias": torch.ones(1, 1, 16, 16)}
    net = load_gpt2(gpt().double(), bare)
    assert torch.equal(net.embed.weight, gpt2.transformer.wte.weight)


def test_weights_of_another_shape_are_refused(gpt2):
    """Two layers for three, and no positions for learnt ones."""
    with pytest.raises(ValueError, match=r"(?s)not those of a GPT-2 of this shape.*Unexpected.*blocks\.2"):
        load_gpt2(gpt(layers=2), {k: v.float() for k, v in gpt2.state_dict().items()})
    with pytest.raises(ValueError, match=r"(?s)not those of a GPT-2.*position\.weight"):
        load_gpt2(gpt(rotary=True), gpt2.state_dict())


def test_the_exact_gelu_is_refused(gpt2):
    """The weights would fit, and the logits be a little off."""
    with pytest.raises(ValueError, match="gelu is 'none'; GPT-2 has the approximation"):
        load_gpt2(gpt(gelu="none"), gpt2.state_dict())
