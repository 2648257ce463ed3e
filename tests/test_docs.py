"""The documentation is true: its commands and examples run, its links lead somewhere.

What a command needs, such as a run, is made by the documented command that makes it: so a page
cannot use what no page tells how to make.
"""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
import yaml
from PIL import Image

from kvidgan import families
from kvidgan.data.builtin import registry
from kvidgan.media import write_frames
from tests.conftest import BACKENDS, ROOT, process, run
from tests.data.conftest import save_mnist
from tests.textures import moving_square, texture

README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "Data/README.md", "models/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}

# ---- Which commands there are -------------------------------------------------------------------

# Commands that no test runs, by what they begin with, and why.
NOT_RUN = {
    "pip install": "installs into the environment that runs the tests; .ci/run does it in another",
    "sudo apt-get": "needs root",
    "ssh": "needs another machine",
    "tensorboard": "shows files until it is stopped; its package is not a dependency",
    "mkdocs build": "has a test of its own below",
    "pre-commit": "changes the hooks of the repository",
    "pytest": "runs this test",
    "ruff": "checks the style of the code, not of what it does; CI runs it",
    "mypy": "checks the types of the code; CI runs it",
    "KERAS_BACKEND=torch pytest": "runs tests that run by themselves",
}
# What commands have that are left out of the inner loop: they train further models, or take long.
LONG = re.compile(
    r"run\.name=|--from |--resume |^KERAS_BACKEND=|mine\.yaml|kvidgan bench"
    r"|kvidgan evaluate|--first |kvidgan view models"
)


class Command(NamedTuple):
    """A line of a ```bash block: its text without comment, and the pages that show it."""

    text: str
    pages: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """Words as a shell splits them, without variables before and a redirection behind."""
        words = shlex.split(self.text.partition(" > ")[0])
        while re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        return words

    @property
    def verb(self) -> str:
        """What the command line is asked for."""
        return self.words[1]

    @property
    def made(self) -> str | None:
        """The path that the command makes and that others may use."""
        if " > " in self.text:
            return self.text.partition(" > ")[2].strip()
        if self.words[:2] == ["kvidgan", "prepare"]:
            return next(word for word in self.words if word.startswith("Data/"))
        if self.words[:2] == ["kvidgan", "import"]:
            return _imported(self.words)
        if self.words[:2] != ["kvidgan", "fit"] or "--resume" in self.words:
            return None
        named = re.search(r"run\.name=(\S+)", self.text)
        origin = re.search(r"--from (\S+)", self.text)
        if named:
            return f"models/{named[1]}"
        return f"{origin[1]}-2" if origin else f"models/{Path(self.words[2]).stem}"

    @property
    def needed(self) -> list[str]:
        """The paths that other commands make."""
        pattern = r"(?:models/[\w-]+|Data/\w+\.h5|\b\w+\.yaml|\b\w+\.keras$|^\w+\.keras)"
        words = [path for word in self.words for path in re.findall(pattern, word)]
        return [w for w in words if w != self.made and f"configs/{w}" not in self.text]


def _imported(words: list[str]) -> str:
    """Return what an import makes: a run, the file that is named, or one beside the checkpoint."""
    for option in ("--run", "-o"):
        if option in words:
            path = words[words.index(option) + 1]
            return f"models/{path}" if option == "--run" else path
    return f"{Path(words[2]).stem}.keras"


def collected() -> dict[str, Command]:
    """Return the commands of all pages by their text."""
    found: dict[str, list[str]] = {}
    for page, text in TEXTS.items():
        for block in re.findall(r"```bash\n(.*?)```", text, re.S):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.sub(r"\s+#.*|^#.*", "", line).split(" && "):
                    if part.strip():
                        found.setdefault(" ".join(part.split()), []).append(page)
    return {text: Command(text, tuple(pages)) for text, pages in found.items()}


COMMANDS = collected()
MAKERS: dict[str, Command] = {}
for command in COMMANDS.values():
    if command.text.partition(" ")[0] in ("kvidgan", "KERAS_BACKEND=jax") and command.made:
        MAKERS.setdefault(command.made, command)


def is_run(command: Command) -> bool:
    return not command.text.startswith(tuple(NOT_RUN))


