"""`kvidgan generate`: make videos from noise."""

from itertools import islice
from typing import Annotated, Literal

import typer

from kvidgan.cli.common import Model, Output, OverwriteOption, ScaleOption, backend, counted, say
from kvidgan.errors import UserError
from kvidgan.files import check_output
from kvidgan.playback.plan import Arrangement


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
    scale: ScaleOption = 0,
    overwrite: OverwriteOption = False,
) -> None:
    """Generate videos from noise, side by side."""
    if arrangement != "plain" and interpolate:
        raise UserError("Expected one of --grid and --interpolate, found both.")
    check_output(output, [model], overwrite)
    with backend():
        from kvidgan.playback.playback import category_choice, play
        from kvidgan.rollout import Rollout
    from kvidgan.media import enlarge, write_frames
    from kvidgan.playback import NoisePlan
    from kvidgan.runs import exported

    rollout = Rollout.open(exported(model))
    rollout.description.expect_noise()
    choices = category_choice(rollout, category)
    chosen: Arrangement = "interpolate" if interpolate else arrangement
    playback = play(rollout, NoisePlan(count, seed, seed, choices, chosen))
    pictures = (enlarge(one.frame, scale) for one in islice(playback.frames, frames))
    real_fps = write_frames(output, counted(pictures, frames), fps)
    say(f"{output}: {frames} frames at {real_fps:g} fps.")
