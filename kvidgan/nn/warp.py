"""Warping: frames moved along a backward flow, and flows of single steps put together.

Every frame and flow here is in pixels, x to the right and y down: out(p) = frame(p + flow(p)).
`warp` may stand in a functional model of unknown batch and frame size, and survives its export.
"""

from typing import Any

from keras import ops

Tensor = Any


def warp(frames: Tensor, flow: Tensor) -> Tensor:
    """Sample frames where a backward flow points, between pixels bilinearly.

    What points outside takes the nearest pixel of the border. A flow that is not a number takes
    the corner, without a gradient. Coordinates and weights are float32 whatever the frames are.

    Args:
        frames: (batch, height, width, channels), floating point.
        flow: (batch, height, width, 2), x and y in pixels.

    Returns:
        A tensor shaped like frames, in their dtype; differentiable in frames and flow.
    """
    # A functional graph has no numbers for unknown sizes: they are counted from the tensor.
    item, row, column = (_count(flow, axis) for axis in range(3))
    height, width = row[:, -1:] + 1, column[:, :, -1:] + 1
    x, left = _position(column, flow[..., 0], width)
    y, top = _position(row, flow[..., 1], height)
    # A pixel's row of the table holds its 2x2 neighbours: one gather, and above all one scatter in
    # its gradient, for what would be four.
    right = _shifted(frames, 2)
    table = ops.concatenate([frames, right, _shifted(frames, 1), _shifted(right, 1)], axis=-1)
    channels = frames.shape[-1]
    table = ops.reshape(table, (-1, 4 * channels))
    near = ops.cast(ops.take(table, (item * height + top) * width + left, axis=0), "float32")
    corners = ops.split(near, 4, axis=-1)
    upper = corners[0] + x * (corners[1] - corners[0])
    lower = corners[2] + x * (corners[3] - corners[2])
    return ops.cast(upper + y * (lower - upper), frames.dtype)


def compose(first: Tensor, then: Tensor) -> Tensor:
    """Join the backward flows t to t-1 and t-1 to t-2 into the one t to t-2.

    Args:
        first: (batch, height, width, 2), pixels: from t to t-1.
        then: Flow from t-1 to t-2, of the same shape.

    Returns:
        (batch, height, width, 2): a pixel goes by `first`, and from there by `then`.
    """
    return first + warp(then, first)


def long_flow(flows: Tensor, steps: int) -> Tensor:
    """Join flows of single steps into the one from the last frame to `steps` frames before.

    Args:
        flows: (batch, time, height, width, 2), pixels: entry t from its frame to the one before.
        steps: How many of the last entries to join, at least 1.

    Returns:
        (batch, height, width, 2).
    """
    flow = flows[:, -1]
    for step in range(2, steps + 1):
        flow = compose(flow, flows[:, -step])
    return flow


def _count(x: Tensor, axis: int) -> Tensor:
    """Return 0, 1, 2... along one of the first three axes, the other two of size 1, int32."""
    line = [slice(None) if i == axis else slice(1) for i in range(3)]
    return ops.cumsum(ops.ones_like(x[(*line, 0)], dtype="int32"), axis=axis) - 1


def _position(grid: Tensor, offset: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far (..., 1) a coordinate inside is beyond a pixel, and that pixel (...)."""
    last = ops.cast(size - 1, "float32")
    place = ops.cast(grid, "float32") + ops.cast(offset, "float32")
    # Not clip or maximum: backends differ in their gradients at the border itself.
    place = ops.where(place >= 0, place, 0.0)
    place = ops.where(place <= last, place, last)
    whole = ops.stop_gradient(ops.floor(place))
    return ops.expand_dims(place - whole, -1), ops.cast(whole, "int32")


def _shifted(x: Tensor, axis: int) -> Tensor:
    """Return each pixel's neighbour below (axis 1) or to the right (2), at the end itself."""
    if axis == 1:
        return ops.concatenate([x[:, 1:], x[:, -1:]], axis=1)
    return ops.concatenate([x[:, :, 1:], x[:, :, -1:]], axis=2)
