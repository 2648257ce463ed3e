"""vid2vid's generators: frames of the imported file are those of the network in PyTorch."""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import read_description
from tests.importers.play import assert_close, imported, step

torch = pytest.importorskip("torch")
networks = pytest.importorskip("tests.importers.torch_networks")

SIZE = "family.size=[32,48]"
SMALL = ["family.discriminator_layers=1", "family.discriminator_scales=1", "data.batch=1",
         "family.discriminator_width=2", "family.temporal_scales=1"]  # fmt: skip


def moment(labels=4, past=2, channels=3, height=32, width=48):
    """Return label maps (1, T, H, W, classes) and past frames (1, T, H, W, C) as they are fed."""
    rng = np.random.default_rng(5)
    maps = rng.integers(0, labels, (past + 1, height // 4, width // 4)).repeat(4, 1).repeat(4, 2)
    frames = rng.uniform(-1, 1, (past, height, width, channels)).astype("float32")
    return np.eye(labels, dtype="float32")[maps][None], frames[None]


def generator(**options):
    """Return a generator with random weights whose flow is a few pixels."""
    network = networks.randomized(networks.CoarseGenerator(**options))
    with torch.no_grad():
        network.model_final_flow[1].weight.mul_(0.05)
    return network


def channels_first(window):
    """(1, T, H, W, C) to (1, T * C, H, W)."""
    count, _, height, width, _ = window.shape
    return torch.from_numpy(window).permute(0, 1, 4, 2, 3).reshape(count, -1, height, width)


def outputs_of_both(network, model, labels, past, foreground=None):
    # As it was trained and used: every frame by its own statistics.
    shown = (
        None if foreground is None else torch.from_numpy(labels[:, -1, ..., foreground][:, None])
    )
    with torch.no_grad():
        outputs = network.train()(channels_first(labels), channels_first(past), shown)
    names = ("frame", "raw", "flow", "mask")
    expected = {
        name: output.permute(0, 2, 3, 1).numpy()
        for name, output in zip(names, outputs, strict=True)
    }
    return step(model, labels=labels, past=past), expected


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("state", {}),
        ("parallel", {"norm": "instance", "blocks": 9}),
        ("zip", {"past": 1, "channels": 1, "down": 1, "blocks": 2}),
    ],
)
def test_frames_are_those_of_the_original(tmp_path, form, options):
    network = generator(**options)
    path = networks.save(network, tmp_path / "latest_net_G0.pth", form)
    model, outcome = imported(path, SIZE, *SMALL)
    shape = {key: options[key] for key in ("past", "channels") if key in options}
    found, expected = outputs_of_both(network, model, *moment(**shape))
    assert_close(found["flow"], expected["flow"], within=1e-3)
    for name in ("frame", "raw", "mask"):
        assert_close(found[name], expected[name], within=1e-4)
    assert outcome.what == "vid2vid's generator"


def test_the_foreground_is_drawn_apart(tmp_path):
    network = generator(foreground=True, down=3, blocks=3)
    path = networks.save(network, tmp_path / "latest_net_G0.pth", "state")
    with pytest.raises(UserError, match=r"which classes .* say family.foreground_labels=\[NAME"):
        imported(path, SIZE, *SMALL)
    model, outcome = imported(path, SIZE, *SMALL, "family.foreground_labels=['2']")
    found, expected = outputs_of_both(network, model, *moment(), foreground=2)
    assert_close(found["frame"], expected["frame"])
    config = read_description(outcome.models[0]).config["family"]
    assert (config["foreground_width"], config["foreground_blocks"]) == (2, 3)


@pytest.mark.slow
def test_a_finer_scale_draws_upon_the_coarser_beside_it(tmp_path):
    coarse = generator(foreground=True, down=2, blocks=3)
    fine = networks.randomized(networks.FineGenerator(foreground=True), seed=1).train()
    with torch.no_grad():
        fine.model_final_flow[1].weight.mul_(0.05)
    networks.save(coarse, tmp_path / "latest_net_G0.pth", "state")
    path = networks.save(fine, tmp_path / "latest_net_G1.pth", "state")
    # Two scales are 32 pixels at the least; the foreground's maps are halved with the others.
    options = ["family.size=[64,96]", *SMALL, "family.foreground_labels=['2']"]
    model, outcome = imported(path, *options)
    labels, past = moment(height=64, width=96)
    pool = torch.nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
    seen, before = channels_first(labels), channels_first(past)
    front = torch.from_numpy(labels[:, -1, ..., 2][:, None])
    small = np.random.default_rng(6).uniform(-1, 1, (1, 2, 32, 48, 3)).astype("float32")
    with torch.no_grad():
        below = coarse.train().features(pool(seen), channels_first(small))
        expected = fine(seen, before, below, front)
        state = coarse(pool(seen), channels_first(small), pool(front))[0]
    found = step(model, labels=labels, past=past, past_scale0=small)
    for name, output in zip(("frame", "raw"), expected, strict=False):
        assert_close(found[name], output.permute(0, 2, 3, 1).numpy())
    assert_close(found["past_scale0_next"][:, -1], state.permute(0, 2, 3, 1).numpy())
    assert read_description(outcome.models[0]).config["family"]["scales"] == 2
    _, outcome = imported(tmp_path / "latest_net_G0.pth", *options)
    assert outcome.notes[-1].startswith("latest_net_G1.pth beside it is finer")


@pytest.mark.slow
def test_label_classes_are_numbered_or_named(tmp_path):
    path = networks.save(networks.CoarseGenerator(), tmp_path / "latest_net_G0.pth", "state")
    _, outcome = imported(path, *SMALL)
    assert "names of its 4 label classes" in outcome.notes[0]
    assert "family.instance_edges=true" in outcome.notes[0]
    assert "family.size=[HEIGHT,WIDTH]" in outcome.notes[1]

    def encoding(*overrides):
        _, outcome = imported(path, SIZE, *SMALL, *overrides)
        found = read_description(outcome.models[0]).encoding
        return found.names, found.instance_edges, outcome.notes

    named = "family.labels=[road,car,sky,tree]"
    assert encoding(named) == (["road", "car", "sky", "tree"], False, [])
    assert encoding("family.labels=[road,car,sky]") == (["road", "car", "sky"], True, [])
    numbers, edges, notes = encoding("family.instance_edges=true")
    assert (numbers, edges, len(notes)) == (["0", "1", "2"], True, 1)
    with pytest.raises(UserError, match="family.labels: expected 4 names, or 3 and edges"):
        encoding("family.labels=[road]")


def test_what_cannot_be_imported_is_named(tmp_path):
    for name, missing in (("net_G1.pth", "net_G0.pth"), ("fine.pth", "latest_net_G0.pth")):
        path = networks.save(networks.FineGenerator(), tmp_path / name, "state")
        with pytest.raises(UserError, match=f"finer generators, .*: expected {missing} "):
            imported(path, *SMALL)
    networks.save(networks.VideoGenerator(), tmp_path / "net_G0.pth", "state")
    with pytest.raises(UserError, match=r"net_G0\.pth: expected vid2vid's generator, which net_G1"):
        imported(tmp_path / "net_G1.pth", *SMALL)
    network = networks.CoarseGenerator()
    for part in ("model_final_flow", "model_final_w", "model_res_flow", "model_up_flow"):
        delattr(network, part)
    path = networks.save(network, tmp_path / "plain.pth", "state")
    with pytest.raises(UserError, match="has no flow, but sees past frames"):
        imported(path, *SMALL)