def makers(command: Command) -> list[Command]:
    """Return the commands that make what one needs."""
    return [MAKERS[path] for path in command.needed if path in MAKERS]


def is_long(command: Command) -> bool:
    return bool(LONG.search(command.text)) or any(map(is_long, makers(command)))


PARAMETERS = [
    pytest.param(command, id=command.text, marks=[pytest.mark.slow] if is_long(command) else [])
    for command in COMMANDS.values()
    if is_run(command)
]

# ---- Running them -------------------------------------------------------------------------------

BRIEF = ["train.epochs=1", "train.steps_per_epoch=2", "train.log_every=1"]
# Of an imported MoCoGAN, which is itself as small as the test makes it.
DISCRIMINATORS = ["family.image_width=1", "family.video_width=1"]
FEW = {"moving_shapes": (6, 0), "maze": (4, 2), "streets": (4, 2)}  # clips, of them to test
# A window that closes once it has been shown for a moment.
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
loop = QApplication.exec
def shortly(*_):
    QTimer.singleShot(800, lambda: print(*(w.windowTitle() for w in QApplication.topLevelWidgets()
                                           if w.isVisible())))
    QTimer.singleShot(900, QApplication.closeAllWindows)
    QTimer.singleShot(1000, QApplication.quit)
    return loop()
QApplication.exec = shortly
from kvidgan_viewer.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


