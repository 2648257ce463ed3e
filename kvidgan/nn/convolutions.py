"""Convolution layers in the form that the device compiles well, with stock weights and config.

XLA's CPU compiler has slow paths for the gradients of 3-D and of strided transposed convolutions
(25 and 15 times slower than TensorFlow's, measured). On JAX with a CPU these layers compute the
same numbers from 2-D convolutions; everywhere else they are Keras' own. They take the arguments of
the Keras layers of the same name, and hold the same weights in the same order.
"""

from functools import cache
from typing import Any

import keras
from keras import ops

Tensor = Any


@cache
def xla_on_cpu() -> bool:
    """Whether convolutions here will be compiled by XLA for a CPU."""
    if keras.backend.backend() != "jax":
        return False
    return all(device.startswith("cpu") for device in keras.distribution.list_devices())


class Conv3D(keras.layers.Conv3D):
    """A 3-D convolution, on XLA's CPU a sum of 2-D ones over the kernel's time taps."""

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Convolve (batch, time, height, width, channels) with a (t, h, w, in, out) kernel."""
        plain = self.groups == 1 and set(self.dilation_rate) == {1}
        if not (xla_on_cpu() and plain and self.data_format == "channels_last"):
            return super().convolution_op(inputs, kernel)
        return conv3d_by_taps(inputs, kernel, self.strides, self.padding)


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """A transposed convolution, on XLA's CPU a product or one small convolution per sub-pixel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Up-sample (batch, height, width, channels)."""
        plain = self.output_padding is None and set(self.dilation_rate) == {1}
        if not (xla_on_cpu() and plain and self.data_format == "channels_last"):
            return super().call(inputs)
        reaches = all(k >= s for k, s in zip(self.kernel_size, self.strides, strict=True))
        if self.padding == "valid" and inputs.shape[1:3] == (1, 1) and reaches:
            outputs = _spread(inputs, self.kernel)
        elif self.padding == "same" and reaches:
            outputs = transpose_by_subpixels(inputs, self.kernel, self.strides)
        elif all(k == s + 1 for k, s in zip(self.kernel_size, self.strides, strict=True)):
            # Of one more row and column, of zeros, it is what "same" cuts one from at the end.
            longer = ops.pad(inputs, [(0, 0), (0, 1), (0, 1), (0, 0)])
            outputs = transpose_by_subpixels(longer, self.kernel, self.strides)
            outputs = outputs[:, : 1 - self.strides[0], : 1 - self.strides[1]]
        else:
            return super().call(inputs)
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


def conv3d_by_taps(x: Tensor, kernel: Tensor, strides: tuple, padding: str) -> Tensor:
    """Compute a 3-D convolution as a sum over time taps of 2-D convolutions.

    Args:
        x: (batch, time, height, width, channels).
        kernel: (time taps, height, width, channels, filters).
        strides: In time, height and width.
        padding: "valid" or "same".

    Returns:
        (batch, time', height', width', filters), as `keras.ops.conv`.
    """
    taps, stride = kernel.shape[0], strides[0]
    if padding == "same":
        total = max((-(-x.shape[1] // stride) - 1) * stride + taps - x.shape[1], 0)
        x = ops.pad(x, [(0, 0), (total // 2, total - total // 2), (0, 0), (0, 0), (0, 0)])
    length = (x.shape[1] - taps) // stride + 1
    total = None
    for tap in range(taps):
        frames = x[:, tap : tap + (length - 1) * stride + 1 : stride]
        flat = ops.reshape(frames, (-1, *x.shape[2:]))
        part = ops.conv(flat, kernel[tap], strides=list(strides[1:]), padding=padding)
        total = part if total is None else total + part
    return ops.reshape(total, (-1, length, *total.shape[1:]))


def transpose_by_subpixels(x: Tensor, kernel: Tensor, strides: tuple) -> Tensor:
    """Compute a "same" transposed convolution as one small convolution per output sub-pixel.

    Output row s*m + a draws on the input rows m + o with (kernel row) = a + pad - s*o: each phase a
    has its own few taps, and no zeros are multiplied.

    Args:
        x: (batch, height, width, channels).
        kernel: (height, width, filters, channels), no smaller than the strides.
        strides: In height and width.

    Returns:
        (batch, height * strides[0], width * strides[1], filters).
    """
    height, width = x.shape[1:3]
    rows, row_pad = _phases(kernel.shape[0], strides[0])
    columns, column_pad = _phases(kernel.shape[1], strides[1])
    x = ops.pad(x, [(0, 0), row_pad, column_pad, (0, 0)])
    phases = []
    for first_row, row_taps in rows:
        for first_column, column_taps in columns:
            end_row = first_row + height + len(row_taps) - 1
            end_column = first_column + width + len(column_taps) - 1
            small = ops.stack([kernel[row] for row in row_taps])
            small = ops.stack([small[:, column] for column in column_taps], axis=1)
            patch = x[:, first_row:end_row, first_column:end_column]
            small = ops.transpose(small, (0, 1, 3, 2))
            phases.append(ops.conv(patch, small, strides=1, padding="valid"))
    filters = kernel.shape[2]
    grid = ops.reshape(ops.stack(phases, axis=3), (-1, height, width, *strides, filters))
    grid = ops.transpose(grid, (0, 1, 3, 2, 4, 5))
    return ops.reshape(grid, (-1, height * strides[0], width * strides[1], filters))


def _phases(taps: int, stride: int) -> tuple[list[tuple[int, list[int]]], tuple[int, int]]:
    """For each phase of a stride, its first padded input index and its kernel taps in order."""
    before = (taps - stride) // 2
    offsets = []
    for phase in range(stride):
        reach = [k for k in range(taps) if (phase + before - k) % stride == 0]
        offsets.append({(phase + before - k) // stride: k for k in reach})
    low = -min(min(o) for o in offsets)
    high = max(max(o) for o in offsets)
    pad = (max(low, 0), max(high, 0))
    return [(min(o) + pad[0], [o[i] for i in sorted(o)]) for o in offsets], pad


def _spread(x: Tensor, kernel: Tensor) -> Tensor:
    """Transposed convolution of a single pixel: one matrix product."""
    rows, columns, filters, channels = kernel.shape
    flat = ops.reshape(ops.transpose(kernel, (3, 0, 1, 2)), (channels, -1))
    return ops.reshape(ops.matmul(x[:, 0, 0], flat), (-1, rows, columns, filters))
