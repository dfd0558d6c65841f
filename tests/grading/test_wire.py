"""What crosses the pipe: values come back as they were, and nothing else gets through."""

import contextlib
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coursekit.grading.problem import Problem
from coursekit.grading.wire import (
    DEEPEST,
    DTYPES,
    LARGEST_HEADER,
    LONGEST_REPLY_TEXT,
    MOST_ENTRIES,
    MOST_VALUES,
    PREFIX,
    ProtocolError,
    lengths,
    pack,
    unpack,
)

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
PLAIN = st.none() | st.booleans() | NUMBERS | st.text()
ARRAYS = arrays.arrays(
    st.sampled_from(sorted(DTYPES)), arrays.array_shapes(min_dims=0, min_side=0), fill=st.nothing()
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(-1000, 1000), inner, max_size=4)
    ),
    max_leaves=10,
)


def there_and_back(value):
    """The value as it comes out at the other side."""
    data = pack({"id": "a"}, value)
    header, body = lengths(data[: PREFIX.size], len(data))
    assert len(data) == PREFIX.size + header + body
    fields, back = unpack(data[PREFIX.size : PREFIX.size + header], data[PREFIX.size + header :])
    assert fields == {"id": "a"}
    return back


def message(tree, body=b""):
    """Read a message that was made by hand."""
    return unpack(json.dumps({"value": tree}).encode(), body)[1]


@given(VALUES)
def test_plain_values_come_back_as_they_were(value):
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


@given(ARRAYS)
def test_arrays_come_back_bit_by_bit(array):
    back = there_and_back(array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64", "int64", "bool", "complex64"])
def test_tensors_come_back_as_tensors(dtype):
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    back = there_and_back(tensor)
    assert back.dtype == tensor.dtype
    assert torch.equal(back, tensor)


def test_a_tensor_keeps_that_it_wants_a_gradient():
    assert there_and_back(torch.ones(2, requires_grad=True)).requires_grad
    assert not there_and_back(torch.ones(2)).requires_grad


@pytest.mark.parametrize(
    "view",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.arange(3).astype(">i4"),
        torch.arange(12.0).reshape(3, 4).T,
        torch.complex(torch.ones(2), torch.ones(2)).conj(),
    ],
    ids=["transposed", "reversed", "big endian", "transposed tensor", "conjugate"],
)
def test_views_come_back_with_the_numbers_that_they_show(view):
    assert there_and_back(view).tolist() == view.tolist()


def test_scalars_and_problems_keep_their_kind():
    problem = Problem("exception", "ValueError")
    assert there_and_back(problem) == problem
    values = [np.float32(2.5), np.bool_(True), math.inf, -math.inf, 1 + 2j]
    back = there_and_back(values)
    assert back == values
    assert [type(v) for v in back] == [type(v) for v in values]
    assert math.isnan(there_and_back(math.nan))


@pytest.mark.parametrize(
    "value",
    [
        object(),
        print,
        b"bytes",
        {1, 2},
        {(1, 2): 3},
        2**1023,
        np.array([object()]),
        np.array(["text"]),
        np.zeros(2, dtype=[("a", float)]),
        np.zeros(2, dtype="datetime64[s]"),
        torch.ones(2, device="meta"),
        torch.ones(2, 2).to_sparse(),
        [[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]],
        [0] * (MOST_VALUES + 1),
        dict.fromkeys(range(MOST_ENTRIES + 1)),
        [Problem("exception", "")],
        Problem("died", ""),
    ],
    ids=range(17),  # names without an address in memory, which differs from process to process
)
def test_what_can_not_be_sent_is_a_type_error(value):
    with pytest.raises(TypeError):
        pack({}, value)


def test_a_text_without_its_other_half_is_made_printable():
    """JSON carries half a surrogate pair; no file could hold it."""
    assert message("a\ud800") == "a?"


