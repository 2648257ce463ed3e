import json

import pytest
import yaml

from kvidgan import config as configs
from kvidgan import families
from kvidgan.contract import DataFacts
from kvidgan.errors import UserError
from tests.conftest import ROOT

SHIPPED = sorted((ROOT / "configs").rglob("*.yaml"))


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


GOOD = "family: {name: mocogan}\ndata: {path: moving_shapes}\n"


def test_defaults_and_overrides(written):
    config = configs.load(
        written(GOOD),
        ["family.generator_optimizer.learning_rate=1e-4", "train.epochs=3", "data.split=null"],
    )
    assert config.run.name == "mine"
    assert config.run.folder == "models"
    assert config.family.generator_optimizer.learning_rate == 1e-4
    assert config.train.epochs == 3
    assert config.data.split is None


def test_a_saved_config_is_the_same_config(written, tmp_path):
    config = configs.load(written(GOOD), ["family.cell=lstm", "train.ema=0.9", "run.name=x"])
    configs.save(config, tmp_path / "config.yaml")
    assert configs.load(tmp_path / "config.yaml") == config


@pytest.mark.parametrize(
    ("text", "overrides", "sentence"),
    [
        (
            GOOD + "train: {epoch: 3}",
            [],
            r"mine.yaml: unknown key 'train.epoch'; did you mean 'train.epochs'\?",
        ),
        (
            "family: {name: mocogan, contents: 3}\ndata: {path: x}",
            [],
            r"mine.yaml: unknown key 'family.contents'; did you mean 'content'\?",
        ),
        (
            GOOD,
            ["family.generator_optimizer.lr=1"],
            r"the command line: unknown key 'family.generator_optimizer.lr'; did you mean 'gen",
        ),
        (GOOD + "trian: {}", [], r"unknown key 'trian'; did you mean 'train'\?"),
        (GOOD, ["data.batch=many"], "the command line: data.batch: .*integer.*, found 'many'"),
        (GOOD, ["family.size=50"], "family.size: .*32, 48, 64, 96 or 128, found 50"),
        (GOOD, ["family.frames=4"], "family.frames: expected at least 13"),
        (GOOD, ["family.name=mocogann"], r"expected one of .*mocogan.*Did you mean 'mocogan'\?"),
        (GOOD, ["train.epochs"], "Expected an override key=value"),
        (GOOD, ["train.epochs=[1"], "not a valid YAML value"),
        (
            GOOD,
            ["family.generator_optimizer.learning_rate={class_name: Nonsense}"],
            "expected a Keras schedule such as",
        ),
        (
            "data: {path: x}",
            [],
            "mine.yaml: expected family.name, one of lstm_wgan, mocogan, multiscale, .*vid2vid",
        ),
        ("family: {name: mocogan}", [], "mine.yaml: expected the key 'data'"),
        ("- a", [], "expected keys such as family"),
        ("a: [", [], "mine.yaml is not valid YAML"),
    ],
)
def test_one_sentence_for_each_mistake(written, text, overrides, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        configs.load(written(text), overrides)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="Cannot read the config .*none.yaml: No such file"):
        configs.load(tmp_path / "none.yaml")


def test_the_shipped_schema_is_current():
    """A family that is new need not be in it yet; what is, is as the code says."""
    text = (ROOT / "configs" / "schema.json").read_text()
    listed = [one for one in families.names() if f'"const": "{one}"' in text]
    assert len(listed) >= 4
    assert text == configs.schema_text(listed)


def test_the_schema_knows_the_families_and_their_keys():
    schema = configs.schema()
    references = schema["properties"]["family"]["oneOf"]
    found = [schema["$defs"][one["$ref"].rsplit("/", 1)[1]]["properties"] for one in references]
    assert [fields["name"]["const"] for fields in found] == families.names()
    for fields in found:
        assert all("description" in fields[name] for name in fields if name != "name")
    assert json.dumps(schema).count("additionalProperties") >= 5


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_shipped_config_names_its_schema_and_its_command(path):
    first, *rest = path.read_text().splitlines()
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == ROOT / "configs" / "schema.json"
    assert any(line.strip("# ").startswith("kvidgan fit configs/") for line in rest)
    assert yaml.safe_load(path.read_text())["family"]["name"] in path.stem


def small(name):
    """Return overrides that make a family tiny, and find label maps if it follows such."""
    family = families.load(name)
    found = [f"family.{key}={json.dumps(value)}" for key, value in family.SMALL.items()]
    data = DataFacts(labels=["background", "edge"], labels_from="edges")
    gan = family.Family(family.Config(**family.SMALL).for_data(data))
    follows = any("labels" in spec.maps for spec in gan.clips().values())
    return [*found, *(["data.labels=edges"] if follows else [])]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(ROOT)))
@pytest.mark.slow
def test_a_shipped_config_trains_two_steps_at_reduced_size(path, tmp_path):
    train_two_steps(path, tmp_path)


def train_two_steps(path, tmp_path):
    """Train a config on digits, at its family's small size."""
    from kvidgan.training import fit

    overrides = [
        *small(configs.load(path).family.name), "data.path=moving_digits", "data.digits.clips=8",
        "data.stride=1", "data.batch=2",
        f"data.cache={tmp_path}", "train.epochs=1", "train.steps_per_epoch=2",
        f"run.folder={tmp_path}",
    ]  # fmt: skip
    outcome = fit.start(configs.load(path, overrides), say=lambda text: None)
    assert outcome.step == 2
    assert outcome.model.is_file()
    assert outcome.animation.is_file()
