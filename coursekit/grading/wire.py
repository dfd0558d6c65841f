"""Values and messages as bytes: JSON and raw numbers, never pickle; nothing is believed unchecked.

A message is two lengths, a JSON header and a body. The header holds a few fields and one value as a tree; the
numbers of its arrays and tensors follow each other in the body.
"""

import json
import math
import struct
import sys
from typing import Any

import numpy as np

from coursekit.grading.notebook import printable
from coursekit.grading.problem import REPORTED, Problem

PREFIX = struct.Struct("<II")  # bytes of the header, bytes of the body
DTYPES = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
DTYPES |= {"bool", "float16", "float32", "float64", "complex64", "complex128"}
LARGEST_INTEGER = 2**1023  # so that an integer is always a float, too
LARGEST_KEY = 2**53
DEEPEST = 16  # lists within lists
MOST_VALUES = 200_000  # in one message, not counting the elements of arrays
MOST_AXES = 16
LONGEST_AXIS = 2**31
MOST_ENTRIES = 1_000  # of a dict
LONGEST_TEXT = 1_000  # characters of a problem
LONGEST_REPLY_TEXT = 100_000  # characters of a text in a reply; one emoji makes four bytes of each
LARGEST_HEADER = 2**23  # bytes, of a reply


class ProtocolError(ValueError):
    """Bytes that are no message."""


def pack(fields: dict[str, Any], value: Any) -> bytes:
    """A message.

    Args:
        fields: name -> text or number; "value" is taken.
        value: a `Problem` of a kind in `REPORTED`; or None, bool, int, float, complex, str, numpy array or
            scalar, torch tensor, or lists, tuples and dicts of those.

    Raises:
        TypeError: a value is of another kind.
    """
    body: list[bytes] = []
    header = json.dumps({**fields, "value": _encode(value, body, 0)}).encode()
    numbers = b"".join(body)
    return PREFIX.pack(len(header), len(numbers)) + header + numbers


def lengths(prefix: bytes, most: int) -> tuple[int, int]:
    """Bytes of the header and of the body of a reply, which follow.

    Raises:
        ProtocolError: they are more than `most`, or the header alone is too long.
    """
    header, body = PREFIX.unpack(prefix)
    if header > LARGEST_HEADER:
        raise ProtocolError(f"a header of {header} bytes came, at most {LARGEST_HEADER} are allowed.")
    if header + body > most:
        raise ProtocolError(f"a message of {header + body} bytes came, at most {most} are allowed.")
    return header, body


def unpack(header: bytes, body: bytes, longest: int = LONGEST_REPLY_TEXT) -> tuple[dict[str, Any], Any]:
    """The fields and the value of a message.

    Args:
        header, body: its two parts.
        longest: characters of a text that are read; the rest of it is left out.

    Raises:
        ProtocolError: these bytes are no message.
    """
    try:
        fields = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the header is no JSON ({type(error).__name__}).") from error
    if not isinstance(fields, dict) or "value" not in fields:
        raise ProtocolError("the header is no object with a value.")
    reader = _Reader(body, longest)
    value = reader.value(fields.pop("value"), 0)
    if reader.at != len(body):
        raise ProtocolError(f"{len(body) - reader.at} bytes of the body belong to no value.")
    return fields, value


def _encode(value: Any, body: list[bytes], depth: int) -> Any:
    if depth > DEEPEST:
        raise TypeError(f"a value is nested more than {DEEPEST} deep.")
    if isinstance(value, dict | list | tuple) and len(value) > MOST_VALUES:
        raise TypeError(f"a value has more than {MOST_VALUES} parts.")
    if isinstance(value, Problem):
        if depth > 0 or value.kind not in REPORTED:
            raise TypeError(f"a problem of kind {value.kind!r} can't be sent here.")
        return {"problem": [value.kind, value.text[:LONGEST_TEXT]]}
    if isinstance(value, np.generic | np.ndarray):
        return _encode_array(np.asarray(value), body, "array" if isinstance(value, np.ndarray) else "scalar")
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _encode_tensor(value, body)
    if isinstance(value, dict):
        if len(value) > MOST_ENTRIES:
            raise TypeError(f"a dict has more than {MOST_ENTRIES} entries.")
        if not all(map(_is_key, value)):
            raise TypeError("a dict has a key that is neither a text nor a small integer.")
        pairs = [[_encode(k, body, depth + 1), _encode(v, body, depth + 1)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, list | tuple):
        name = "list" if isinstance(value, list) else "tuple"
        return {name: [_encode(item, body, depth + 1) for item in value]}
    return _encode_plain(value)


def _encode_plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int) and abs(value) < LARGEST_INTEGER:
        return int(value)
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    raise TypeError(f"an object of type {type(value).__name__} can't be sent.")


