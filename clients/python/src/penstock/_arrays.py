"""Whatever holds numbers, as bytes that can be sent: without a copy where they lie one behind the other."""

from __future__ import annotations

import array
import ctypes
import math
import mmap
import sys
from dataclasses import dataclass
from typing import Any

from ._problems import InvalidArray

#: NumPy's names by kind and size, as type strings have them.
_NAMES = {"u": "uint", "i": "int", "f": "float"}
_KINDS = {**dict.fromkeys("BHILQN", "u"), **dict.fromkeys("bhilqn", "i"), **dict.fromkeys("efd", "f")}
_TYPES_OF_TORCH = {
    "uint8": "|u1", "int8": "|i1", "int16": "<i2", "int32": "<i4", "int64": "<i8",
    "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "float16": "<f2", "float32": "<f4", "float64": "<f8",
}  # fmt: skip
_WANTED = "a NumPy array, a tensor, or an object with the buffer protocol or DLPack"


@dataclass(frozen=True)
class Array:
    """Numbers in C order and little-endian byte order.

    `typestr` is NumPy's type string ("<f4") and `shape` the array's; both are None of plain bytes, of which nothing
    is known. `owner` keeps the memory alive.
    """

    data: memoryview
    typestr: str | None
    shape: tuple[int, ...] | None
    owner: Any = None

    @property
    def nbytes(self) -> int:
        """How many bytes there are."""
        return self.data.nbytes

    @property
    def dtype(self) -> str | None:
        """NumPy's name of the type: "float32"; None of plain bytes."""
        return None if self.typestr is None else dtype_name(self.typestr)

    def head(self, skipped: int = 0) -> bytes:
        """The head of an .npy file of this array, or of what follows its first `skipped` rows."""
        assert self.typestr is not None and self.shape is not None
        shape = (self.shape[0] - skipped, *self.shape[1:])
        text = f"{{'descr': '{self.typestr}', 'fortran_order': False, 'shape': {shape!r}, }}"
        text += " " * (-(10 + len(text) + 1) % 64) + "\n"
        return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("ascii")

    def split(self, rows: int, row_bytes: int) -> tuple[Array, Array]:
        """The first `rows` rows and the others, in the same memory."""
        at = rows * row_bytes
        if self.shape is None:
            return Array(self.data[:at], None, None, self.owner), Array(self.data[at:], None, None, self.owner)
        first, last = (rows, *self.shape[1:]), (self.shape[0] - rows, *self.shape[1:])
        return Array(self.data[:at], self.typestr, first, self.owner), Array(
            self.data[at:], self.typestr, last, self.owner
        )

    def reshaped(self, *shape: int) -> Array:
        """The same numbers under another shape."""
        assert self.shape is not None and math.prod(shape) == math.prod(self.shape)
        return Array(self.data, self.typestr, shape, self.owner)


def dtype_name(typestr: str) -> str:
    """The name of a type string: "float32" of "<f4"."""
    return f"{_NAMES[typestr[1]]}{int(typestr[2:]) * 8}"


def as_array(value: Any) -> Array:
    """What `value` holds. A contiguous array is not copied; one that lies on a GPU is, through pinned memory.

    Raises InvalidArray for what has no numbers, or numbers of a type that no stream takes.
    """
    if isinstance(value, Array):
        return value
    if isinstance(value, (bytes, bytearray, mmap.mmap)):
        return Array(memoryview(value).cast("B"), None, None, value)
    if isinstance(value, memoryview) and value.ndim == 1 and value.format in ("B", "c") and value.c_contiguous:
        return Array(value.cast("B"), None, None, value)
    if _is_tensor(value):
        return _of_tensor(value)
    try:
        view = memoryview(value)
    except (TypeError, ValueError, BufferError) as error:
        return _of_exchange(value, error)
    return _of_view(view, value)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _of_view(view: memoryview, owner: Any) -> Array:
    order, letter = ("@", view.format) if len(view.format) == 1 else (view.format[0], view.format[1:])
    if letter not in _KINDS or order not in "@=<>!":
        raise InvalidArray(f"an array of {_described(owner, view.format)} can't be sent; {_ADVICE}")
    typestr = f"{'|' if view.itemsize == 1 else '<'}{_KINDS[letter]}{view.itemsize}"
    shape = tuple(view.shape or ()) if view.ndim else (1,)
    swapped = view.itemsize > 1 and (order in ">!" or (order in "@=" and sys.byteorder == "big"))
    if swapped:
        values = array.array(f"{'BHILQ'[view.itemsize.bit_length() - 1]}", view.tobytes())
        values.byteswap()
        return Array(memoryview(values).cast("B"), typestr, shape, values)
    if not view.c_contiguous:
        copy = _contiguous(view, owner)
        return Array(copy, typestr, shape, copy)
    if view.nbytes == 0:
        return Array(memoryview(b""), typestr, shape, owner)
    # Explicitly little-endian formats ("<f") are not cast by memoryview, and are rare.
    flat = view.cast("B") if order == "@" else memoryview(view.tobytes())
    return Array(flat, typestr, shape, owner)


