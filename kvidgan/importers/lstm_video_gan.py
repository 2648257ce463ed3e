"""The LSTM video GAN's generator, a TensorFlow 1 checkpoint such as `model-20000`.

`generator/lstm` is a layer-normalised LSTM, its gates in the order forget, input, output, new;
`generator/conv` are transposed convolutions with biases before their layer normalisation.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kvidgan.errors import UserError
from kvidgan.importers.layouts import gates
from kvidgan.importers.weights import Found, Weights, layers_of, numbered

WHAT = "the LSTM video GAN's generator"
FAMILY = "lstm_wgan"

_LSTM, _CONV = "generator/lstm", "generator/conv"
_ORDER = (1, 0, 3, 2)  # forget, input, output, new become input, forget, new, output


def is_mine(weights: Weights) -> bool:
    """Return whether there is the LSTM's recurrent matrix beside convolutions."""
    return f"{_LSTM}/U" in weights and bool(numbered(weights, rf"{_CONV}/deconv(\d+)/w"))


def options(weights: Weights, given: Mapping[str, Any]) -> Found:
    """Return the options of the family that the shapes tell.

    Raises:
        UserError: If the decoder is of the project's later version, or not layer-normalised.
    """
    if f"{_CONV}/linear1_h/w" in weights:
        raise UserError(
            f"{weights.path} is of the project's later version, whose decoder sees the noise too: "
            "there is no such model here; expected one whose decoder draws from the LSTM alone."
        )
    if f"{_LSTM}/scale_h" not in weights or f"{_CONV}/layer_norm1/scale" not in weights:
        raise UserError(
            f"{weights.path} is not layer-normalised: there is no such model here; expected one "
            "trained with g_use_layer_norm and g_recurrent_use_layer_norm, the project's defaults."
        )
    shapes = [weights.shape(f"{_CONV}/deconv{n}/w") for n in _deconvolutions(weights)]
    found = {
        "size": shapes[0][0] << (len(shapes) - 1),
        "channels": shapes[-1][2],
        "latent": weights.shape(f"{_LSTM}/U")[0],
        "feed_back_frame": f"{_LSTM}/W" in weights,
        "decoder_width": shapes[-1][3],
        "decoder_biases": True,
    }
    return Found(found, [])


def fill(weights: Weights, gan: Any) -> None:
    """Set the weights of the LSTM and of the decoder."""
    _fill_lstm(weights, gan.lstm)
    numbers = _deconvolutions(weights)
    convolutions = layers_of(gan.decoder, "Conv2DTranspose")
    weights.check_count(len(numbers), len(convolutions), "transposed convolutions")
    for number, layer in zip(numbers, convolutions, strict=True):
        name = f"{_CONV}/deconv{number}"
        weights.put(layer, [weights.take(f"{name}/w"), weights.take(f"{name}/b")], name)
    for number, layer in enumerate(layers_of(gan.decoder, "GroupNormalization"), 1):
        name = f"{_CONV}/layer_norm{number}"
        parts = [weights.take(f"{name}/{part}").reshape(-1) for part in ("scale", "shift")]
        weights.put(layer, parts, name)
    weights.skip(n for n in weights.arrays if n.rpartition("/")[2] not in _NAMES)  # optimizers'
    weights.check_all_taken((f"{_LSTM}/", f"{_CONV}/"))


_NAMES = {
    "U", "W", "b", "w", "scale", "shift", "scale_h", "shift_h", "scale_x", "shift_x", "scale_c",
    "shift_c",
}  # fmt: skip


def _fill_lstm(weights: Weights, lstm: Any) -> None:
    def put(layer: str, *names: str, added: np.ndarray | float = 0.0) -> None:
        arrays = [weights.take(f"{_LSTM}/{name}") for name in names]
        if layer != "cell_norm":
            arrays = [gates(array, _ORDER) for array in arrays]
        arrays[-1] = arrays[-1] + added
        weights.put(lstm.get_layer(layer), arrays, f"{_LSTM}/{names[0]}")

    # Their bias of the gates stands beside the shift of a norm; ours adds 1 to the forget gate.
    bias = gates(weights.take(f"{_LSTM}/b"), _ORDER)
    units = len(bias) // 4
    bias[units : 2 * units] -= 1.0
    put("recurrent", "U")
    put("recurrent_norm", "scale_h", "shift_h", added=bias)
    put("cell_norm", "scale_c", "shift_c")
    if f"{_LSTM}/W" in weights:
        put("input", "W")
        put("input_norm", "scale_x", "shift_x")


def _deconvolutions(weights: Weights) -> list[int]:
    return numbered(weights, rf"{_CONV}/deconv(\d+)/w")
