"""Losses of vid2vid: their meaning, and those of flow, of what it warps, and of the mask."""

from typing import Any

from keras import ops

from kvidgan.families.vid2vid.config import Config
from kvidgan.families.vid2vid.generator import past_name
from kvidgan.nn.losses import masked_l1
from kvidgan.nn.patches import halved
from kvidgan.nn.warp import warp

Tensor = Any
Window = dict[str, Tensor]

LOSSES = {
    "generator": "What the generators minimize: the sum of all its terms, weighted.",
    "image_discriminator": "How badly the discriminators of single frames tell real from generated:"
    " with LSGAN 0.25 for each size and for the frame and the image before composition, so 1 with "
    "two sizes, if they cannot. Near 0 for long: they have won.",
    "video_discriminator": "How badly the discriminators of several frames tell real from "
    "generated: with LSGAN 0.25 for each size and temporal scale if they cannot. Of those that are "
    "silent, the last value, 0 before the first.",
    "adv_image": "What the generators lose to the discriminators of single frames, weighted.",
    "adv_video": "What the generators lose to the discriminators of several frames, weighted.",
    "features_image": "Feature matching, weighted: how differently the discriminators of single "
    "frames see real and generated ones.",
    "features_video": "The same in the discriminators of several frames.",
    "perceptual": "How differently VGG-19 sees real and generated frames, weighted.",
    "perceptual_raw": "The same of the images before composition.",
    "flow": "The error of the generated flow, pixels, where the reference flow can be trusted; "
    "weighted.",
    "warp": "The true past frame, warped along the generated flow, to the true frame; weighted.",
    "steady": "The generated frame to the one before it, warped along the reference flow: flicker; "
    "weighted.",
    "mask": "How much is drawn anew where the past frame could be warped; weighted.",
}


def as_judged(
    config: Config, window: Window, output: dict[str, Tensor], number: int
) -> dict[str, Tensor]:
    """Put real pixels where a label map has no class: whatever is drawn there, nothing is lost.

    All that sees the generated frame sees this one: discriminators, other losses, and the generator
    when it draws the next. Flow and mask count where the confidence is 1, which is 0 there.

    Args:
        config: The options.
        window: Frames (batch, time, ...), and "judged" (batch, time, height, width, 1), where label
            maps have a class; without the latter nothing changes.
        output: What the generator gave for a new frame.
        number: Number of the new frame.

    Returns:
        The same, with other frames and raw images, and where coarser scales go on, other pasts.
    """
    if "judged" not in window:
        return output
    time = config.kept + number
    real, judged = window["frames"][:, time], window["judged"][:, time]
    names = [name for name in output if name in ("frame", "raw")]
    shown = {name: ops.where(judged, output[name], real) for name in names}
    unjudged = ops.cast(ops.logical_not(judged), "float32")
    for scale in reversed(range(config.scales - 1 if config.flow else 0)):
        real, unjudged = halved(real), halved(unjudged)
        name = f"{past_name(config, scale)}_next"
        last = ops.where(unjudged > 0, real, output[name][:, -1])
        shown[name] = ops.concatenate([output[name][:, :-1], last[:, None]], axis=1)
    return {**output, **shown}


def motion_terms(
    config: Config, window: Window, outputs: list[dict[str, Tensor]], generated: Tensor
) -> dict[str, Tensor]:
    """Return the losses of motion, not yet weighted (Wang et al. 2018, eq. 5 and sec. 4).

    Args:
        config: The options.
        window: Frames, flow and confidence (batch, time, ...), of past and new frames.
        outputs: What the generator gave for each of the new frames.
        generated: Past and generated frames (batch, time, height, width, channels).

    Returns:
        Scalars, means over the new frames: "flow", "warp", "steady", and with a first frame that is
        drawn "mask".
    """
    found: dict[str, list[Tensor]] = {"flow": [], "warp": [], "steady": [], "mask": []}
    for number, output in enumerate(outputs):
        time = config.kept + number
        flow, confidence = window["flow"][:, time], window["confidence"][:, time]
        real, before = window["frames"][:, time], window["frames"][:, time - 1]

        # The flow itself, in pixels of the coarsest scale, and where it takes the past frame.
        error = masked_l1(flow, output["flow"], confidence)
        found["flow"].append(error / 2 ** (config.scales - 1))
        found["warp"].append(masked_l1(real, warp(before, output["flow"]), confidence))

        # The past generated frame, taken along the true flow: what flickers is lost here.
        steady = warp(ops.stop_gradient(generated[:, time - 1]), flow)
        found["steady"].append(masked_l1(steady, output["frame"], confidence))
        found["mask"].append(ops.mean(output["mask"] * confidence))
    if config.first_frame == "real":
        del found["mask"]
    return {name: sum(values) / len(values) for name, values in found.items()}