def _contiguous(view: memoryview, owner: Any) -> memoryview:
    """A copy in C order; NumPy's own where it is one of its arrays, since that is faster."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(owner, numpy.ndarray):
        return memoryview(numpy.ascontiguousarray(owner)).cast("B") if view.nbytes else memoryview(b"")
    return memoryview(view.tobytes("C"))


_ADVICE = "streams take uint8, int16, int32, int64, uint16, float32 and float64: convert it to the stream's format"


def _described(owner: Any, otherwise: str) -> str:
    return str(getattr(owner, "dtype", otherwise)).removeprefix("torch.")


def _of_tensor(tensor: Any) -> Array:
    torch = sys.modules["torch"]
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in _TYPES_OF_TORCH:
        advice = "; .float() makes float32 of it" if name == "bfloat16" else ""
        raise InvalidArray(f"a tensor of {name} can't be sent{advice}; {_ADVICE}")
    if tensor.layout != torch.strided:
        raise InvalidArray(f"a tensor of the layout {tensor.layout} can't be sent; .to_dense() makes one that can")
    if tensor.is_meta:
        raise InvalidArray("a tensor on the device meta has no numbers to send")
    tensor = tensor.detach().resolve_neg().contiguous()
    if tensor.device.type != "cpu":
        tensor = _brought_over(tensor, torch)
    shape = tuple(int(length) for length in tensor.shape) or (1,)
    size = tensor.numel() * tensor.element_size()
    if size == 0:
        return Array(memoryview(b""), _TYPES_OF_TORCH[name], shape, tensor)
    # From its address, as Tensor.numpy() wants NumPy to be there.
    data = memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B")
    return Array(data, _TYPES_OF_TORCH[name], shape, tensor)


def _brought_over(tensor: Any, torch: Any) -> Any:
    if tensor.device.type != "cuda":
        return tensor.cpu()
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    pinned.copy_(tensor, non_blocking=True)
    torch.cuda.current_stream(tensor.device).synchronize()
    return pinned


def _of_exchange(value: Any, error: Exception) -> Array:
    """What has no buffer, but DLPack or NumPy's array interface."""
    if hasattr(value, "__dlpack__"):
        kind = int(value.__dlpack_device__()[0])
        if kind in (1, 3):
            numpy = _numpy(value)
            try:
                return as_array(numpy.from_dlpack(value))
            except (BufferError, RuntimeError) as reason:
                raise InvalidArray(
                    f"an array of {_described(value, 'this type')} can't be sent ({reason}); {_ADVICE}"
                ) from None
        try:
            import torch
        except ImportError:
            raise InvalidArray(
                f"a {type(value).__name__} on a GPU is brought over by PyTorch, which is not installed; "
                "copy it to the host first"
            ) from None
        return as_array(torch.from_dlpack(value))
    if hasattr(value, "__array_interface__") or hasattr(value, "__array__"):
        numpy = _numpy(value)
        converted = numpy.asarray(value)
        if converted.dtype.kind in "uif":
            return as_array(converted)
        raise InvalidArray(f"an array of {converted.dtype} can't be sent; {_ADVICE}")
    if isinstance(error, (ValueError, BufferError)):
        # NumPy has no buffer of dates, or of what ml_dtypes has added.
        raise InvalidArray(f"an array of {_described(value, 'this type')} can't be sent; {_ADVICE}") from None
    raise InvalidArray(f"a {type(value).__name__} is no array; what can be sent is {_WANTED}") from None


def _numpy(value: Any) -> Any:
    try:
        import numpy
    except ImportError:
        raise InvalidArray(f"a {type(value).__name__} is read by NumPy, which is not installed") from None
    return numpy
