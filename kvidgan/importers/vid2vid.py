"""vid2vid's generators, a state dict for each scale: `latest_net_G0.pth` is the coarsest.

That has two encoders, `model_down_seg` of the label maps and `model_down_img` of past frames, and
two decoders, `model_res_img` with `model_up_img` and `model_res_flow` with `model_up_flow`. A finer
one has its residual blocks within `model_up_img` and `model_up_flow`. Both have three heads,
`model_final_*`, and, where the foreground is drawn apart, further stacks, `indv_*`.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.errors import UserError
from kvidgan.importers.layouts import Array, conv, transposed_conv
from kvidgan.importers.read import read_weights
from kvidgan.importers.weights import Found, Weights, numbered

WHAT = "vid2vid's generator"
FAMILY = "vid2vid"


def is_mine(weights: Weights) -> bool:
    """Return whether there are the encoders of label maps and of past frames."""
    return "model_down_seg.1.weight" in weights and "model_down_img.1.weight" in weights


def options(weights: Weights, given: Mapping[str, Any]) -> Found:
    """Return the options of the family that the shapes tell; read the coarser scales' files.

    Raises:
        UserError: If there is no flow, a coarser scale is missing, or the classes of the foreground
            are unknown.
    """
    if not _is_coarsest(weights):
        weights.coarser = _coarser(weights)
    first = [*weights.coarser, weights][0]
    if "model_final_flow.1.weight" not in weights:
        raise UserError(
            f"{weights.path} has no flow, but sees past frames: there is no such model here; "
            "expected a generator trained without --no_flow."
        )
    channels = first.shape("model_final_img.1.weight")[0]
    past = first.shape("model_down_img.1.weight")[1] // channels
    labels, notes = _labels(first, first.shape("model_down_seg.1.weight")[1], past + 1, given)
    found = {
        "channels": channels,
        "past": past,
        "down": len(_convolutions(first, "model_down_seg")) - 1,
        "blocks": len(_blocks(first, "model_down_seg")) + len(_blocks(first, "model_res_img")),
        "generator_width": first.shape("model_down_seg.1.weight")[0],
        "scales": len(weights.coarser) + 1,
        "resampling_kernel": 3,
        "norm": "instance",
        **labels,
        **_foreground(first, given),
    }
    if weights.coarser:
        found["fine_blocks"] = len(_blocks(weights, "model_up_img"))
    if "size" not in given:
        notes.append(
            "The size of its frames is not in the file; family.size=[HEIGHT,WIDTH] says what "
            "label maps are brought to."
        )
    finer = _beside(weights, +1)
    if finer is not None and finer.is_file():
        notes.append(f"{finer.name} beside it is finer: import that instead, and you have both.")
    return Found(found, notes)


def fill(weights: Weights, gan: Any) -> None:
    """Set the weights of the generators of all scales."""
    for number, scale in enumerate([*weights.coarser, weights]):
        _fill_scale(scale, gan.generator, f"scale{number}", coarsest=number == 0)


def _fill_scale(weights: Weights, generator: Any, ours: str, coarsest: bool) -> None:
    put = _Filler(weights, generator)
    for theirs, part in (("model_down_seg", "labels"), ("model_down_img", "past")):
        put.encoder(theirs, f"{ours}_{part}")
        put.blocks(theirs, f"{ours}_{part}")
    for theirs, part in (("img", "drawing"), ("flow", "motion")):
        put.blocks(f"model_{'res' if coarsest else 'up'}_{theirs}", f"{ours}_{part}")
        put.ups(f"model_up_{theirs}", f"{ours}_{part}")
    for theirs, part in (("img", "image"), ("flow", "flow"), ("w", "mask")):
        put.head(f"model_final_{theirs}", f"{ours}_{part}_head")
    if _has_foreground(weights):
        put.encoder("indv_down", f"{ours}_foreground")
        put.blocks("indv_res" if coarsest else "indv_up", f"{ours}_foreground")
        put.ups("indv_up", f"{ours}_foreground")
        put.head("indv_final", f"{ours}_foreground_head")
    # Frames are normalised by their own statistics, also at test, as in the released models.
    weights.skip(n for n in weights.arrays if re.search(r"running_|num_batches_tracked$", n))
    weights.check_all_taken()


def _is_coarsest(weights: Weights) -> bool:
    return bool(_blocks(weights, "model_res_img"))


def _beside(weights: Weights, step: int) -> Path | None:
    """Return the name of the file of the next scale, finer or coarser, or None."""
    match = re.fullmatch(r"(.*G)(\d)(\D*)", weights.path.name)
    if match is None:
        return None
    return weights.path.with_name(f"{match[1]}{int(match[2]) + step}{match[3]}")


def _coarser(weights: Weights) -> list[Weights]:
    """Read the generators that a finer one draws upon, the coarsest first."""
    path = _beside(weights, -1)
    if path is None or not path.is_file():
        raise UserError(
            f"{weights.path} is one of vid2vid's finer generators, which draws upon coarser ones: "
            f"expected {path.name if path else 'latest_net_G0.pth and so on'} beside it, found "
            "none."
        )
    (coarser, *_) = read_weights(path)
    if not is_mine(coarser):
        raise UserError(f"{path}: expected {WHAT}, which {weights.path.name} draws upon.")
    return [*([] if _is_coarsest(coarser) else _coarser(coarser)), coarser]


def _blocks(weights: Weights, stack: str) -> list[int]:
    """Return the places of the residual blocks in a stack."""
    return numbered(weights, rf"{stack}\.(\d+)\.conv_block\.1\.weight")


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
    return {
        "foreground_width": weights.shape("indv_down.1.weight")[0],
        "foreground_blocks": len(_blocks(weights, "indv_res")),
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
        for place, number in enumerate(_blocks(self.weights, theirs)):
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
