"""Play an exported model: `kvidgan generate` from noise, `kvidgan predict` from a clip."""

from typing import Annotated, Literal

import typer

from kvidgan.cli.common import Layout, Model, Output, Scale, backend, counted, say
from kvidgan.errors import UserError


def generate(
    model: Model,
    output: Output,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Number of videos.")] = 8,
    frames: Annotated[int, typer.Option(min=1, help="Frames, also more than trained on.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal frames.")] = 0,
    arrangement: Annotated[
        Literal["plain", "content-motion"],
        typer.Option(
            "--grid",
            help="content-motion: COUNT rows of equal content, COUNT columns of equal motion.",
        ),
    ] = "plain",
    category: Annotated[str | None, typer.Option(help="One category for all, by name.")] = None,
    interpolate: Annotated[
        bool, typer.Option("--interpolate", help="COUNT contents on the way between two.")
    ] = False,
    fps: Annotated[float, typer.Option(min=0.1, max=100, help="Frames a second.")] = 12.5,
    scale: Scale = 0,
) -> None:
    """Generate videos from noise, side by side."""
    if arrangement != "plain" and interpolate:
        raise UserError("Expected one of --grid and --interpolate, found both.")
    with backend():
        from kvidgan.rollout import Rollout
        from kvidgan.rollout.generate import generate as play
    from kvidgan.media import enlarge, write_frames
    from kvidgan.runs import exported

    pictures = play(
        Rollout.open(exported(model)),
        count,
        frames,
        seed=seed,
        arrangement="interpolate" if interpolate else arrangement,
        category=category,
    )
    real_fps = write_frames(output, (enlarge(p, scale) for p in counted(pictures, frames)), fps)
    say(f"{output}: {frames} frames at {real_fps:g} fps.")


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
    layout: Layout = "auto",
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
    scale: Scale = 0,
) -> None:
    """Go on with a clip: predict the frames after its first ones, or make those of label maps."""
    wanted = None if size is None else _size(size)
    looks = dict(map(_look, look or []))
    with backend():
        from kvidgan.rollout import Rollout
    from kvidgan.media import write_together
    from kvidgan.playback import Playing, Where, open_given
    from kvidgan.playback.playback import beside
    from kvidgan.rollout.comparison import trained_stride
    from kvidgan.rollout.extra_outputs import check_extras
    from kvidgan.rollout.label_maps import of_size
    from kvidgan.runs import exported

    rollout = Rollout.open(exported(model))
    extras = outputs.split(",") if outputs else []
    check_extras(rollout.description, extras)
    description = of_size(rollout.description, wanted)
    where = Where(clip, video, layout, start, stride or trained_stride(description))
    given = open_given(description, where, first)
    given.start.update(looks=looks, seed=seed)
    if given.labels is None:
        frames = frames or 64
    playing = Playing(rollout, given, frames, scale)
    total = min((n for n in (frames, given.count) if n is not None), default=None)
    moments = counted(playing.moments(extras, compare), total)
    paths = [output, *(beside(output, name) for name in extras)]
    real_fps = write_together(paths, moments, fps or given.fps)
    say(given.note)
    how = "predicted" if given.labels is None else "made of label maps"
    beyond = ", without those given" if given.labels and len(given.frames) and not compare else ""
    say(f"{output}: {playing.made} frames {how}{beyond}, at {real_fps:g} fps.")


def _look(text: str) -> tuple[str, int]:
    """Return (class or object, number) of CLASS=N."""
    name, _, number = text.rpartition("=")
    if not (name and number.isdecimal()):
        raise UserError(f"--look: expected CLASS=N, as car=2 or car:7=0, found {text!r}.")
    return name, int(number)


def _size(text: str) -> tuple[int, int]:
    """Return (height, width) of WIDTHxHEIGHT."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) * int(height)):
        raise UserError(f"--size: expected WIDTHxHEIGHT in pixels, as 512x256, found {text!r}.")
    return int(height), int(width)
