"""Clip stores with something moving in them, and predictors whose frames can be worked out."""

import keras
import pytest
from keras import ops

from kvidgan.data.prepare import prepare
from kvidgan.data.store import ClipStore
from kvidgan.rollout import Rollout

from ..data.conftest import source_of
from ..rollout import steps
from ..textures import moving_square


@pytest.fixture
def stored(tmp_path):
    """Make a store of given videos, uint8 (time, height, width, channels)."""
    opened = []

    def make(videos, splits=None, name="clips"):
        source = source_of(videos, splits=splits, name=name)
        opened.append(ClipStore.open(prepare(source, tmp_path / f"{name}.h5").path))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def squares(count, length=10, side=48, channels=3):
    """Videos of a square that moves faster from one to the next; the first stands still."""
    return [moving_square(length, n, side, channels)[0] for n in range(count)]


def copying(history=1, frames=1, channels=3, size=(None, None), **about):
    """A step whose next frame is its last."""
    given = keras.Input((history, *size, channels), name="history")
    last = given[:, -1]
    frame = last if frames == 1 else ops.repeat(last[:, None], frames, axis=1)
    height, width = size
    spec = {"frames": frames, "height": height, "width": width, "channels": channels}
    return keras.Model({"history": given}, {"frame": frame}), steps.described(
        frame=spec, inputs={"history": {"role": "history", "frames": history}}, **about
    )


def rollout(made):
    """A Rollout that computes without being compiled first: tests play few frames."""
    opened = Rollout(*made)
    opened.model.compile(run_eagerly=keras.backend.backend() != "jax")
    return opened
