"""Levels of images: the bit depth of a source's images of more than 8 bit, one for all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kvidgan.data.source import Source
from kvidgan.errors import UserError
from kvidgan.media import (
    ANIMATED_SUFFIXES,
    Extent,
    ImageLevels,
    animation_extents,
    depth_levels,
    image_extent,
    is_animation,
)

_LOOKED_AT = 64  # images at most


@dataclass
class FoundImageLevels:
    """FoundImageLevels: the levels of a source's images.

    Attributes:
        levels: Levels of images of more than 8 bit; None if there are no such images.
        notes: Remarks on what was understood.
        guesses: What may be understood otherwise.
    """

    levels: ImageLevels | None = None
    notes: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)

    def noted(self, source: Source) -> Source:
        """Return the source with the remarks added to its own."""
        note = ", ".join([source.note, *self.notes] if source.note else self.notes)
        return replace(source, note=note, guesses=source.guesses + self.guesses)


def find_image_levels(
    videos: Sequence[Sequence[Path]], bit_depth: int | None = None
) -> FoundImageLevels:
    """Look at the first, middle and last frame of each video, at most 64, for the largest value.

    Args:
        videos: Files of the frames of each video.
        bit_depth: Bit depth; None for the least that holds the largest value.

    Raises:
        UserError: If none has more than 8 bit and a bit depth is stated, or the values fit nothing.
    """
    chosen = [
        paths[place]
        for paths in videos
        if paths
        for place in sorted({0, len(paths) // 2, len(paths) - 1})
    ]
    found = {path: image_extent(path) for path in _thinned(chosen)}
    extents = {path: [extent] for path, extent in found.items() if extent is not None}
    return _levels(extents, chosen, bit_depth)


def find_page_levels(files: Sequence[Path], bit_depth: int | None = None) -> FoundImageLevels:
    """Look at the first, middle and last page of TIFF files, at most 64, for the largest value.

    Args:
        files: Files of videos, of any kind.
        bit_depth: Bit depth; None for the least that holds the largest value.

    Raises:
        UserError: If none has more than 8 bit and a bit depth is stated, or the values fit nothing.
    """
    animated = [path for path in files if path.suffix.lower() in ANIMATED_SUFFIXES]
    chosen = [path for path in _thinned(animated, _LOOKED_AT // 3) if is_animation(path)]
    found = {path: animation_extents(path) for path in chosen}
    return _levels({path: each for path, each in found.items() if each}, files, bit_depth)


def _thinned(paths: Sequence[Path], most: int = _LOOKED_AT) -> list[Path]:
    """Return at most so many, evenly spread, the last among them."""
    number = min(most, len(paths))
    return [paths[(index + 1) * len(paths) // number - 1] for index in range(number)]


def _levels(
    found: dict[Path, list[Extent]], files: Sequence[Path], bit_depth: int | None
) -> FoundImageLevels:
    if not found:
        if bit_depth is not None and files:
            raise UserError(
                f"{files[0]} has 8 bit, or says itself how many: expected no --bit-depth, found"
                f" {bit_depth}; leave it out."
            )
        return FoundImageLevels()
    extents = [extent for each in found.values() for extent in each]
    if bit_depth is not None:
        stated = depth_levels(bit_depth)
        return FoundImageLevels(ImageLevels(stated, stated), [f"values of {stated.describe()}"])
    levels = ImageLevels.guessed(extents)
    for path, each in found.items():
        for extent in each:
            _check(path, levels, extent)
    return FoundImageLevels(levels, list(_notes(levels)), list(_guesses(levels, extents)))


def _check(path: Path, levels: ImageLevels, extent: Extent) -> None:
    try:
        levels.needed(extent)
    except ValueError as error:
        raise UserError(f"{path} has values that do not fit: {error}.") from error


def _notes(levels: ImageLevels) -> Iterable[str]:
    if levels.integers is not None:
        yield f"values of {levels.integers.describe()}"
    if levels.fractions is not None:
        yield f"fractions from {levels.fractions.black:g} to {levels.fractions.white:g}"


def _guesses(levels: ImageLevels, extents: Sequence[Extent]) -> Iterable[str]:
    for kind, one in (("whole numbers", levels.integers), ("fractions", levels.fractions)):
        own = [extent.highest for extent in extents if levels.of(extent) is one]
        if one is not None and own:
            yield (
                f"{one.describe()} for images of {kind} of more than 8 bit is a guess, by the"
                f" largest value of those looked at, {max(own):g}: --bit-depth says otherwise"
            )
