"""Rollout: an exported step, played frame by frame; it knows a description, and no family."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kvidgan.contract import Condition, History, Latent, State
from kvidgan.errors import UserError
from kvidgan.media import to_uint8
from kvidgan.rollout import inputs
from kvidgan.rollout.conditions import encoder, windows
from kvidgan.rollout.description import Description, read_description
from kvidgan.rollout.extra_outputs import signal
from kvidgan.rollout.label_maps import shared_stream
from kvidgan.rollout.looks import check_looks

Array = np.ndarray


@dataclass(frozen=True)
class Step:
    """One moment of a rollout.

    Attributes:
        frames: uint8 (videos, height, width, channels).
        extras: The file's extra outputs by name, float32 with the videos' axis first.
    """

    frames: Array
    extras: dict[str, Array]


class Rollout:
    """A step model and its description, ready to play any number of videos of any length.

    The step is compiled once for each number of videos and frame size, then called once a frame;
    memory does not grow with the rollout's length. All noise is drawn in NumPy from seeds, video
    by video, so it depends neither on the backend nor on how many videos are played together.
    """

    def __init__(self, model: keras.Model, description: Description):
        self.model, self.description = model, description
        self._extra = list(description.extra_outputs)
        # XLA where the backend has no other compiler; elsewhere its start-up is not worth it.
        model.compile(jit_compile=keras.backend.backend() == "jax")

    @classmethod
    def open(cls, path: str | Path) -> "Rollout":
        """Open an exported file.

        Raises:
            UserError: If the file is not one, or its model does not match its description.
        """
        description = read_description(path)
        try:
            model = keras.models.load_model(path, compile=False)
        except Exception as error:
            raise UserError(
                f"{path}: Keras {keras.version()} cannot open its model "
                f"({str(error).splitlines()[0]}); export it again."
            ) from error
        _check(path, model, description)
        return cls(model, description)

    def draw(self, name: str, seed: int) -> Array:
        """Return the first draw of one input for a seed, as a playing video would get it.

        Args:
            name: A latent or state of the description.
            seed: The video's seed.

        Returns:
            float32, in the input's shape.

        Raises:
            UserError: If the model draws no such input.
        """
        spec = self.description.inputs.get(name)
        if not isinstance(spec, Latent | State):
            raise UserError(f"This {self.description.family} model draws no input {name!r}.")
        return inputs.draw(spec.draw, spec.shape, inputs.generator(seed, name))

    def start(
        self,
        *,
        videos: int = 1,
        seed: int = 0,
        content_seeds: Sequence[int] | None = None,
        motion_seeds: Sequence[int] | None = None,
        choices: Mapping[str, Any] | None = None,
        latents: Mapping[str, Array] | None = None,
        context: Array | None = None,
        conditions: Mapping[str, Iterable[Array]] | None = None,
        looks: Mapping[str, int] | None = None,
        condition_offset: int = 0,
    ) -> Iterator[Step]:
        """Begin a rollout; iterate for as many frames as wanted, stop to cancel.

        Args:
            videos: Number of videos to step as one batch.
            seed: Seed of the first video; video i draws from seed + i.
            content_seeds: One seed a video for what is fixed in it: latents drawn per video and
                choices. Equal seeds give equal content.
            motion_seeds: One seed a video for what changes: states and latents drawn per frame.
            choices: Input name to a label, its number, or a list of them, one a video. A choice
                that is not named is drawn.
            latents: Latent or state name to the (videos, ...) value to start with instead of a
                draw.
            context: True frames to go on with, uint8 (time, height, width, channels) for all
                videos or with the videos' axis first; the last ones needed are used.
            conditions: Input name to an iterable of frames: a (height, width) array of class
                numbers where one-hot encoded (where the model tells objects apart, a (height,
                width, 2) array of class and instance numbers), else uint8 (height, width,
                channels), for all videos or with the videos' axis first. The rollout ends with the
                shortest.
            looks: The number of a look by class, "car", or by one object of a class, "car:7".
                Those not named are drawn from the content seed; an object keeps its look.
            condition_offset: Number of the conditions' first frames that belong to the context.

        Returns:
            An iterator of `Step`.

        Raises:
            UserError: If an argument does not fit the description; while iterating, if the model
                makes no numbers.

        Example:
            rollout = Rollout.open("models/mocogan/mocogan.keras")
            for step in itertools.islice(rollout.start(videos=4, seed=1), 64):
                step.frames  # uint8 (4, height, width, channels)
        """
        choices, latents, conditions = choices or {}, latents or {}, conditions or {}
        inputs.check_names(
            self.description, choices=choices, latents=latents, conditions=conditions
        )
        consecutive = range(seed, seed + videos)
        check_looks(self.description, looks or {})
        noise = inputs.NoiseStreams(
            self.description, content_seeds or consecutive, motion_seeds or consecutive
        )
        if not len(noise.content_seeds) == len(noise.motion_seeds) == videos:
            raise UserError(
                f"Expected {videos} content and motion seeds, one a video, found "
                f"{len(noise.content_seeds)} and {len(noise.motion_seeds)}."
            )
        feed = noise.once(choices, latents)
        for name, spec in self.description.named(History).items():
            if context is not None or not spec.may_be_empty:
                feed[name] = inputs.first_history(name, spec, self.description, context, videos)
        condition_windows = {}
        for name in self.description.named(Condition):
            encode = encoder(name, self.description, noise.content_seeds, looks or {})
            condition_windows[name] = windows(
                name, self.description, conditions[name], encode, videos, condition_offset
            )
        size = None if context is None else context.shape[-3:-1]
        return self._play(feed, noise, condition_windows, size, videos)

    def continue_from(
        self,
        context: Array | None,
        maps: Iterable[Array] | None = None,
        *,
        num_context: int | None = None,
        **options: Any,
    ) -> Iterator[Step]:
        """Go on with context frames and, where the model follows label maps, along these.

        Args:
            context: True frames, as for `start`; None, or more than the model needs, is allowed.
            maps: Label maps of context and predicted frames, as for the conditions of `start`: one
                stream for all inputs. None for a model that follows none.
            num_context: Number of label maps that belong to context frames; None for as many as
                the model needs.
            **options: Further arguments of `start`.
        """
        description = self.description
        if description.named(History) and context is not None and len(context):
            options["context"] = context
        if maps is not None and description.maps:
            offset = description.context_frames if num_context is None else num_context
            options["conditions"] = shared_stream(description, maps)
            options["condition_offset"] = offset
        return self.start(**options)

    def _play(self, feed, noise, windows, size, videos):
        while True:
            feed |= noise.each_frame()
            for name, window in windows.items():
                following = next(window, None)
                if following is None:
                    return
                feed[name], size = following
            for name, spec in self.description.named(History).items():
                if name not in feed:
                    feed[name] = inputs.empty_history(spec, self.description, videos, size)
            outputs = self.model.predict_on_batch(feed)
            for moment in range(self.description.frame.frames):
                yield self._step(outputs, moment, size)
            feed |= _carried(self.description, feed, outputs)

    def _step(self, outputs, moment, size):
        spec = self.description.frame
        if spec.frames > 1:
            outputs = {n: outputs[n][:, moment] for n in (spec.output, *self._extra)}
        frames = _crop(outputs[spec.output], size)
        if not np.isfinite(frames).all():
            raise UserError(
                f"This {self.description.family} model makes frames that are no numbers: its "
                "training exploded; go back to an earlier checkpoint."
            )
        extras = {name: _crop(outputs[name], size) for name in self._extra}
        return Step(to_uint8(signal(self.description, frames)), extras)


def _crop(frames: Array, size: tuple[int, int] | None) -> Array:
    return frames if size is None else frames[:, : size[0], : size[1]]


def _carried(description, feed, outputs):
    """Return the states and histories that the next step begins with."""
    carried = {}
    for name, spec in description.inputs.items():
        if isinstance(spec, State | History) and spec.next is not None:
            carried[name] = outputs[spec.next]
        elif isinstance(spec, History):
            latest = outputs[description.frame.output]
            if description.frame.frames == 1:
                latest = latest[:, None]
            carried[name] = np.concatenate([feed[name], latest], axis=1)[:, -spec.frames :]
    return carried


def _check(path, model, description):
    shapes = {tensor.name: tuple(tensor.shape[1:]) for tensor in model.inputs}
    if set(shapes) != set(description.inputs):
        raise UserError(
            f"{path}: its description names the inputs {sorted(description.inputs)}, its model has "
            f"{sorted(shapes)}; export it again."
        )
    for name, spec in description.inputs.items():
        shape = getattr(spec, "shape", None)
        if shape is not None and tuple(shape) != shapes[name]:
            raise UserError(
                f"{path}: its description gives {name} the shape {tuple(shape)}, its model "
                f"{shapes[name]}; export it again."
            )
    outputs = model({tensor.name: tensor for tensor in model.inputs})  # symbolic
    wanted = {description.frame.output, *description.extra_outputs}
    wanted |= {s.next for s in description.inputs.values() if getattr(s, "next", None)}
    missing = sorted(wanted - set(outputs if isinstance(outputs, dict) else ()))
    if missing:
        raise UserError(f"{path}: its model lacks the outputs {missing}; export it again.")
