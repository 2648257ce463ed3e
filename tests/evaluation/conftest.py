"""Clip stores with something moving in them, and predictors whose frames can be worked out."""

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.data.convert import prepare
from kvidgan.data.labels import LabelSet
from kvidgan.data.store.reader import ClipStore
from kvidgan.rollout import Rollout
from tests.data.conftest import source_of
from tests.rollout import steps
from tests.textures import moving_square


@pytest.fixture
def stored(tmp_path):
    """Make a store of given videos, uint8 (time, height, width, channels), and label maps."""
    opened = []

    def make(videos, splits=None, name="clips", maps=None, instances=None):
        about = {}
        if maps:
            named = {"labels": maps, **({"instances": instances} if instances else {})}
            by_video = zip(*named.values(), strict=True)
            about["maps"] = [dict(zip(named, one, strict=True)) for one in by_video]
            about["labels"] = LabelSet("ids", ("0", "1", "2"))
        source = source_of(videos, splits=splits, name=name, **about)
        opened.append(ClipStore.open(prepare(source, tmp_path / f"{name}.h5").path))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def squares(count, length=10, side=48, channels=3):
    """Videos of a square that moves faster from one to the next; the first stands still."""
    return [moving_square(length, n, side, channels)[0] for n in range(count)]


def labelled_videos(count, length=10):
    """Squares that move, and maps of three classes: sky above, ground below, squares of both."""
    videos, maps = [], []
    for number in range(count):
        clip, inside = moving_square(length, 1 + number % 2, 48)
        labels = np.repeat((np.arange(48) > 30)[None, :, None], length, 0).astype(np.uint8)
        videos.append(clip)
        maps.append(np.where(inside, np.uint8(2), labels))
    return videos, maps


def copying(num_context=1, num_frames=1, channels=3, size=(None, None), **about):
    """A step whose next frame is its last."""
    history = keras.Input((num_context, *size, channels), name="history")
    last = history[:, -1]
    frame = last if num_frames == 1 else ops.repeat(last[:, None], num_frames, axis=1)
    height, width = size
    spec = {"frames": num_frames, "height": height, "width": width, "channels": channels}
    return keras.Model({"history": history}, {"frame": frame}), steps.described(
        frame=spec, inputs={"history": {"role": "history", "frames": num_context}}, **about
    )


def rollout(made):
    """A Rollout that computes without being compiled first: tests play few frames."""
    opened = Rollout(*made)
    opened.model.compile(run_eagerly=keras.backend.backend() != "jax")
    return opened
