"""Fit: a config becomes a run, from its data to an exported file and its samples."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

import kvidgan
from kvidgan import config as configs
from kvidgan import families
from kvidgan.config import Config
from kvidgan.contract import DataFacts
from kvidgan.data.batches import ClipBatches
from kvidgan.data.open import Say, open_data
from kvidgan.data.parts import OnProgress
from kvidgan.data.report import cropping
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.families import FamilyModel
from kvidgan.files import write_text
from kvidgan.media import write_frames
from kvidgan.rollout import Description, Rollout, export_step
from kvidgan.runs import Run
from kvidgan.training import callbacks, checkpoint, out_of_memory
from kvidgan.training.checkpoint import Position
from kvidgan.training.progress import Progress
from kvidgan.training.samples import animation, sample_inputs

FRAMES = 48  # of the animation at the end of a run


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        run: Folder of the run.
        step: Steps done in all.
        model: The exported file, or None if the user stopped before the end.
        animation: A GIF of samples from the exported file, or None likewise.
        signal: Number of the signal that stopped it; None where it came to its end, or nobody read
            its output any more.
    """

    run: Run
    step: int
    model: Path | None = None
    animation: Path | None = None
    signal: int | None = None


def start(
    config: Config,
    overwrite: bool = False,
    say: Say = print,
    progress: OnProgress | None = None,
    origin: Run | None = None,
) -> Outcome:
    """Train a new run from its config.

    Args:
        config: A checked configuration.
        overwrite: Replace a run of that name.
        say: Receives the few lines that a user should read.
        progress: Receives (done, total, name) while data is converted.
        origin: Another run, whose networks and optimizers this one begins with as far as they fit.

    Raises:
        UserError: If the data, the config or the folder does not allow it, or a loss is no number.

    Example:
        outcome = start(configs.load("configs/mocogan.yaml"))
        outcome.model  # models/mocogan/mocogan.keras
    """
    store = open_data(config.data, say=say, on_progress=progress)
    config = for_data(config, store)
    gan = build(config)
    batches(
        config, gan, store, Position()
    )  # refuses data that does not fit, before a folder is made
    _tell_cropping(gan, store, say)
    if origin is not None:
        _begin_with(gan, origin, config, say)
    run = Run(Path(config.run.folder) / config.run.name)
    with run.held():
        run = Run.create(run.folder, overwrite)
        if run.aside.exists():
            say(f"The run before lies in {run.aside} until this one has a checkpoint.")
        configs.save(config, run.config_path)
        return _train(config, run, gan, store, Position(), say)


def resume(
    run: Run, config: Config, say: Say = print, progress: OnProgress | None = None
) -> Outcome:
    """Go on with a run from its last checkpoint, exactly as if it had never stopped.

    Args:
        run: An existing run.
        config: Configuration of the run; train.epochs may have grown.
        say: Receives the few lines that a user should read.
        progress: Receives (done, total, name) while data is converted.

    Raises:
        UserError: As `start`, and if the last checkpoint is damaged or of another model.
    """
    store = open_data(config.data, say=say, on_progress=progress)
    config = for_data(config, store)
    gan = build(config)
    with run.held():
        position = restore(gan, run) if run.checkpoint_paths() else Position()
        total = config.train.epochs * config.train.steps_per_epoch
        if position.step >= total:
            say(f"{run.folder} is trained to its end; ask for more with train.epochs=N.")
        bad = run.bad_history_lines()
        if bad:
            say(f"{run.history_path}: {bad} damaged lines left out.")
        run.rewind_history(position.step)
        configs.save(config, run.config_path)
        say(f"Going on from step {position.step} of {total}.")
        return _train(config, run, gan, store, position, say)


def for_data(config: Config, store: ClipStore) -> Config:
    """Complete a family's options by what the data is.

    Raises:
        UserError: If they contradict each other.
    """
    labels = store.labels
    facts = DataFacts(
        classes=store.classes,
        unlabelled=int((store.index["class"] < 0).sum()),
        labels=list(labels.names) if labels else None,
        labels_from=labels.kind if labels else None,
        label_values=labels.values if labels else None,
    )
    try:
        family = config.family.for_data(facts)
    except ValueError as error:
        raise UserError(f"{error}.") from error
    return config.model_copy(update={"family": family})


