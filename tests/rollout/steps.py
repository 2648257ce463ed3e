"""Tiny step models, one for each role of the contract, with outputs that can be worked out."""

import keras
from keras import layers, ops

from kvidgan.rollout import Description


def described(**parts):
    common = {"family": "toy", "kvidgan_version": "0"}
    return Description.model_validate({**common, **parts})


def counting():
    """A state that grows by one a step; the frame shows content + state, category on channel 1."""
    content = keras.Input((2,), name="content")
    category = keras.Input((3,), name="category")
    state = keras.Input((1,), name="count")
    noise = keras.Input((2,), name="noise")
    following = layers.Rescaling(1.0, 0.25)(state)
    whole = layers.Concatenate()([content, category, following, noise])
    frame = layers.Reshape((2, 2, 1))(layers.Dense(4, activation="tanh")(whole))
    model = keras.Model(
        {"content": content, "category": category, "count": state, "noise": noise},
        {"frame": frame, "count_next": following},
    )
    return model, described(
        frame={"height": 2, "width": 2, "channels": 1},
        inputs={
            "content": {"role": "latent", "shape": [2], "draw": "normal", "per": "video"},
            "category": {"role": "choice", "shape": [3], "labels": ["a", "b", "c"]},
            "count": {"role": "state", "shape": [1], "draw": "zeros", "next": "count_next"},
            "noise": {"role": "latent", "shape": [2], "draw": "uniform", "per": "frame"},
        },
    )


def predicting():
    """The next frame is the mean of the last two, at any size that is a multiple of four."""
    history = keras.Input((2, None, None, 3), name="history")
    frame = ops.mean(history, axis=1)
    model = keras.Model({"history": history}, {"frame": frame, "twice": frame * 2})
    return model, described(
        frame={"height": None, "width": None, "channels": 3, "multiple_of": 4},
        inputs={"history": {"role": "history", "frames": 2}},
        extra_outputs={"twice": "image"},
    )


def labelled():
    """The frame is the share of class 1 in the last three label maps, in the range 0 to 1."""
    labels = keras.Input((3, None, None, 2), name="labels")
    frame = ops.mean(labels[..., 1:], axis=1)
    model = keras.Model({"labels": labels}, {"frame": frame})
    return model, described(
        frame={"height": None, "width": None, "channels": 1, "range": [0, 1], "multiple_of": 2},
        inputs={"labels": {"role": "condition", "frames": 3, "encoding": {"one_hot": 2}}},
    )


def following(
    past=2, classes=3, found="ids", channels=3, edges=False, empty=False, values=None, **frame
):
    """The frame is half way from the last one, if it has a past, to what its label map shows.

    That is -1 for the first class, 1 for the last, 0 for none. `edges` adds a channel, which is not
    looked at; `values` tell what stands for which class.
    """
    labels = keras.Input((3, None, None, classes + edges), name="labels")
    levels = ops.reshape(ops.linspace(-1.0, 1.0, classes), (1, 1, 1, classes))
    shown = ops.sum(labels[:, -1, :, :, :classes] * levels, axis=-1, keepdims=True)
    raw = ops.repeat(shown, channels, axis=-1)
    inputs, outputs = {"labels": labels}, {"frame": raw}
    encoding = {"one_hot": classes, "found": found, "instance_edges": edges}
    if values is not None:
        names = list(dict.fromkeys(name for name in values.values() if name is not None))
        encoding |= {"one_hot": len(names), "names": names, "values": values}
    about = {"labels": {"role": "condition", "frames": 3, "encoding": encoding}}
    extras = {}
    if past:
        inputs["past"] = keras.Input((past, None, None, channels), name="past")
        about["past"] = {"role": "history", "frames": past, "may_be_empty": empty}
        mask = (shown + 1) / 2
        flow = ops.concatenate([shown, shown * 0], axis=-1)
        outputs = {"frame": (raw + inputs["past"][:, -1]) / 2, "raw": raw, "mask": mask}
        outputs["flow"] = flow
        extras = {"mask": "mask", "flow": "flow", "raw": "image"}
    return keras.Model(inputs, outputs), described(
        frame={"height": None, "width": None, "channels": channels, "multiple_of": 4, **frame},
        inputs=about,
        extra_outputs=extras,
    )


def dressed(vectors):
    """The frame shows the looks of objects, of three numbers each, as its colours.

    Classes are named a, b, ...; `vectors` are theirs.
    """
    classes = len(vectors)
    labels = keras.Input((1, None, None, classes), name="labels")
    looks = keras.Input((1, None, None, 3), name="looks")
    frame = looks[:, 0] + 0.0 * ops.sum(labels[:, 0], axis=-1, keepdims=True)
    model = keras.Model({"labels": labels, "looks": looks}, {"frame": frame})
    names = [chr(ord("a") + number) for number in range(classes)]
    own = {"features": 3, "names": names, "vectors": vectors}
    return model, described(
        frame={"height": None, "width": None, "channels": 3, "multiple_of": 4},
        inputs={
            "labels": {"role": "condition", "frames": 1, "encoding": {"one_hot": classes}},
            "looks": {"role": "condition", "frames": 1, "looks": own},
        },
    )


def several():
    """Two frames a step: the last one and its negative."""
    history = keras.Input((2, None, None, 3), name="history")
    last = history[:, -1]
    frames = ops.stack([last, -last], axis=1)
    model = keras.Model({"history": history}, {"frame": frames, "half": frames / 2})
    return model, described(
        frame={"frames": 2, "height": None, "width": None, "channels": 3},
        inputs={"history": {"role": "history", "frames": 2}},
        extra_outputs={"half": "image"},
    )


def walking():
    """A state that halves a step and shows itself; a second one begins as the first."""
    first, second = (keras.Input((3,), name=name) for name in ("first", "second"))
    frame = layers.Reshape((1, 3, 1))((first + second) * 0.5)
    following = {"first_next": first * 0.5, "second_next": second * 0.5}
    model = keras.Model({"first": first, "second": second}, {"frame": frame, **following})
    state = {"role": "state", "shape": [3], "draw": "uniform"}
    inputs = {
        "second": state | {"same_as": "first", "next": "second_next"},
        "first": state | {"next": "first_next"},
    }
    return model, described(frame={"height": 1, "width": 3, "channels": 1}, inputs=inputs)
