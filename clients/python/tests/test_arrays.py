"""What may be sent: arrays of any kind that there is, in the memory that they have."""

from __future__ import annotations

import array
import ctypes
import io
import mmap
import sys

import numpy as np
import pytest

import penstock
from penstock._arrays import as_array


def address(view):
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def values(sent):
    """The numbers, as NumPy reads them from the file that would be sent."""
    return np.load(io.BytesIO(sent.head() + bytes(sent.data)))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "u2", "f4", "f8", "f2", "u4", "u8", "i1"])
def test_a_contiguous_array_is_sent_from_its_own_memory(dtype):
    numbers = np.arange(24).astype(dtype).reshape(2, 3, 4)
    sent = as_array(numbers)
    assert address(sent.data) == numbers.ctypes.data
    assert sent.shape == (2, 3, 4) and sent.dtype == numbers.dtype.name
    np.testing.assert_array_equal(values(sent), numbers)


@pytest.mark.parametrize(
    "changed",
    [
        lambda numbers: numbers[::2],
        lambda numbers: numbers.transpose(2, 0, 1),
        lambda numbers: np.asfortranarray(numbers),
        lambda numbers: numbers[:, ::-1],
        lambda numbers: numbers.astype(numbers.dtype.newbyteorder(">")),
        lambda numbers: np.broadcast_to(numbers[:1], numbers.shape),
        lambda numbers: numbers[:0],
    ],
    ids=["stride", "transposed", "Fortran", "reversed", "big-endian", "broadcast", "empty"],
)
@pytest.mark.parametrize("dtype", ["<i2", "<f4", "<f8"])
def test_an_array_that_lies_otherwise_is_laid_out_first(changed, dtype):
    numbers = changed(np.arange(60).astype(dtype).reshape(3, 4, 5))
    np.testing.assert_array_equal(values(as_array(numbers)), numbers)


def test_buffers_without_numpy_have_their_type_and_shape():
    samples = array.array("f", [0.5, -0.5, 1])
    sent = as_array(samples)
    assert (sent.dtype, sent.shape) == ("float32", (3,))
    assert address(sent.data) == samples.buffer_info()[0]
    shaped = memoryview(bytearray(24)).cast("h", (4, 3))
    assert (as_array(shaped).dtype, as_array(shaped).shape) == ("int16", (4, 3))


@pytest.mark.parametrize("of", [bytes, bytearray, memoryview, lambda data: mmap.mmap(-1, 4)])
def test_plain_bytes_have_neither(of):
    sent = as_array(of(b"abcd"))
    assert (sent.dtype, sent.shape, sent.nbytes) == (None, None, 4)


class OnlyDLPack:
    """What JAX's and CuPy's arrays are to others: no buffer, but DLPack."""

    def __init__(self, numbers, kind=1):
        self.numbers, self.kind = numbers, kind

    def __dlpack__(self, **further):
        return self.numbers.__dlpack__(**further)

    def __dlpack_device__(self):
        return (self.kind, 0)


def test_an_array_with_dlpack_alone_is_sent_from_its_own_memory():
    numbers = np.arange(6, dtype="f4").reshape(3, 2)
    sent = as_array(OnlyDLPack(numbers))
    np.testing.assert_array_equal(values(sent), numbers)
    assert np.frombuffer(sent.data, "u1").ctypes.data == numbers.ctypes.data


class OnlyInterface:
    """A Pillow image, to others."""

    def __init__(self, numbers):
        self.numbers = numbers
        self.__array_interface__ = numbers.__array_interface__


def test_an_array_by_numpys_interface_is_taken():
    numbers = np.arange(12, dtype="u1").reshape(2, 2, 3)
    np.testing.assert_array_equal(values(as_array(OnlyInterface(numbers))), numbers)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ([1, 2, 3], "a list is no array; what can be sent is a NumPy array, a tensor"),
        ("text", "a str is no array"),
        (None, "a NoneType is no array"),
        (np.zeros(3, "c8"), "an array of complex64 can't be sent; streams take uint8"),
        (np.zeros(3, bool), "an array of bool can't be sent"),
        (np.zeros(3, "M8[s]"), "an array of datetime64"),
        (np.array(["a"]), "can't be sent"),
        (np.zeros(3, "f4,i2"), "can't be sent"),
        (OnlyDLPack(np.zeros(3), kind=2), "on a GPU is brought over by PyTorch, which is not installed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_numbers_is_refused_with_what_would_be(what, says, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(penstock.InvalidArray, match=says.replace("(", r"\(")):
        as_array(what)


def test_the_head_is_what_numpy_writes():
    numbers = np.arange(6, dtype="<i2").reshape(3, 2)
    file = io.BytesIO()
    np.save(file, numbers)
    assert as_array(numbers).head() == file.getvalue()[: -numbers.nbytes]
    np.testing.assert_array_equal(np.load(io.BytesIO(as_array(numbers).head(1) + numbers[1:].tobytes())), numbers[1:])