def test_a_bool_is_true_whatever_its_byte():
    """A byte of 7 makes numpy count seven."""
    back = message({"array": ["bool", [3]]}, bytes([7, 0, 1]))
    assert back.tolist() == [True, False, True]
    assert back.sum() == 2


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read():
    assert lengths(PREFIX.pack(10, 20), 30) == (10, 20)
    with pytest.raises(ProtocolError, match="31 bytes"):
        lengths(PREFIX.pack(10, 21), 30)
    with pytest.raises(ProtocolError, match="header"):
        lengths(PREFIX.pack(LARGEST_HEADER + 1, 0), 2**30)


def test_of_a_long_text_only_the_start_is_read():
    assert len(message("a" * (LONGEST_REPLY_TEXT + 1))) == LONGEST_REPLY_TEXT


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'"value"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"value": ' + b"9" * 10_000 + b"}",
        b'{"value": ' + b"[" * 50 + b"]" * 50 + b"}",
    ],
    ids=lambda header: header[:20].decode(errors="replace"),
)
def test_a_header_that_is_none_is_refused(header):
    with pytest.raises(ProtocolError):
        unpack(header, b"")


NESTED = {"list": []}
for _ in range(DEEPEST + 1):
    NESTED = {"list": [NESTED]}


@pytest.mark.parametrize(
    ("tree", "body"),
    [
        ([], b""),
        ({}, b""),
        ({"list": {}}, b""),
        ({"list": [], "tuple": []}, b""),
        (NESTED, b""),
        ({"list": [0] * (MOST_VALUES + 1)}, b""),
        ({"dict": [[1]]}, b""),
        ({"dict": [[{"list": []}, 1]]}, b""),
        ({"dict": [[1.5, 1]]}, b""),
        ({"dict": [[2**61 - 1, 1]]}, b""),
        ({"module": "os"}, b""),
        ({"problem": ["passed", "text"]}, b""),
        ({"problem": ["died", "text"]}, b""),
        ({"problem": ["timeout", "text"]}, b""),
        ({"problem": ["protocol", "text"]}, b""),
        ({"problem": ["value", "text"]}, b""),
        ({"tuple": [{"problem": ["exception", "text"]}]}, b""),
        ({"dict": [["a", {"problem": ["exception", "text"]}]]}, b""),
        ({"dict": [[n, 0] for n in range(MOST_ENTRIES + 1)]}, b""),
        ({"problem": ["value", 1]}, b""),
        ({"complex": [1.0]}, b""),
        ({"complex": ["1", 2.0]}, b""),
        ({"scalar": ["float64", [1]]}, bytes(8)),
        ({"array": ["object", [1]]}, bytes(8)),
        ({"array": ["O", [1]]}, bytes(8)),
        ({"array": ["V8", [1]]}, bytes(8)),
        ({"array": ["float64", [-1]]}, bytes(8)),
        ({"array": ["float64", [True]]}, bytes(8)),
        ({"array": ["float64", [1.0]]}, bytes(8)),
        ({"array": ["float64", [2]]}, bytes(8)),
        ({"array": ["float64", [2**31]]}, bytes(8)),
        ({"array": ["float64", [2**30, 2**30, 2**30]]}, bytes(8)),
        ({"array": ["float64", [1] * 17]}, bytes(8)),
        ({"array": ["float64", [1], "more"]}, bytes(8)),
        ({"array": ["float64", [1]]}, bytes(9)),
        ({"tensor": ["int64", [1], True]}, bytes(8)),
        ({"tensor": ["float64", [1], 1]}, bytes(8)),
        (1, b"a"),
        (2**1023, b""),
    ],
    ids=lambda part: str(part)[:40],
)
def test_a_value_that_is_none_is_refused(tree, body):
    with pytest.raises(ProtocolError):
        message(tree, body)


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_any_bytes_are_a_message_or_a_protocol_error(header, body):
    """Nothing else is raised, so nothing else has to be caught."""
    for start in (b"", b'{"value": '):
        with contextlib.suppress(ProtocolError):
            unpack(start + header, body)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(sorted(DTYPES)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["list", "tuple", "dict", "array", "tensor", "scalar", "complex"]),
            inner,
            max_size=2,
        )
    ),
)


@given(TREES, st.binary(max_size=64))
def test_any_tree_is_a_value_or_a_protocol_error(tree, body):
    with contextlib.suppress(ProtocolError):
        message(tree, body)
