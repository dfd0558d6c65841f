"""Weights of a Hugging Face GPT-2 for a `Transformer` of the same shape."""

from collections.abc import Mapping

from torch import Tensor

from coursekit.nets.transformer import Transformer

NAMES = {
    "wte": "embed",
    "wpe": "position",
    "ln_f": "norm",
    "ln_1": "norm1",
    "ln_2": "norm2",
    "attn.c_attn": "qkv",
    "attn.c_proj": "out",
    "mlp.c_fc": "up",
    "mlp.c_proj": "down",
}


def load_gpt2(net: Transformer, tensors: Mapping[str, Tensor]) -> Transformer:
    """Put in the weights of a GPT-2, after which the logits are the same.

    Args:
        net: with learnt positions, biases and gelu="tanh", of the same shape: its `vocabulary`, `context`,
            `width`, `layers`, `heads` are `vocab_size`, `n_positions`, `n_embd`, `n_layer`, `n_head` there.
        tensors: the `state_dict` of `GPT2LMHeadModel` or `GPT2Model`, or the content of its safetensors file.

    Returns:
        The net.

    Raises:
        ValueError: a tensor is missing, is left over, or has another shape; or the net has the exact GELU.
    """
    if net.gelu != "tanh":
        raise ValueError(f'gelu is {net.gelu!r}; GPT-2 has the approximation: Transformer(..., gelu="tanh")')
    state = {}
    for name, value in tensors.items():
        name = name.removeprefix("transformer.")
        if name == "lm_head.weight" or name.endswith((".attn.bias", ".attn.masked_bias")):
            continue  # the table of embeddings once more, and constant masks of older versions
        path, kind = name.rsplit(".", 1)
        block = ""
        if path.startswith("h."):
            _, number, path = path.split(".", 2)
            block = f"blocks.{number}."
        # That code multiplies by the matrix from the left: (in, out), and nn.Linear holds (out, in).
        value = value.T if ".c_" in f".{path}" and kind == "weight" else value
        state[f"{block}{NAMES.get(path, path)}.{kind}"] = value
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"These weights are not those of a GPT-2 of this shape: {error}") from error
    return net
