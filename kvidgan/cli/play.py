"""Play an exported model: `kvidgan generate` from noise, `kvidgan predict` from a clip."""

from typing import Annotated, Literal

import typer

from kvidgan.errors import UserError

from .common import Layout, Model, Output, Scale, backend, counted, exported, say


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
        str, typer.Argument(help="A video, GIF, frame folder, array or clip store; any frame size.")
    ],
    output: Output,
    frames: Annotated[int, typer.Option("-n", "--frames", min=1, help="Frames to predict.")] = 64,
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
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Truth, prediction and difference side by side: given frames in green borders, "
            "predicted ones in red.",
        ),
    ] = False,
    fps: Annotated[
        float | None, typer.Option(min=0.1, max=100, help="Default: the clip's own, or 12.5.")
    ] = None,
    scale: Scale = 0,
) -> None:
    """Go on with a clip: predict the frames after its first ones, or after --start."""
    with backend():
        from kvidgan.rollout import Rollout
    from kvidgan.data.clips import open_clip, take
    from kvidgan.media import enlarge, write_frames
    from kvidgan.rollout import predict as predicting

    rollout = Rollout.open(exported(model))
    count = predicting.history_length(rollout.description)
    given = open_clip(clip, video, layout)
    stride = stride or predicting.trained_stride(rollout.description)
    history, following = take(given, start, count, stride)
    suited = predicting.suited(rollout.description, history)
    if suited.shape != history.shape:
        say(f"{given.name}: {_shape(history)} converted to the model's {_shape(suited)}.")
    made = counted(predicting.predict(rollout, suited, frames), frames)
    if compare:
        truth = (predicting.suited(rollout.description, f[None])[0] for f in following)
        pictures = predicting.compared(suited, truth, made, scale)
    else:
        pictures = (enlarge(picture, scale) for picture in made)
    real_fps = write_frames(output, pictures, fps or (given.fps or 12.5 * stride) / stride)
    last = start + (count - 1) * stride
    say(
        f"{given.note}: frames {start} to {last} given"
        + (f", {stride} apart." if stride > 1 else ".")
    )
    say(f"{output}: {frames} frames predicted, at {real_fps:g} fps.")


def _shape(frames) -> str:
    height, width, channels = frames.shape[1:]
    return f"{width}x{height} {'RGB' if channels == 3 else 'grey'}"
