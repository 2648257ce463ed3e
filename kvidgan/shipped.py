"""Shipped files: the configurations and the demo model that come with an installation."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_ROOT = _PACKAGE.parent


def config_names() -> list[str]:
    """Return the names of the configs that ship, as `mocogan`, those of the papers last."""
    folder = _folder("configs")
    found = (path.relative_to(folder).with_suffix("").as_posix() for path in _yaml(folder))
    return sorted(found, key=lambda name: ("/" in name, name))


def config(name: str) -> Path:
    """Return the YAML file of a config that ships."""
    return _folder("configs") / f"{name}.yaml"


def demo_model() -> Path:
    """Return the exported model that the viewer's demo plays."""
    return _folder("models") / "shapes.keras"


def _yaml(folder: Path) -> list[Path]:
    return list(folder.rglob("*.yaml"))


def _folder(name: str) -> Path:
    """Return a folder of shipped files: in the wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "shipped_files" / name
    return installed if installed.is_dir() else _ROOT / name
