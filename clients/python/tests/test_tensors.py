"""PyTorch's tensors as arrays; run where PyTorch is."""

from __future__ import annotations

import io

import numpy as np
import pytest

import penstock
from penstock._arrays import as_array

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-python-torch")


def values(sent):
    return np.load(io.BytesIO(sent.head() + bytes(sent.data)))


def address(sent):
    return np.frombuffer(sent.data, np.uint8).ctypes.data


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "uint16", "float16", "float32", "float64"])
def test_a_contiguous_tensor_is_sent_from_its_own_memory(dtype):
    tensor = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, dtype))
    sent = as_array(tensor)
    assert address(sent) == tensor.data_ptr() and (sent.dtype, sent.shape) == (dtype, (2, 3, 4))
    np.testing.assert_array_equal(values(sent), tensor.numpy())


@pytest.mark.parametrize(
    "changed",
    [
        lambda tensor: tensor.permute(2, 0, 1),
        lambda tensor: tensor[:, ::2],
        lambda tensor: tensor[:1].expand(5, 3, 4),
        lambda tensor: torch.ones(3, 2, requires_grad=True) * 2,
        lambda tensor: torch.complex(tensor, tensor).conj().imag,
        lambda tensor: tensor[:0],
        lambda tensor: tensor.contiguous(memory_format=torch.contiguous_format),
    ],
    ids=["permuted", "stride", "expanded", "gradient", "negative", "empty", "contiguous"],
)
def test_a_tensor_that_lies_otherwise_is_laid_out_first(changed):
    tensor = changed(torch.arange(24, dtype=torch.float32).reshape(2, 3, 4))
    np.testing.assert_array_equal(values(as_array(tensor)), tensor.detach().resolve_neg().numpy())


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: torch.zeros(2, dtype=torch.bfloat16), r"tensor of bfloat16 can't be sent; \.float\(\) makes float32"),
        (lambda: torch.zeros(2, dtype=torch.complex64), "tensor of complex64 can't be sent; streams take"),
        (lambda: torch.zeros(2, dtype=torch.bool), "tensor of bool can't be sent"),
        (lambda: torch.zeros(2, 2).to_sparse(), r"layout torch\.sparse_coo can't be sent; \.to_dense"),
        (lambda: torch.zeros(2, device="meta"), "no numbers to send"),
    ],
    ids=["bfloat16", "complex", "bool", "sparse", "meta"],
)
def test_a_tensor_that_no_stream_takes_is_refused_with_what_would_be(made, says):
    with pytest.raises(penstock.InvalidArray, match=says):
        as_array(made())


class OnlyDLPack:
    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, **further):
        return self.tensor.__dlpack__(**further)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


def test_a_tensor_by_dlpack_alone_is_sent_from_its_own_memory():
    tensor = torch.arange(6, dtype=torch.float32)
    sent = as_array(OnlyDLPack(tensor))
    assert address(sent) == tensor.data_ptr()
    np.testing.assert_array_equal(values(sent), tensor.numpy())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_tensor_on_a_gpu_is_brought_over():
    tensor = torch.arange(24, dtype=torch.float32, device="cuda").reshape(2, 3, 4)
    np.testing.assert_array_equal(values(as_array(tensor)), tensor.cpu().numpy())


def test_tensors_are_encoded(client):
    samples = torch.arange(-800, 800, dtype=torch.int16).reshape(800, 2)
    assert client.encode(samples, format="s16le", sample_rate=8000) == samples.numpy().tobytes()