class Folder:
    """Where a reader works: configs, videos of their own, and what their commands have made."""

    def __init__(self, path: Path):
        self.path = path
        self.outcomes: dict[str, tuple[int, str, str]] = {}
        shutil.copytree(ROOT / "configs", path / "configs")
        (path / "Data").mkdir()
        frames = moving_square(24, speed=1)[0]
        for name in ("YOUR_CLIP.mp4", "CLIP.mp4"):
            write_frames(path / name, iter(frames), 12.5)
        for number in range(4):
            folder = path / "MY_VIDEOS" / ("walk" if number % 2 else "wave")
            folder.mkdir(parents=True, exist_ok=True)
            write_frames(folder / f"{number}.gif", iter(frames[number:]), 12.5)
        (path / "MY_LIST.csv").write_text("path,label,split\nwalk/1.gif,go,train\nwave,hi,test\n")
        (path / "MY_LABEL_MAPS").mkdir()
        for time in range(3):
            labels = (np.indices((64, 96))[1] // 16 + time) % 8
            Image.fromarray(labels.astype(np.uint8)).save(path / "MY_LABEL_MAPS" / f"{time}.png")
        Image.fromarray(texture(64, 96)).save(path / "FRAME.png")
        save_mnist(path / "MNIST")
        if "torch" in BACKENDS:
            save_checkpoints(path)

    def run(self, command: Command, kvidgan) -> tuple[int, str, str]:
        """Run a command, and before it what makes what it needs, each of them once."""
        if command.text not in self.outcomes:
            for maker in makers(command):
                assert self.run(maker, kvidgan)[0] == 0, f"{command.text} needs {maker.text}"
            self.outcomes[command.text] = self._run(command, kvidgan)
        return self.outcomes[command.text]

    def _run(self, command: Command, kvidgan) -> tuple[int, str, str]:
        words = self._shortened(command)
        backend = re.match(r"KERAS_BACKEND=(\w+) ", command.text)
        if command.words[0] == "kvidgan-viewer" or command.verb == "view":
            paths = words[1:] if words[0] == "kvidgan-viewer" else words[2:]
            return _finished(process("-c", WINDOW, *paths, cwd=self.path))
        if backend:
            return _finished(
                process("-m", "kvidgan", *words[1:], backend=backend[1], cwd=self.path)
            )
        # Pages show commands of their own that write the same file.
        again = ["--overwrite"] if command.verb in ("predict", "generate", "evaluate") else []
        outcome = kvidgan(*words[1:], *again)
        if " > " in command.text:
            (self.path / command.made).write_text(outcome[1])
        return outcome

    def _shortened(self, command: Command) -> list[str]:
        words = command.words
        if words[0] != "kvidgan":
            return words
        if command.verb == "bench":
            return [*words, "--steps", "2", *self._small(words)]
        if command.verb == "import":
            return [*words, "data.batch=2", *(DISCRIMINATORS if "generator" in words[2] else [])]
        if command.verb == "fit":
            if "--resume" in words:
                return [*(w for w in words if "train.epochs" not in w), "train.epochs=2"]
            return [*words[:3], *self._small(words), *words[3:], *BRIEF]
        if "moving_mnist" in words:
            return [*words, "--clips", "6"]
        if command.verb == "predict" and "-n" not in words:
            return [*words, "-n", "6"]
        # The shortest training leaves another step than the one in the text.
        kept = sorted(self.path.glob("models/mocogan/checkpoints/step-*.npz"))
        return [re.sub(r"step-\d+\.npz", kept[-1].name, w) if kept else w for w in words]

    def _small(self, words: list[str]) -> list[str]:
        """Return overrides that make the networks of a config tiny, and its data few."""
        path = next((w for w in words[2:] if "." in w or w in families.names()), "")
        path = Path(path if path.endswith(".yaml") else f"configs/{path}.yaml")
        if not (self.path / path).is_file():
            return []  # --from: as small as the run that it begins with
        config = yaml.safe_load((self.path / path).read_text())
        name = config["family"]["name"]
        small = {f"family.{key}": value for key, value in families.load(name).SMALL.items()}
        small["data.batch"] = 2
        if name == "vid2vid":  # each temporal scale is a discriminator more to compile
            small["family.temporal_scales"] = 1
        if name == "lstm_wgan" and not any(w.startswith("data.path") for w in words):
            small |= {"data.digits.clips": 6}
        return [f"{key}={yaml.safe_dump(value, default_flow_style=True).split(chr(10))[0]}"
                for key, value in small.items()]  # fmt: skip


def save_checkpoints(folder: Path) -> None:
    """Write the generators that a reader brings: small, with the weights that they begin with."""
    from tests.importers import torch_networks as networks

    mocogan = networks.VideoGenerator(size=32, content=5, categories=2, width=1)
    networks.save(mocogan, folder / "generator_100000.pytorch", "zip")
    vid2vid = networks.CoarseGenerator(labels=4)
    networks.save(vid2vid, folder / "latest_net_G0.pth", "state")


def _finished(started: subprocess.Popen) -> tuple[int, str, str]:
    out, err = started.communicate(timeout=300)
    return started.returncode, out, err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Folder(tmp_path_factory.mktemp("reader"))


@pytest.fixture
def folder(made, monkeypatch):
    """The reader's folder, entered; the data sets that are drawn have few clips."""
    monkeypatch.chdir(made.path)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    for name, (clips, test) in FEW.items():
        few = registry.SETS[name]._replace(clips=clips, test=test)
        monkeypatch.setitem(registry.SETS, name, few)
    return made


@pytest.mark.parametrize("command", PARAMETERS)
def test_the_command_runs(command, folder, kvidgan):
    words = command.words
    assert words[0] in ("kvidgan", "kvidgan-viewer"), (
        f"{command.pages[0]} shows {command.text!r}: no test knows how to run it; see NOT_RUN"
    )
    if "import" in [one.verb for one in (command, *makers(command))] and "torch" not in BACKENDS:
        pytest.skip("PyTorch is not installed: no checkpoint to import")
    status, out, err = folder.run(command, kvidgan)
    assert status == 0, f"{command.pages}: {command.text}\n{out}\n{err}"
    if "-o" in words:
        assert Path(words[words.index("-o") + 1]).exists()
    if command.made:
        assert Path(command.made).exists()
    if words[0] == "kvidgan-viewer" or command.verb == "view":
        assert "kvidgan" in out, "no window was shown"


def test_commands_that_are_not_run_are_shown_somewhere():
    for start in NOT_RUN:
        assert any(text.startswith(start) for text in COMMANDS), start


def test_commands_within_sentences_are_shown_in_blocks_too():
    for page, text in TEXTS.items():
        prose = re.sub(r"```.*?```", "", text, flags=re.S)
        for shown in re.findall(r"`(kvidgan \w+ [^`]+)`", prose):
            known = any(command.startswith(shown) for command in COMMANDS)
            assert known or shown in COMMANDS, f"{page}: {shown!r} is in no ```bash block"


def test_the_two_commands_are_those_that_ci_runs():
    ci = (ROOT / ".ci" / "run").read_text()
    for command in (
        "pip install -e . && kvidgan fit configs/mocogan.yaml",
        "pip install -e '.[test]' && pytest",
    ):
        assert command in README.read_text(encoding="utf-8")
        assert f'"{command}"' in ci


# ---- Examples -----------------------------------------------------------------------------------

EXAMPLES = {
    code: page
    for page, text in TEXTS.items()
    for code in re.findall(r"```python\n(.*?)```", text, re.S)
}
GANS = [("DCGAN", 40, "discriminator"), ("WGANGP", 50, "critic")]


def gan(name):
    (code,) = (code for code in EXAMPLES if f"class {name}(" in code)
    return code


@pytest.mark.parametrize(
    "backend",
    [pytest.param(b, marks=() if b == "tensorflow" else pytest.mark.slow) for b in BACKENDS],
)
@pytest.mark.parametrize(("name", "lines", "side"), GANS)
def test_the_gan_trains(tmp_path, backend, name, lines, side):
    code = gan(name)
    assert len(code.splitlines()) < lines
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.uniform(-1, 1, (64, 28, 28, 1)).astype("float32"))
    (tmp_path / "example.py").write_text(code + "\nprint(gan.history.history)\n")
    out = run("example.py", backend=backend, cwd=tmp_path)
    history = eval(out.strip().splitlines()[-1])
    assert len(history[side]) == 10
    assert history[side][-1] < history[side][0]
    assert all(np.isfinite(history["generator"]))
    if name == "DCGAN":
        generator = keras.models.load_model(tmp_path / "generator.keras", compile=False)
        assert generator.output_shape == (None, 28, 28, 1)


