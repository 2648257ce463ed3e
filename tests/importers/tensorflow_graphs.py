"""Generators as graphs of TensorFlow 1, built here from their descriptions, with random weights."""

import itertools

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

v1 = tf.compat.v1


class Graph:
    """Variables by name in the order in which they are made, and frames from their values."""

    def __init__(self, seed=0):
        self.graph, self.rng = tf.Graph(), np.random.default_rng(seed)

    def variable(self, name, shape, mean=0.0, sigma=0.3):
        """Make a variable in the scopes around; a kernel keeps the size of what goes through."""
        if len(shape) > 1 and mean == 0.0:
            sigma = (2.0 / np.prod(shape[:-1])) ** 0.5
        value = self.rng.normal(mean, sigma, shape).astype("float32")
        return v1.Variable(value, name=name, use_resource=False)

    def run(self, outputs, feed, path=None, version="V2", step=7):
        """Return the outputs' values; save all variables under a path, if one is given."""
        # Else a layer normalisation becomes one of another epsilon.
        config = v1.ConfigProto()
        config.graph_options.rewrite_options.remapping = RewriterConfig.OFF
        with v1.Session(graph=self.graph, config=config) as session, self.graph.as_default():
            session.run(v1.global_variables_initializer())
            if path is not None:
                form = getattr(v1.train.SaverDef, version)
                saver = v1.train.Saver(write_version=form)
                saver.save(session, str(path), global_step=step)
            return session.run(outputs, feed)


def scopes(*names):
    """Return the scope of these names, also when it was open before."""
    return v1.name_scope("/".join(names) + "/")


# ---- The LSTM video GAN -------------------------------------------------------------------------


def lstm_video(
    z, path, version="V2", size=64, channels=1, width=2, feed=True, frames=5, normalized=True,
    also=(),
):  # fmt: skip
    """Return frames (batch, T, size, size, channels) from noise z; save the weights."""
    made, (count, units) = Graph(), z.shape
    with made.graph.as_default():
        lstm = _lstm_weights(made, units, size * size * channels if feed else 0, normalized)
        conv = _conv_weights(made, units, size, channels, width, normalized)
        for name, shape in also:
            made.variable(name, shape)
        noise = v1.placeholder(tf.float32, z.shape)
        hidden = cell = noise
        frame, found = tf.zeros((count, size, size, channels)), []
        for _ in range(frames):
            hidden, cell = _lstm_step(lstm, tf.reshape(frame, (count, -1)), hidden, cell)
            frame = _draw(conv, hidden, count)
            found.append(frame)
        return made.run(tf.stack(found, axis=1), {noise: z}, path, version)


def _lstm_weights(made, units, inputs, normalized):
    names = [("U", (units, 4 * units), 0), ("b", (4 * units,), 0)]
    if normalized:
        names += [("scale_h", (4 * units,), 1), ("shift_h", (4 * units,), 0)]
        names += [("scale_c", (units,), 1), ("shift_c", (units,), 0)]
    if inputs:
        names += [("W", (inputs, 4 * units), 0)]
        names += [("scale_x", (4 * units,), 1), ("shift_x", (4 * units,), 0)]
    with scopes("generator", "lstm"):
        return {name: made.variable(name, shape, mean) for name, shape, mean in names}


def _conv_weights(made, units, size, channels, width, normalized):
    doublings = int(np.log2(size // 4))
    maps = [units, *(width << step for step in reversed(range(doublings))), channels]
    layers = []
    for number, (before, after) in enumerate(itertools.pairwise(maps), 1):
        with scopes("generator", "conv", f"deconv{number}"):
            kernel = made.variable("w", (4, 4, after, before))
            layer = {"w": kernel, "b": made.variable("b", (after,), sigma=0.5)}
        if number <= doublings and normalized:
            with scopes("generator", "conv", f"layer_norm{number}"):
                layer["scale"] = made.variable("scale", (1, 1, after), 1.0, 0.2)
                layer["shift"] = made.variable("shift", (1, 1, after), 1e-9, 0.3)
        layers.append(layer)
    return layers


def _lstm_step(weights, x, hidden, cell):
    gates = _norm(hidden @ weights["U"], weights["scale_h"], weights["shift_h"]) + weights["b"]
    if "W" in weights:
        gates += _norm(x @ weights["W"], weights["scale_x"], weights["shift_x"])
    forget, take, show, new = tf.split(gates, 4, axis=1)
    cell = tf.sigmoid(forget) * cell + tf.sigmoid(take) * tf.tanh(new)
    normed = _norm(cell, weights["scale_c"], weights["shift_c"])
    return tf.sigmoid(show) * tf.tanh(normed), cell


def _draw(layers, hidden, count):
    x = hidden[:, None, None, :]
    for number, layer in enumerate(layers):
        side = 4 << number
        shape = (count, side, side, layer["w"].shape[2])
        padding = "SAME" if number else "VALID"
        x = tf.nn.conv2d_transpose(x, layer["w"], shape, 2, padding) + layer["b"]
        if "scale" in layer:
            x = tf.nn.relu(_norm(x, layer["scale"], layer["shift"]))
    return tf.tanh(x)


def _norm(x, scale, shift):
    mean, variance = tf.nn.moments(x, list(range(1, len(x.shape))), keepdims=True)
    return (x - mean) / tf.sqrt(variance + 1e-5) * scale + shift


# ---- Multi-scale prediction of Ms. Pac-Man ------------------------------------------------------

SCALES = (
    ((128, 256, 128), (3, 3, 3, 3)),
    ((128, 256, 128), (5, 3, 3, 5)),
    ((128, 256, 512, 256, 128), (5, 3, 3, 3, 3, 5)),
    ((128, 256, 512, 256, 128), (7, 5, 5, 5, 5, 7)),
)


def next_frame(history, path, version="V1", width=1 / 64, scales=SCALES):
    """Return the frame after a history (batch, H, W, 3 * T) in [-1, 1]; save the weights."""
    made = Graph()
    with made.graph.as_default():
        frames = v1.placeholder(tf.float32, history.shape)
        height, across = history.shape[1:3]
        x = None
        for number, (maps, kernels) in enumerate(scales):
            size = (height >> 3 - number, across >> 3 - number)
            seen = _resized(frames, size)
            x = seen if x is None else tf.concat([seen, _resized(x, size)], axis=3)
            channels = [x.shape[3], *(max(1, round(n * width)) for n in maps), 3]
            with scopes("generator", f"scale_{number}", "setup"):
                layers = [
                    (made.variable("Variable", (side, side, *pair)),
                     made.variable("Variable", pair[1:], 0.1))
                    for side, pair in zip(kernels, itertools.pairwise(channels),
                                          strict=True)
                ]  # fmt: skip
            for kernel, bias in layers:
                x = tf.nn.conv2d(x, kernel, 1, "SAME") + bias
                x = tf.tanh(x) if kernel is layers[-1][0] else tf.nn.relu(x)
        with scopes("generator", "train"):
            made.variable("Variable", ())  # the count of its steps
        with scopes("discriminator", "scale_net_0", "setup", "convolutions"):
            made.variable("Variable", (3, 3, 3, 4))
        return made.run(x, {frames: history}, path, version)


def _resized(x, size):
    return v1.image.resize_bilinear(x, size, align_corners=False)
