"""`kvidgan evaluate`: score exported models on real clips, beside baselines."""

from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import backend, progress, say
from kvidgan.cli.reading import reads_data
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError


@reads_data
def evaluate(
    models: Annotated[
        list[Path],
        typer.Argument(help="Exported .keras files or runs' folders.", metavar="MODEL..."),
    ],
    data: Annotated[str, typer.Argument(help="A folder, a file, a clip store or a built-in set.")],
    frames: Annotated[int, typer.Option("-n", "--frames", min=1, help="Frames to make.")] = 8,
    clips: Annotated[int, typer.Option(min=1, help="Clips per video.")] = 2,
    every: Annotated[int, typer.Option(min=1, help="Use every so many-th video.")] = 1,
    stride: Annotated[
        int | None,
        typer.Option(min=1, help="Distance of the frames used; default: as in the models' data."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Default: test if the data has it, else val, else all.")
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="Definition of the scores: kvidgan's, or mathieu's as published.")
    ] = "kvidgan",
    threshold: Annotated[
        float | None,
        typer.Option(min=0, help="Pixels are moving whose flow exceeds this; default: 0.2 pixels."),
    ] = None,
    luma: Annotated[bool, typer.Option("--luma", help="SSIM of luma instead of RGB.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A folder. Default: report.* beside one model, comparison.* of several here.",
        ),
    ] = None,
    *,
    reading: Reading,
) -> None:
    """Score predictors and models that follow label maps on real clips, beside baselines."""
    with backend():
        from kvidgan.evaluation.evaluate import evaluate as score
        from kvidgan.evaluation.report import model_names, write_report
        from kvidgan.rollout import Rollout
    from kvidgan.data.open import find_source, open_data
    from kvidgan.data.schema import DataConfig
    from kvidgan.data.store.format import is_store
    from kvidgan.evaluation.requirements import labels_to_find
    from kvidgan.evaluation.tables import summary, tables
    from kvidgan.runs import exported

    if output is not None and output.is_file():  # before the work, not after it
        raise UserError(f"-o: expected a folder, found the file {output}; choose another name.")
    files = model_names([exported(model) for model in models])
    rollouts = {name: Rollout.open(path) for name, path in files.items()}
    config = DataConfig(path=data, **reading.model_dump())
    kind = labels_to_find({name: rollout.description for name, rollout in rollouts.items()})
    if kind and not is_store(data) and find_source(data, reading).labels is None:
        config = config.model_copy(update={"labels": kind})
    scores = score(
        rollouts,
        open_data(config, say=say, on_progress=progress),
        split=split,
        num_frames=frames,
        clips=clips,
        every=every,
        stride=stride,
        protocol=protocol,
        threshold=threshold,
        luma=luma,
        on_progress=progress,
    )
    one = len(files) == 1
    folder = output or (next(iter(files.values())).parent if one else Path())
    written = write_report(scores, files, folder, "report" if one else "comparison")
    say(f"{summary(scores)}.\n\n{tables(scores)}\n")
    say("\n".join(f"{path} written." for path in written))