def _encode_array(array: np.ndarray, body: list[bytes], name: str) -> dict[str, Any]:
    if array.dtype.name not in DTYPES:
        raise TypeError(f"an array of dtype {array.dtype} can't be sent.")
    body.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return {name: [array.dtype.name, list(array.shape)]}


def _encode_tensor(tensor: Any, body: list[bytes]) -> dict[str, Any]:
    torch = sys.modules["torch"]
    dtype = str(tensor.dtype).removeprefix("torch.")
    if tensor.device.type != "cpu" or tensor.layout != torch.strided or dtype not in DTYPES | {"bfloat16"}:
        raise TypeError(f"a tensor of {tensor.dtype} on {tensor.device} can't be sent.")
    plain = tensor.detach().resolve_conj().resolve_neg()
    plain = plain.view(torch.int16) if dtype == "bfloat16" else plain
    body.append(plain.contiguous().numpy().tobytes())
    return {"tensor": [dtype, list(tensor.shape), bool(tensor.requires_grad)]}


def _is_key(value: Any) -> bool:
    """Whether it may be a key. Many large numbers with one hash would keep this process busy for minutes."""
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < LARGEST_KEY)


class _Reader:
    """Builds a value from its tree, and takes the numbers of its arrays from the body, in order."""

    def __init__(self, body: bytes, longest: int):
        self.body, self.longest = body, longest
        self.at = self.count = 0

    def value(self, tree: Any, depth: int) -> Any:
        self.count += 1
        if depth > DEEPEST or self.count > MOST_VALUES:
            raise ProtocolError("a value is nested too deep, or has too many parts.")
        if tree is None or isinstance(tree, bool | float):
            return tree
        if isinstance(tree, str):
            return printable(tree[: self.longest])
        if isinstance(tree, int) and abs(tree) < LARGEST_INTEGER:
            return tree
        match tree:
            case {"list": list(items), **rest} if not rest:
                return [self.value(item, depth + 1) for item in items]
            case {"tuple": list(items), **rest} if not rest:
                return tuple(self.value(item, depth + 1) for item in items)
            case {"dict": list(pairs), **rest} if not rest:
                return self.dict(pairs, depth + 1)
            case {"problem": [str(kind), str(text)], **rest} if not rest:
                return self.problem(kind, text, depth)
        return self.number(tree)

    def problem(self, kind: str, text: str, depth: int) -> Problem:
        """Only in place of a whole value: within one, nobody would look for it, and its text would pass."""
        if depth > 0 or kind not in REPORTED:
            raise ProtocolError("a problem stands in a wrong place, or is of a wrong kind.")
        return Problem(kind, self.value(text[:LONGEST_TEXT], depth))

    def dict(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        if len(pairs) > MOST_ENTRIES:
            raise ProtocolError(f"a dict has more than {MOST_ENTRIES} entries.")
        if not all(isinstance(pair, list) and len(pair) == 2 and _is_key(pair[0]) for pair in pairs):
            raise ProtocolError("a dict is not made of pairs of a key and a value.")
        return {self.value(key, depth): self.value(item, depth) for key, item in pairs}

    def number(self, tree: Any) -> Any:
        match tree:
            case {"complex": [float(real), float(imaginary)], **rest} if not rest:
                return complex(real, imaginary)
            case {"scalar": [str(dtype), []], **rest} if not rest:
                return self.array(dtype, [])[()]
            case {"array": [str(dtype), list(shape)], **rest} if not rest:
                return self.array(dtype, shape)
            case {"tensor": [str(dtype), list(shape), bool(grad)], **rest} if not rest:
                return _tensor(self.array("int16" if dtype == "bfloat16" else dtype, shape), dtype, grad)
        raise ProtocolError("a value is of no known kind.")

    def array(self, dtype: str, shape: list[Any]) -> np.ndarray:
        axes = all(type(n) is int and 0 <= n < LONGEST_AXIS for n in shape)
        if dtype not in DTYPES or not axes or len(shape) > MOST_AXES:
            raise ProtocolError("an array has a strange dtype or shape.")
        stored = np.dtype("uint8" if dtype == "bool" else dtype).newbyteorder("<")
        count = math.prod(shape)
        start, self.at = self.at, self.at + count * stored.itemsize
        if self.at > len(self.body):
            raise ProtocolError("an array is longer than the body.")
        flat = np.frombuffer(self.body, stored, count, start) if count else np.empty(0, stored)
        try:
            return flat.astype(dtype).reshape(shape)  # makes True of any byte but zero
        except ValueError as error:
            raise ProtocolError("an array has an impossible shape.") from error


def _tensor(numbers: np.ndarray, dtype: str, grad: bool) -> Any:
    import torch

    plain = torch.from_numpy(numbers)
    tensor = plain.view(torch.bfloat16) if dtype == "bfloat16" else plain
    if grad and not (tensor.is_floating_point() or tensor.is_complex()):
        raise ProtocolError("a tensor of integers has a gradient.")
    return tensor.requires_grad_(grad)