@pytest.mark.parametrize("code", [c for c in EXAMPLES if c not in map(gan, ("DCGAN", "WGANGP"))])
def test_the_example_runs(code, folder, kvidgan):
    folder.run(MAKERS["models/mocogan"], kvidgan)
    names: dict = {}
    exec(compile(code, EXAMPLES[code], "exec"), names)
    if "frames" in names:
        assert np.shape(names["frames"]) == (24, 32, 32, 3)
    elif "step" in names:
        assert names["step"].frames.shape == (4, 32, 32, 3)
        assert names["step"].frames.dtype == np.uint8


def test_the_configs_in_the_pages_are_right(tmp_path):
    from kvidgan.config import load

    for page, text in TEXTS.items():
        for number, block in enumerate(re.findall(r"```yaml\n(family:.*?)```", text, re.S)):
            path = tmp_path / f"{Path(page).stem}{number}.yaml"
            path.write_text(block)
            assert load(path).run.name == path.stem


# ---- Pages --------------------------------------------------------------------------------------


def test_the_front_page_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 140


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```", "", TEXTS[page], flags=re.S)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    for link in links:
        path, _, anchor = link.partition("#")
        if path.startswith("https://"):
            continue
        target = ((ROOT / page).parent / path) if path else ROOT / page
        assert target.is_file(), f"{page} links to {link}"
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            slugs = [re.sub(r"[^\w\- ]", "", head).strip().lower() for head in heads]
            assert anchor in [slug.replace(" ", "-") for slug in slugs], f"{page} links to {link}"


def hooks():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_taken_from_the_code():
    made = hooks()
    for page, text in TEXTS.items():
        if page.startswith("docs/"):
            assert "{{" not in made.on_page_markdown(text), page
    for name in families.names():
        family = families.load(name)
        for loss, meaning in family.LOSSES.items():
            assert f"| `{loss}` | {meaning} |" in made.losses(name)
        for key in set(family.Config.model_fields) - {"name"}:
            assert f"| `family.{key}` |" in made.options(name)
    tree = made.tree()
    for path in [*(ROOT / "kvidgan").rglob("*.py"), *(ROOT / "viewer").rglob("*.py")]:
        assert path.name.startswith("__") or f" {path.name} " in tree, f"{path} says nothing"


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    if importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed: no site to build")
    site = tmp_path / "site"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", site],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "<table>" in (site / "families" / "mocogan" / "index.html").read_text(encoding="utf-8")