def build(config: Config) -> FamilyModel:
    """Make a family's networks with seeded weights, compiled for training.

    Raises:
        UserError: If an option is not to be had on this backend.
    """
    train = config.train
    if train.steps_per_execution > 1 and keras.backend.backend() == "torch":
        raise UserError(
            "train.steps_per_execution: expected 1 on PyTorch, found "
            f"{train.steps_per_execution}; leave it out or choose another backend."
        )
    if train.steps_per_epoch % train.steps_per_execution:
        raise UserError(
            f"train.steps_per_execution: expected a divisor of train.steps_per_epoch "
            f"({train.steps_per_epoch}), found {train.steps_per_execution}."
        )
    keras.config.set_dtype_policy(train.precision)
    keras.utils.set_random_seed(train.seed)
    gan = families.load(config.family.name).Family(config.family, seed=train.seed)
    gan.allocate(config.data.batch)
    if train.ema is not None:
        for player in gan.players.values():
            player.optimizer.use_ema = player.generates
            player.optimizer.ema_momentum = train.ema
    gan.compile(jit_compile=train.jit, steps_per_execution=train.steps_per_execution)
    return gan


def restore(gan: FamilyModel, run: Run, path: Path | None = None) -> Position:
    """Load a run's checkpoint, by default the last.

    Raises:
        UserError: If there is none, or it is damaged or of another model.
    """
    return checkpoint.load(gan, path or _last_checkpoint(run))


def _last_checkpoint(run: Run) -> Path:
    paths = run.checkpoint_paths()
    if not paths:
        raise UserError(f"{run.folder} has no checkpoint yet; start it anew with --overwrite.")
    return paths[-1]


def _tell_cropping(gan: FamilyModel, store: ClipStore, say: Say) -> None:
    """Say what of the videos is never seen, since clips have another shape than they."""
    sizes = [(int(row["height"]), int(row["width"])) for row in store.index]
    wanted = {(spec.height, spec.width) for spec in gan.clips().values() if not spec.crop}
    for text in filter(None, (cropping(sizes, size) for size in sorted(wanted))):
        say(f"Frames are cropped {text}.")


def _begin_with(gan: FamilyModel, origin: Run, config: Config, say: Say) -> None:
    if origin.folder.resolve() == (Path(config.run.folder) / config.run.name).resolve():
        raise UserError(
            f"Expected a new run's name, found that of {origin.folder} itself; set run.name=NAME, "
            f"or go on with `kvidgan fit --resume {origin.folder}`."
        )
    path = _last_checkpoint(origin)
    fresh = checkpoint.carry_over(gan, path)
    count = len(gan.variables)
    rest = f"; fresh from {fresh[0]} on" if fresh else ""
    say(f"Beginning with {count - len(fresh)} of {count} variables of {path}{rest}.")
    if len(fresh) == count:
        raise UserError(
            f"{path} has no network like those of this config; begin with a run of the same family "
            "and widths."
        )


def export_run(gan: FamilyModel, config: Config, path: Path, trained_on: dict[str, Any]) -> Path:
    """Export a trained generator, with its moving averages where it keeps them."""
    step, described = _described(gan, config, trained_on)
    with gan.averaged():
        return export_step(step, described, path)


def export_checkpoint(run: Run, output: Path | None = None, path: Path | None = None) -> Path:
    """Export a run as it was at a checkpoint, by default the last.

    Raises:
        UserError: If the run has no such checkpoint, or it is damaged.
    """
    config = configs.load(run.config_path)
    gan = build(config)
    position = restore(gan, run, path)
    trained_on = json.loads(run.provenance_path.read_text()) | {"steps": position.step}
    return export_run(gan, config, output or run.model_path, trained_on)


