"""Settings: the values that the viewer remembers from one time to the next."""

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

NUM_RECENT = 10  # paths that are remembered


class Settings:
    """Settings, in the place where the system keeps those of applications."""

    def __init__(self) -> None:
        self._store = QSettings("kvidgan", "viewer")

    def recent(self) -> list[Path]:
        """Return the paths that were opened last and are still there, the latest first."""
        paths = [Path(text) for text in self._read("recent", [])]
        return [path for path in paths if path.exists()]

    def remember(self, path: Path) -> None:
        """Put a path at the head of those opened last."""
        path = path.absolute()
        others = [str(other) for other in self.recent() if other != path]
        self._write("recent", [str(path), *others][:NUM_RECENT])
        self.folder = path.parent

    @property
    def folder(self) -> Path:
        """Folder in which a file was last chosen."""
        return Path(self._read("folder", str(Path.cwd())))

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._write("folder", str(folder))

    def value(self, name: str, default: Any) -> Any:
        """Return a plain value; the default where none of its type was kept."""
        return self._read(name, default)

    def set_value(self, name: str, value: Any) -> None:
        """Keep a plain value."""
        self._write(name, value)

    def bytes(self, name: str) -> QByteArray | None:
        """Return bytes of Qt, such as the state of a window."""
        value = self._store.value(name)
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def set_bytes(self, name: str, value: QByteArray) -> None:
        """Keep bytes of Qt."""
        self._store.setValue(name, value)

    def _read(self, name: str, default: Any) -> Any:
        # As JSON: the file that Qt keeps has no types, "false" would be true.
        try:
            value = json.loads(str(self._store.value(name, "null")))
        except ValueError:
            return default
        return value if isinstance(value, type(default)) else default

    def _write(self, name: str, value: Any) -> None:
        self._store.setValue(name, json.dumps(value))
