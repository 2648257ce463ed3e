"""`kvidgan predict`: go on with a clip, or follow label maps."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from kvidgan.cli.common import Model, Output, OverwriteOption, ScaleOption, backend, counted, say
from kvidgan.cli.reading import reads_data
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from kvidgan.files import check_output
from kvidgan.media import Sound, enlarge, parse_size, write_together
from kvidgan.media.comparison import comparison
from kvidgan.runs import exported

if TYPE_CHECKING:  # it loads Keras
    from kvidgan.playback.playback import Playback, PlaybackFrame


@reads_data
def predict(
    model: Model,
    clip: Annotated[
        str,
        typer.Argument(
            help="A video, GIF, frame folder, array or clip store, of any frame size. For models "
            "that follow label maps: data with such, a folder of them, or, if the model's labels "
            "are edges or foreground, any video."
        ),
    ],
    output: Output,
    frames: Annotated[
        int | None,
        typer.Option(
            "-n", "--frames", min=1, help="Frames to make; default: 64, or for all label maps."
        ),
    ] = None,
    start: Annotated[
        int, typer.Option(min=0, help="The clip's frame to begin with, counted from 0.")
    ] = 0,
    stride: Annotated[
        int | None,
        typer.Option(min=1, help="Distance of the frames used; default: as in the model's data."),
    ] = None,
    video: Annotated[
        str | None, typer.Option(help="Which video, by name or number, where there are several.")
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            help="What a model that follows label maps begins with: an image, a clip, or a model "
            "that draws each frame by itself; default: the frames that come with the labels.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="WIDTHxHEIGHT of the frames; default: as the model was trained, or the clip's.",
        ),
    ] = None,
    look: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=N",
            help="For models trained with family.features: the look of a class, as car=2, or of "
            "one object, as car:7=0; may be given several times. Default: drawn from the seed.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Another seed draws other looks, where a model has such.")
    ] = 0,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Label maps, truth, prediction and difference side by side, where there are such: "
            "given frames in green borders, predicted ones in red.",
        ),
    ] = False,
    outputs: Annotated[
        str | None,
        typer.Option(
            help="What else to write, beside the output: names of the model's extra outputs, as "
            "mask,flow,raw. In flow the hue is the direction, white no motion, full colour 1/32 of "
            "the longer side.",
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(min=0.1, max=100, help="Default: the clip's own, or 12.5.")
    ] = None,
    audio: Annotated[
        bool, typer.Option("--audio", help="Keep the clip's sound, from the first frame written.")
    ] = False,
    scale: ScaleOption = 0,
    overwrite: OverwriteOption = False,
    *,
    reading: Reading,
) -> None:
    """Go on with a clip: predict the frames after its first ones, or make those of label maps."""
    wanted = None if size is None else parse_size(size, "--size")
    looks = dict(map(_look, look or []))
    extras = outputs.split(",") if outputs else []
    paths = [output, *(_beside(output, name) for name in extras)]
    for path in paths:
        check_output(path, [model, clip, *([first] if first else [])], overwrite)
    with backend():
        from kvidgan.playback.playback import play
        from kvidgan.rollout import Rollout
        from kvidgan.rollout.extra_outputs import check_extras
    from kvidgan.playback import ClipPlan

    rollout = Rollout.open(exported(model))
    check_extras(rollout.description, extras)
    plan = ClipPlan(clip, video, reading, start, stride, first, wanted, seed, looks)
    playback = play(rollout, plan)
    if not playback.has_label_maps:
        frames = frames or 64
    possible = None if playback.total is None else playback.total - playback.num_context
    total = min((n for n in (frames, possible) if n is not None), default=None)
    written = 0

    def predicted() -> Iterator[list[np.ndarray | None]]:
        nonlocal written
        last = None if frames is None else playback.num_context + frames
        for one in islice(playback.frames, last):
            written += not one.is_context
            if compare or not one.is_context:
                yield _pictures(one, playback, extras, compare, scale)

    sound = _sound(playback, clip, compare, fps) if audio else None
    real_fps = write_together(paths, counted(predicted(), total), fps or playback.fps, sound)
    say(playback.note)
    how = "made of label maps" if playback.has_label_maps else "predicted"
    hidden = playback.has_label_maps and playback.num_context and not compare
    without = ", without those given" if hidden else ""
    say(f"{output}: {written} frames {how}{without}, at {real_fps:g} fps.")


def _pictures(
    one: "PlaybackFrame", playback: "Playback", extras: list[str], compare: bool, scale: int
) -> list[np.ndarray | None]:
    """Return a picture of a frame and one of each extra output, None where it has none."""
    picture = enlarge(one.frame, scale)
    if compare:
        picture = comparison(
            one.frame,
            is_context=one.is_context,
            has_truth=playback.has_truth,
            truth=one.truth,
            label_map=one.label_map,
            scale=scale,
        )
    found = (one.extras.get(name) for name in extras)
    return [picture, *(None if extra is None else enlarge(extra, scale) for extra in found)]


def _sound(playback: "Playback", clip: str, compare: bool, fps: float | None) -> Sound:
    """Return the clip's sound from the first frame on that is written."""
    if fps is not None:
        raise UserError(
            f"--audio: expected the clip's own rate, {playback.fps:g} fps, found --fps {fps:g};"
            " leave that out."
        )
    if playback.sound is None:
        raise UserError(f"--audio: expected a video file with sound, found none in {clip}.")
    hidden = 0 if compare else playback.num_context
    return playback.sound._replace(start=playback.sound.start + hidden / playback.fps)


def _beside(path: Path, name: str) -> Path:
    """Return where an extra output is written: `out-mask.mp4` beside `out.mp4`."""
    return path.with_name(f"{path.stem}-{name}{path.suffix}")


def _look(text: str) -> tuple[str, int]:
    """Return (class or object, number) of CLASS=N."""
    name, _, number = text.rpartition("=")
    if not (name and number.isdecimal()):
        raise UserError(f"--look: expected CLASS=N, as car=2 or car:7=0, found {text!r}.")
    return name, int(number)
