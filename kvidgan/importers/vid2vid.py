"""vid2vid's coarsest generator, a state dict such as `latest_net_G0.pth`.

Two encoders, `model_down_seg` of the label maps and `model_down_img` of past frames; two decoders,
`model_res_img` with `model_up_img` and `model_res_flow` with `model_up_flow`; three heads; and,
where the foreground is drawn apart, `indv_down`, `indv_res`, `indv_up` and `indv_final`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kvidgan.errors import UserError
from kvidgan.importers.layouts import Array, conv, transposed_conv
from kvidgan.importers.weights import Found, Weights, numbered

WHAT = "vid2vid's coarsest generator"
FAMILY = "vid2vid"


def is_mine(weights: Weights) -> bool:
    """Return whether there are the encoders of label maps and of past frames."""
    return "model_down_seg.1.weight" in weights and "model_down_img.1.weight" in weights


def options(weights: Weights, given: Mapping[str, Any]) -> Found:
    """Return the options of the family that the shapes tell.

    Raises:
        UserError: If it is a finer generator, has no flow, or a foreground of unknown classes.
    """
    before = numbered(weights, r"model_down_seg\.(\d+)\.conv_block\.1\.weight")
    if not before:
        raise UserError(
            f"{weights.path} is one of vid2vid's finer generators, which draws upon a coarser one: "
            "only the coarsest is imported; expected latest_net_G0.pth."
        )
    if "model_final_flow.1.weight" not in weights:
        raise UserError(
            f"{weights.path} has no flow, but sees past frames: there is no such model here; "
            "expected a generator trained without --no_flow."
        )
    channels = weights.shape("model_final_img.1.weight")[0]
    past = weights.shape("model_down_img.1.weight")[1] // channels
    labels, notes = _labels(weights, weights.shape("model_down_seg.1.weight")[1], past + 1, given)
    after = numbered(weights, r"model_res_img\.(\d+)\.conv_block\.1\.weight")
    found = {
        "channels": channels,
        "past": past,
        "down": len(_convolutions(weights, "model_down_seg")) - 1,
        "blocks": len(before) + len(after),
        "generator_width": weights.shape("model_down_seg.1.weight")[0],
        "scales": 1,
        "resampling_kernel": 3,
        "norm": "instance",
        **labels,
        **_foreground(weights, given),
    }
    if "size" not in given:
        notes.append(
            "The size of its frames is not in the file; family.size=[HEIGHT,WIDTH] says what "
            "label maps are brought to."
        )
    return Found(found, notes)


def fill(weights: Weights, gan: Any) -> None:
    """Set the weights of the generator."""
    put = _Filler(weights, gan.generator)
    for theirs, ours in (("model_down_seg", "labels"), ("model_down_img", "past")):
        put.encoder(theirs, f"scale0_{ours}")
        put.blocks(theirs, f"scale0_{ours}")
    for theirs, ours in (("img", "drawing"), ("flow", "motion")):
        put.blocks(f"model_res_{theirs}", f"scale0_{ours}")
        put.ups(f"model_up_{theirs}", f"scale0_{ours}")
    for theirs, ours in (("img", "image"), ("flow", "flow"), ("w", "mask")):
        put.head(f"model_final_{theirs}", f"scale0_{ours}_head")
    if _has_foreground(weights):
        put.encoder("indv_down", "scale0_foreground")
        put.blocks("indv_res", "scale0_foreground")
        put.ups("indv_up", "scale0_foreground")
        put.head("indv_final", "scale0_foreground_head")
    # Frames are normalised by their own statistics, also at test, as in the released models.
    weights.skip(n for n in weights.arrays if re.search(r"running_|num_batches_tracked$", n))
    weights.check_all_taken()


def _convolutions(weights: Weights, stack: str) -> list[int]:
    """Return the places of the convolutions that stand directly in a stack."""
    numbers = numbered(weights, rf"{stack}\.(\d+)\.weight")
    return [n for n in numbers if len(weights.shape(f"{stack}.{n}.weight")) == 4]


def _has_foreground(weights: Weights) -> bool:
    return "indv_down.1.weight" in weights


def _labels(
    weights: Weights, inputs: int, window: int, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the options of the label maps, and what the file does not tell of them."""
    classes, rest = divmod(inputs, window)
    if rest:
        raise UserError(
            f"{weights.path}: expected label maps for each of {window} frames, found {inputs} "
            "channels, which do not divide; its network is of another build."
        )
    named = given.get("labels")
    if named is not None:
        edges = bool(given.get("instance_edges", len(named) == classes - 1))
        if len(named) + edges != classes:
            raise UserError(
                f"family.labels: expected {classes} names, or {classes - 1} and edges between "
                f"instances, found {len(named)}: so many channels has {weights.path}."
            )
        return {"labels_from": "ids", "instance_edges": edges}, []
    edges = bool(given.get("instance_edges", False))
    names = [str(number) for number in range(classes - edges)]
    note = (
        f"The names of its {len(names)} label classes are not in the file, so they are numbered; "
        "family.labels=[NAME,...] names them, in the order of their ids."
    )
    if not edges:
        note += (
            " If the last of these channels shows the edges between instances, say "
            "family.instance_edges=true."
        )
    return {"labels": names, "labels_from": "ids", "instance_edges": edges}, [note]


