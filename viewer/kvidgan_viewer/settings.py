"""What the viewer remembers from one time to the next."""

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

RECENT = 10  # paths that are remembered


class Settings:
    """Values in the place where the system keeps those of applications."""

    def __init__(self) -> None:
        self._store = QSettings("kvidgan", "viewer")

    def recent(self) -> list[Path]:
        """Return what was opened last and is still there, the latest first."""
        paths = [Path(text) for text in self._read("recent", [])]
        return [path for path in paths if path.exists()]

    def remember(self, path: Path) -> None:
        """Put a path at the head of those opened last."""
        path = path.absolute()
        others = [str(other) for other in self.recent() if other != path]
        self._write("recent", [str(path), *others][:RECENT])
        self.folder = path.parent

    @property
    def folder(self) -> Path:
        """Where a file was last chosen."""
        return Path(self._read("folder", str(Path.cwd())))

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._write("folder", str(folder))

    def value(self, name: str, otherwise: Any) -> Any:
        """Return a plain value."""
        return self._read(name, otherwise)

    def set_value(self, name: str, value: Any) -> None:
        """Keep a plain value."""
        self._write(name, value)

    def bytes(self, name: str) -> QByteArray | None:
        """Return what Qt packed, such as the state of a window."""
        found = self._store.value(name)
        return found if isinstance(found, QByteArray) and not found.isEmpty() else None

    def set_bytes(self, name: str, packed: QByteArray) -> None:
        """Keep what Qt packed."""
        self._store.setValue(name, packed)

    def _read(self, name: str, otherwise: Any) -> Any:
        # As JSON: the file that Qt keeps has no types, "false" would be true.
        try:
            found = json.loads(str(self._store.value(name, "null")))
        except ValueError:
            return otherwise
        return found if isinstance(found, type(otherwise)) else otherwise

    def _write(self, name: str, value: Any) -> None:
        self._store.setValue(name, json.dumps(value))
