"""MoCoGAN's generator: frames of the imported file are those of the network in PyTorch."""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import read_description
from tests.importers.play import assert_close, imported, step

torch = pytest.importorskip("torch")
networks = pytest.importorskip("tests.importers.torch_networks")


def frames_of_both(generator, model, categories=3, frames=6):
    rng = np.random.default_rng(1)
    draw = lambda *shape: rng.normal(size=shape).astype("float32")  # noqa: E731
    content, hidden = draw(2, generator.dim_z_content), draw(2, generator.dim_z_motion)
    category = np.eye(categories, dtype="float32")[[0, categories - 1]] if categories else None
    noise = draw(frames, 2, generator.dim_z_motion)
    with torch.no_grad():
        chosen = np.zeros((2, 0), "float32") if category is None else category
        tensors = map(torch.from_numpy, (content, chosen, hidden, noise))
        expected = generator.video(*tensors).numpy()
    found = []
    for moment in noise:
        fixed = {"content": content, "noise": moment, "hidden": hidden}
        outputs = step(model, **fixed, **({} if category is None else {"category": category}))
        hidden = outputs["hidden_next"]
        found.append(outputs["frame"])
    return np.stack(found), expected


@pytest.mark.every_backend
@pytest.mark.parametrize("form", ["zip", "chain", "python2", "state", "parallel"])
def test_frames_are_those_of_the_original(tmp_path, form):
    generator = networks.randomized(networks.VideoGenerator())
    path = networks.save(generator, tmp_path / "generator_100000.pytorch", form)
    model, outcome = imported(
        path, *(["family.content=5"] if form in ("state", "parallel") else [])
    )
    assert_close(*frames_of_both(generator, model), within=1e-5)
    assert outcome.what == "MoCoGAN's generator"
    assert "its 3 categories" in outcome.notes[0]


@pytest.mark.parametrize(
    "options",
    [
        {"size": 32, "channels": 1, "categories": 0, "width": 3},
        {"size": 96, "categories": 2, "motion": 3},
        {"size": 128, "categories": 1, "width": 1, "content": 2},
    ],
)
def test_sizes_and_widths_are_taken_from_the_shapes(tmp_path, options):
    generator = networks.randomized(networks.VideoGenerator(**options))
    path = networks.save(generator, tmp_path / "generator.pytorch", "zip")
    model, outcome = imported(path)
    found, expected = frames_of_both(generator, model, options["categories"], frames=2)
    assert_close(found, expected, within=1e-5)
    frame = read_description(outcome.models[0]).frame
    assert (frame.height, frame.width) == (options["size"], options["size"])
    assert frame.channels == options.get("channels", 3)
    assert bool(outcome.notes) == bool(options["categories"])


def test_categories_are_numbered_or_named(tmp_path):
    path = networks.save(networks.VideoGenerator(), tmp_path / "g.pytorch", "zip")
    assert read_description(imported(path)[1].models[0]).choices == {"category": ["0", "1", "2"]}
    _, outcome = imported(path, "family.categories=[walk,run,jump]")
    assert outcome.notes == []
    description = read_description(outcome.models[0])
    assert description.choices == {"category": ["walk", "run", "jump"]}
    assert description.config["family"]["frames"] == 16
    with pytest.raises(UserError, match=r"family.categories: expected 3 names, found 2"):
        imported(path, "family.categories=[walk,run]")


def test_a_state_dict_asks_what_of_the_code_is_content(tmp_path):
    path = networks.save(networks.VideoGenerator(), tmp_path / "g.pth", "state")
    with pytest.raises(UserError, match=r"how many of the 8 numbers .* say family.content=N"):
        imported(path)
    _, outcome = imported(path, "family.categories=[a,b,c]")
    assert read_description(outcome.models[0]).inputs["content"].shape == [5]


def test_a_changed_network_is_refused(tmp_path):
    generator = networks.VideoGenerator()
    generator.main[0] = torch.nn.ConvTranspose2d(12, 16, 5, 1, 0, bias=False)
    path = networks.save(generator, tmp_path / "g.pytorch", "zip")
    with pytest.raises(UserError, match=r"family.size: .* found 80"):
        imported(path)
    generator = networks.VideoGenerator()
    generator.attention = torch.nn.Linear(3, 3)
    path = networks.save(generator, tmp_path / "g.pytorch", "zip")
    with pytest.raises(UserError, match=r"also holds attention.weight \(3, 3\)"):
        imported(path)