def _foreground(weights: Weights, given: Mapping[str, Any]) -> dict[str, Any]:
    if not _has_foreground(weights):
        return {}
    if not given.get("foreground_labels"):
        raise UserError(
            f"{weights.path} draws a foreground by a network of its own, and does not tell which "
            "classes that is; say family.foreground_labels=[NAME,...]."
        )
    blocks = numbered(weights, r"indv_res\.(\d+)\.conv_block\.1\.weight")
    return {
        "foreground_width": weights.shape("indv_down.1.weight")[0],
        "foreground_blocks": len(blocks),
    }


class _Filler:
    """Puts a state dict's arrays into the layers of a generator, by the names of both."""

    def __init__(self, weights: Weights, generator: Any):
        self.weights, self.generator = weights, generator

    def encoder(self, theirs: str, ours: str) -> None:
        """Fill the first convolution of a stack and its halvings."""
        first, *downs = _convolutions(self.weights, theirs)
        self._normalized(f"{theirs}.{first}", f"{theirs}.{first + 1}", f"{ours}_in")
        for step, number in enumerate(downs, 1):
            self._normalized(f"{theirs}.{number}", f"{theirs}.{number + 1}", f"{ours}_down{step}")

    def blocks(self, theirs: str, ours: str) -> None:
        """Fill residual blocks: two convolutions each."""
        numbers = numbered(self.weights, rf"{theirs}\.(\d+)\.conv_block\.1\.weight")
        for place, number in enumerate(numbers):
            block = f"{theirs}.{number}.conv_block"
            self._normalized(f"{block}.1", f"{block}.2", f"{ours}_block{place}_1")
            self._normalized(f"{block}.5", f"{block}.6", f"{ours}_block{place}_2")

    def ups(self, theirs: str, ours: str) -> None:
        """Fill doublings, the coarsest first."""
        numbers = _convolutions(self.weights, theirs)
        for step, number in zip(reversed(range(len(numbers))), numbers, strict=True):
            names = f"{theirs}.{number}", f"{theirs}.{number + 1}", f"{ours}_up{step}"
            self._normalized(*names, turned=transposed_conv)

    def head(self, theirs: str, ours: str) -> None:
        """Fill a last convolution, which has a bias."""
        arrays = [conv(self.weights.take(f"{theirs}.1.weight")),
                  self.weights.take(f"{theirs}.1.bias")]  # fmt: skip
        self.weights.put(self._layer(ours), arrays, f"{theirs}.1")

    def _normalized(
        self, theirs: str, norm: str, ours: str, turned: Callable[[Array], Array] = conv
    ) -> None:
        """Fill a convolution and its normalisation, which takes away whatever bias it had."""
        weights = self.weights
        kernel = turned(weights.take(f"{theirs}.weight"))
        weights.put(self._layer(f"{ours}_conv"), [kernel], theirs)
        weights.skip([f"{theirs}.bias"])
        maps = kernel.shape[2 if turned is transposed_conv else 3]
        scale = [np.ones(maps, "float32"), np.zeros(maps, "float32")]
        if f"{norm}.weight" in weights:
            scale = [weights.take(f"{norm}.weight"), weights.take(f"{norm}.bias")]
        weights.put(self._layer(f"{ours}_norm"), scale, norm)

    def _layer(self, name: str) -> Any:
        try:
            return self.generator.get_layer(name)
        except ValueError:
            raise UserError(
                f"{self.weights.path} has a layer more than this family makes, {name}; its network "
                "is of another size or build."
            ) from None