def batches(config: Config, gan: FamilyModel, store: ClipStore, position: Position) -> ClipBatches:
    """Return the batches from a position on; those of one epoch only if it is inside an epoch."""
    per_epoch = config.train.steps_per_epoch
    return ClipBatches(
        store,
        gan.clips(),
        batch=config.data.batch,
        steps=per_epoch,
        stride=config.data.stride,
        seed=config.data.seed,
        split=config.data.split,
        workers=config.data.workers,
        epoch=position.step // per_epoch,
        first=position.step % per_epoch,
    )


def _described(
    gan: FamilyModel, config: Config, trained_on: dict[str, Any]
) -> tuple[keras.Model, Description]:
    step, spec = gan.rollout_model()
    description = Description(
        family=config.family.name,
        kvidgan_version=kvidgan.__version__,
        trained_on=trained_on,
        config=config.model_dump(mode="json"),
        **dict(spec),
    )
    return step, description


def _train(
    config: Config, run: Run, gan: FamilyModel, store: ClipStore, position: Position, say: Say
) -> Outcome:
    trained_on = store.provenance()
    write_text(run.provenance_path, json.dumps(trained_on, indent=1))
    losses = families.load(config.family.name).LOSSES
    write_text(run.losses_path, json.dumps(dict(losses), indent=1))
    clock = callbacks.Clock(position, config.train.epochs, config.train.steps_per_epoch)
    rollout = Rollout(*_described(gan, config, trained_on))
    interrupt, progress = callbacks.Interrupt(clock, say), Progress(clock, names=list(losses))
    around = [clock, interrupt, *_callbacks(config, run, clock, rollout, gan, store), progress]
    with (
        interrupt.listening(),
        progress.shown(),
        out_of_memory.one_sentence(config.data.batch, clock, run),
    ):
        while position.step < clock.total and not clock.stopping:
            _fit_from(position, config, gan, store, around)
    if clock.stopping:
        return Outcome(run, position.step, signal=interrupt.signal)
    model = export_run(gan, config, run.model_path, trained_on | {"steps": position.step})
    return Outcome(run, position.step, model, _animate(model, run, store, config.data.split))


def _fit_from(
    position: Position,
    config: Config,
    gan: FamilyModel,
    store: ClipStore,
    around: list[keras.callbacks.Callback],
) -> None:
    # A run that was stopped inside an epoch first finishes that one, then goes on with whole
    # epochs: Keras counts steps from an epoch's start only.
    inside = position.step % config.train.steps_per_epoch > 0
    data = batches(config, gan, store, position)
    gan.fit(
        data,
        steps_per_epoch=len(data),
        shuffle=False,
        initial_epoch=position.epoch,
        epochs=position.epoch + 1 if inside else config.train.epochs,
        callbacks=around,
        verbose=0,
    )


def _callbacks(
    config: Config,
    run: Run,
    clock: callbacks.Clock,
    rollout: Rollout,
    gan: FamilyModel,
    store: ClipStore,
) -> list[keras.callbacks.Callback]:
    train = config.train
    num_frames = max(spec.num_frames for spec in gan.clips().values())
    inputs = sample_inputs(rollout.description, store, config.data.split, 8, num_frames)
    history = callbacks.HistoryLog(clock, run, train.log_every)
    samples = callbacks.Samples(clock, run, rollout, train.sample_every, inputs, num_frames)
    watching: list[keras.callbacks.Callback] = []
    if train.tensorboard:
        board = callbacks.TensorBoard(run.tensorboard)
        history.sinks.append(board.losses)
        samples.sinks.append(board.samples)
        if train.tensorboard == "histograms":
            watching.append(callbacks.Histograms(clock, board.weights))
    return [
        callbacks.FiniteLosses(clock, run),
        history,
        samples,
        *watching,
        callbacks.Checkpoints(clock, run, train.checkpoint_every, train.keep_checkpoints),
    ]


def _animate(model: Path, run: Run, store: ClipStore, split: str | None) -> Path:
    """Play samples from the exported file, as anyone would, into a GIF."""
    rollout = Rollout.open(model)
    inputs = sample_inputs(rollout.description, store, split, 16, FRAMES)
    path = run.samples / f"{run.name}.gif"
    write_frames(path, animation(rollout, inputs, FRAMES), fps=12.5)
    return path
