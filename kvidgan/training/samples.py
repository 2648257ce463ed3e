"""Samples of a run: what they begin with, fixed noise or held-out clips, and how they are drawn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.media import CONTEXT_COLOUR, PREDICTED_COLOUR, bordered, enlarge, grid, strip
from kvidgan.media.comparison import NO_COLOUR, comparison
from kvidgan.rollout import Description, Rollout

Array = np.ndarray

# Samples of predictors: few, since each stands beside its truth; the middle of large frames.
CLIPS, LARGEST = 4, 256


@dataclass(frozen=True)
class SampleInputs:
    """What samples begin with.

    Attributes:
        options: Arguments of `Rollout.continue_from`.
        truth: Context frames and those that followed, uint8 (videos, time, height, width,
            channels); None for models that begin from noise.
        maps: The label maps that the model follows, (time, videos, height, width), of several
            kinds in a last axis; None where it follows none.
        num_context: Number of the true frames that are context.
    """

    options: dict[str, Any] = field(default_factory=dict)
    truth: Array | None = None
    maps: Array | None = None
    num_context: int = 0

    def play(self, rollout: Rollout, num_frames: int) -> Array:
        """Return what a model makes of it: uint8 (videos, time, height, width, channels)."""
        context = None if self.truth is None else self.truth[:, : self.num_context]
        steps = rollout.continue_from(
            context if self.num_context else None, self.maps, **self.options
        )
        return np.stack([step.frames for step in islice(steps, num_frames)], axis=1)


def sample_inputs(
    description: Description, store: ClipStore, split: str | None, videos: int, num_frames: int
) -> SampleInputs:
    """Choose what samples begin with.

    Args:
        description: Description of the model: whether it begins from noise or goes on with frames.
        store: Where true frames come from: its test videos if it has such.
        split: The split that is trained on, used if there is no other.
        videos: Number of samples; of clips, no more than 4.
        num_frames: Number of frames to predict; clips may be shorter if the videos are.

    Raises:
        UserError: If no video is long enough to begin with.
    """
    if description.kind == "noise":
        return SampleInputs({"videos": videos, "seed": 1})
    description.expect_clip_or_labels()
    num_context = description.context_frames
    truth: list[Array] = []
    maps: dict[str, list[Array]] = {name: [] for name in description.maps}
    for number, place in _places(store, split, num_context, num_frames):
        truth.append(description.fit(_middle(description, store.read(number, *place))))
        for name, found in maps.items():
            read = _middle(description, store.read_map(name, number, *place))
            found.append(description.fit_maps(read))
    clips = np.stack(truth)
    stacked = [np.stack(found) for found in maps.values()]
    label_maps = None
    if stacked:
        label_maps = stacked[0] if len(stacked) == 1 else np.stack(stacked, axis=-1)
        label_maps = label_maps.swapaxes(0, 1)  # (time, videos, height, width, ...)
    return SampleInputs({"videos": len(clips)}, clips, label_maps, num_context)


def _places(
    store: ClipStore, split: str | None, num_context: int, num_frames: int
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Choose (video, (start, stop)) of one size and length, from the middle of held-out videos."""
    index = store.index
    held_out = np.flatnonzero(np.isin(index["split"], ["test", "val"]))
    numbers = held_out
    if not len(numbers):
        numbers = np.flatnonzero(np.isin(index["split"], ["", split or ""]))
    numbers = numbers[index["length"][numbers] > num_context]
    if not len(numbers):
        raise UserError(
            f"{store.path.name}: expected a video of more than {num_context} frames to draw samples"
            f" from, the longest has {index['length'].max()}; use longer videos."
        )
    first = index[numbers[0]]
    alike = (index["height"] == first["height"]) & (index["width"] == first["width"])
    numbers = numbers[alike[numbers]]
    numbers = numbers[np.linspace(0, len(numbers) - 1, min(CLIPS, len(numbers))).astype(int)]
    length = min(num_context + num_frames, index["length"][numbers].min())
    for number in numbers:
        start = int(index["length"][number] - length) // 2
        yield int(number), (start, start + int(length))


def _middle(description: Description, frames: Array) -> Array:
    """Cut large frames or maps down, unless the model sees them whole at a size of its own."""
    if description.frame.trained:
        return frames
    height, width = frames.shape[1:3]
    top, left = max(0, height - LARGEST) // 2, max(0, width - LARGEST) // 2
    return frames[:, top : top + LARGEST, left : left + LARGEST]


def sample_strip(rollout: Rollout, inputs: SampleInputs, num_frames: int) -> Array:
    """Draw one picture: a row a video, time to the right.

    Predictions stand below the truth, context frames in green borders, predicted ones in red.
    """
    videos = inputs.play(rollout, num_frames)
    if inputs.truth is None:
        return strip(videos)
    rows = []
    for truth, video in zip(inputs.truth, videos, strict=True):
        shown = np.concatenate([truth[: inputs.num_context], video])[: len(truth)]
        rows.append(_marked(truth, inputs.num_context, NO_COLOUR))
        rows.append(_marked(shown, inputs.num_context, PREDICTED_COLOUR))
    return strip(rows)


def animation(rollout: Rollout, inputs: SampleInputs, num_frames: int) -> Array:
    """Return a moving picture of all samples, uint8 (time, height, width, channels)."""
    if inputs.truth is None:
        return enlarge(grid(inputs.play(rollout, num_frames)))
    predicted = inputs.play(rollout, inputs.truth.shape[1] - inputs.num_context)
    videos = []
    for truth, video in zip(inputs.truth, predicted, strict=True):
        num_context = inputs.num_context
        context = [comparison(frame, is_context=True, scale=1) for frame in truth[:num_context]]
        pairs = zip(video, truth[num_context:], strict=True)
        videos.append(
            [*context, *(comparison(v, is_context=False, truth=t, scale=1) for v, t in pairs)]
        )
    return enlarge(grid(np.array(videos)))


def _marked(frames: Array, num_context: int, later: tuple[int, int, int]) -> list[Array]:
    return [
        bordered(frame, CONTEXT_COLOUR if time < num_context else later)
        for time, frame in enumerate(frames)
    ]
