"""Sound and pictures for the scripts: tensors where PyTorch is installed, else NumPy arrays of the same numbers.

They are made by arithmetic on integers, so that they are the same everywhere.
"""

import numpy as np

try:
    import torch

    tensor = torch.from_numpy
except ImportError:

    def tensor(array):
        return array


def noise(count, seed=1):
    """Integers from 0 to 32767 in no order."""
    numbers = np.arange(count, dtype=np.uint64) * np.uint64(6364136223846793005) + np.uint64(seed * 1442695040888963407)
    numbers ^= numbers >> np.uint64(29)
    return ((numbers * np.uint64(3202034522624059733)) >> np.uint64(48)).astype(np.int64) >> 1


def integers(count, channels, period=110):
    """Samples of 16 bits, (count, channels): triangles of another pitch in each channel, with some noise."""
    positions = np.arange(count, dtype=np.int64)
    waves = []
    for channel in range(channels):
        length = period + 20 * channel
        triangle = np.abs(positions % length * 2 - length) * 20000 // length - 10000
        waves.append(triangle + (noise(count, channel + 1) - 16384) // 16)
    return np.stack(waves, 1).astype(np.int16)


def waveform(count, channels=1, period=110):
    """float32, (count, channels), from -0.4 to 0.4."""
    return tensor(integers(count, channels, period).astype(np.float32) / np.float32(32768))


def pictures(count, height, width, channels=3):
    """uint8, (count, channels, height, width): gradients that move, with a bright square."""
    t, c, y, x = np.ogrid[:count, :channels, :height, :width]
    values = (x * 2 + y * (c + 1) + t * 5 + (x * y // 16) * (c == 1)) % 256
    square = (abs(x - (t * 3 + 20) % width) < 10) & (abs(y - height // 2) < 10)
    return tensor(np.where(square, 240 - 40 * c, values).astype(np.uint8))
