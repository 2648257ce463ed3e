"""Opening of data: whatever a path holds is recognised, and converted on first use."""

import difflib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kvidgan.data.builtin import registry as builtin
from kvidgan.data.convert import PrepareReport, fingerprint_of, prepare
from kvidgan.data.labels import FoundLabels
from kvidgan.data.layouts.registry import layouts_with_option, open_source
from kvidgan.data.parts import OnProgress
from kvidgan.data.reading import Reading, option_name
from kvidgan.data.report import report
from kvidgan.data.schema import DataConfig, DigitsConfig
from kvidgan.data.source import Source
from kvidgan.data.store.format import is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.source import store_source
from kvidgan.errors import UserError

log = logging.getLogger(__name__)

Say = Callable[[str], None]


def prepare_path(
    path: str,
    destination: Path,
    *,
    reading: Reading = Reading(),
    size: int | tuple[int, int] | None = None,
    labels: FoundLabels | None = None,
    test_frames: int | None = None,
    strict: bool = False,
    overwrite: bool = False,
    say: Say = log.info,
    on_progress: OnProgress | None = None,
) -> PrepareReport:
    """Convert a folder, a file or a built-in set into a clip store; see `prepare`.

    Args:
        path: Folder or file of videos, or name of a built-in set.
        destination: Path of the store to write.
        reading: How the files are to be read.
        size: Side, or (height, width), that frames are cropped and resized to, pixels.
        labels: Labels to find in the frames of a source without label maps; None for none.
        test_frames: Number of frames at the end of every video that become one of split "test";
            None for none.
        strict: Whether to stop at the first damaged file instead of skipping it.
        overwrite: Whether to replace a store that was made from something else.
        say: Function that is called with each line about what was found.
        on_progress: Function that is called with (videos done, videos in all, name).
    """
    source = find_source(path, reading)
    for what, value in report(source, (size, size) if isinstance(size, int) else size):
        say(f"{what:<9}  {value}")
    done = prepare(
        source,
        destination,
        strict=strict,
        overwrite=overwrite,
        size=size,
        labels=labels,
        test_frames=test_frames,
        on_progress=on_progress,
    )
    _warn_of_shared(ClipStore.open(done.path))
    return done


def open_data(
    config: DataConfig, *, say: Say = log.warning, on_progress: OnProgress | None = None
) -> ClipStore:
    """Open the data of a run: a clip store, a built-in set, or a source converted on first use.

    Args:
        config: The `data` section of a run's configuration.
        say: Function that is called with a line when data is converted, and with one for each
            damaged file that is skipped.
        on_progress: Function that is called with (videos done, videos in all, name) while data is
            converted.

    Raises:
        UserError: If there is no such data, it cannot be used, or it does not take the options.

    Example:
        store = open_data(DataConfig(path="moving_digits"))
        store.read(0, 0, 20).shape  # (20, 32, 32, 1)
    """
    _check_digits(config)
    if is_store(config.path):
        store = ClipStore.open(config.path)
        _check_read(config)
        _check_labels(config, store)
        return _warn_of_shared(store)
    source = find_source(config.path, config, config.seed, config.digits)
    options: dict[str, Any] = {"labels": config.labels} if config.labels else {}
    name = f"{source.name}-{fingerprint_of(source, None, **options)[:12]}.h5"
    path = Path(config.cache) / name
    if not path.exists():
        say(f"{source.describe()}: converting once, into {path}.")
        for guess in source.guesses:
            say(f"A guess: {guess}.")
    done = prepare(source, path, strict=config.strict, on_progress=on_progress, **options)
    for skipped in done.skipped:
        if skipped.damaged:
            say(f"{config.path}: {skipped.describe()}.")
    return _warn_of_shared(ClipStore.open(done.path))


def _check_digits(config: DataConfig) -> None:
    """Refuse options of drawn digits where none would be drawn."""
    drawn = config.path == builtin.DIGITS and not Path(config.path).exists()
    defaults = DigitsConfig().model_dump()
    changed = [k for k, value in config.digits.model_dump().items() if value != defaults[k]]
    if changed and not drawn:
        raise UserError(
            f"data.digits.{changed[0]}: expected the built-in {builtin.DIGITS} as data.path, found"
            f" {config.path}, which has no such option; leave it out."
        )


def _check_read(config: DataConfig) -> None:
    """Refuse options on how files are read where a clip store holds what was read."""
    for name, value in config.options().items():
        if name != "classes":
            raise UserError(
                f"data.{name}: expected none for the clip store {config.path}, which is read"
                f" already, found {value}; leave it out."
            )


def _check_labels(config: DataConfig, store: ClipStore) -> None:
    """Refuse a clip store whose label maps are not those that the config asks for."""
    found = store.labels.describe() if store.labels else "no labels"
    if config.labels and (store.labels is None or store.labels.kind != config.labels):
        raise UserError(
            f"data.labels: expected {config.labels}, found {found} in {config.path}; leave it out,"
            f" or prepare the videos with --labels {config.labels}."
        )
    if config.classes and (store.labels is None or len(store.labels) != config.classes):
        raise UserError(
            f"data.classes: expected {config.classes}, found {found} in {config.path}; leave it"
            f" out, or prepare the data with --classes {config.classes}."
        )


def find_source(
    path: str,
    reading: Reading = Reading(),
    seed: int = 0,
    digits: DigitsConfig | None = None,
) -> Source:
    """List the videos of what lies at a path, or else of the built-in set of this name.

    Args:
        path: Folder or file of videos, clip store, or name of a built-in set.
        reading: How the files are to be read.
        seed: Seed of a built-in set.
        digits: Options of the built-in set moving_digits; None for their defaults.

    Raises:
        UserError: If there is neither, or nothing usable.
    """
    if is_store(path):
        return store_source(Path(path), reading)
    if Path(path).exists():
        return open_source(path, reading)
    if path in builtin.NAMES:
        if reading.layout != "auto":
            raise UserError(f"{path} is drawn and has no layout: leave out {reading.layout!r}.")
        for name, value in reading.options().items():
            raise UserError(
                f"{path} is a built-in set: expected no {option_name(name)}, found {value}; leave"
                f" it out, it is for {layouts_with_option(name)}."
            )
        return builtin.open_builtin(path, seed, digits)
    near = difflib.get_close_matches(path, builtin.NAMES, n=1, cutoff=0.0)
    raise UserError(
        f"{path} does not exist and is no built-in data set: expected a folder, a file, or a name"
        f" such as {near[0]}."
    )


def _warn_of_shared(store: ClipStore) -> ClipStore:
    """Log if equal videos stand in several splits; return the store."""
    names: dict[bytes, dict[str, str]] = {}  # one name a split, by digest
    for row in store.index[store.index["split"] != ""]:
        names.setdefault(row["digest"].tobytes(), {})[str(row["split"])] = str(row["name"])
    shared = [by_split for by_split in names.values() if len(by_split) > 1]
    if shared:
        splits = sorted({split for by_split in shared for split in by_split}, key=_used_late)
        example = [shared[0][split] for split in sorted(shared[0], key=_used_late)]
        log.warning(
            "%s: %d video%s in %s, such as %s: scores on %s will flatter.",
            *(store.path.name, len(shared), " stands" if len(shared) == 1 else "s stand"),
            f"both {' and '.join(splits)}" if len(splits) == 2 else "more than one split",
            *(" and ".join(example), splits[-1]),
        )
    return store


def _used_late(split: str) -> tuple[bool, bool, str]:
    """Order splits as they are used: to train, to choose a model, to evaluate it."""
    return split == "test", split == "val", split
