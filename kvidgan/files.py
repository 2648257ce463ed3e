"""Files: written whole or not at all, and never in the place of what somebody else wrote."""

import errno
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kvidgan.errors import UserError

MARK = ".kvidgan"  # a hidden file in folders that only kvidgan writes into
FRAME_MARK = ("Software", "kvidgan")  # in the header of each picture in a folder of frames
_HEADER = 256  # bytes of a picture that hold its mark
_POLL = 0.5  # seconds between two looks at a lock that is waited for
_LEFT_BEHIND = 3600  # seconds after which what nobody writes any more is taken for left behind


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling to write, which takes the final name only on success.

    What killed processes left behind under such names is removed.

    Args:
        path: Path to replace.

    Raises:
        UserError: If writing fails, as on a full disk; nothing is left behind then.

    Example:
        with replacing(Path("notes.txt")) as temporary:
            temporary.write_text("complete")
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clean_up(path)
        yield temporary
        _take_place(temporary, path)
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error
    finally:
        remove(temporary)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        UserError: If writing fails.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def check_output(output: Path, inputs: Iterable[Path | str] = (), overwrite: bool = False) -> None:
    """Refuse to write over what is read, over what exists, or over what kvidgan did not write.

    Args:
        output: File or folder to write.
        inputs: Files and folders that are read for it.
        overwrite: Whether a file, or a folder of frames that kvidgan wrote, may be replaced.

    Raises:
        UserError: If it may not be written.
    """
    real = output.resolve()
    for one in map(Path, inputs):
        if one.exists() and (one.resolve() == real or one.resolve().is_relative_to(real)):
            raise UserError(
                f"{output} is, or holds, what is read, {one}: expected another name for what is"
                " written."
            )
    if output.is_dir():
        check_own_frames(output)
        if any(output.iterdir()) and not overwrite:
            raise UserError(f"{output} exists: choose another name, or replace it by --overwrite.")
    elif output.exists() and not output.is_file():
        raise UserError(f"{output} is no file that can be replaced: choose another name.")
    elif output.exists() and not overwrite:
        raise UserError(f"{output} exists: choose another name, or replace it by --overwrite.")


def check_own_frames(folder: Path) -> None:
    """Refuse a folder in which there is something else than frames that kvidgan wrote.

    Raises:
        UserError: If there is.
    """
    for path in folder.iterdir():
        if path.suffix != ".png" or not _is_marked(path):
            raise UserError(
                f"{folder} holds what kvidgan did not write, such as {path.name}: choose a new or"
                " an empty folder."
            )


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return "\0".join(FRAME_MARK).encode() in file.read(_HEADER)
    except OSError:
        return False


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # it was never written, and an error is under way
            path.unlink()


def cannot_write(path: Path, error: OSError) -> str:
    """Return a sentence on why a file cannot be written."""
    if error.errno == errno.ENOSPC or "No space left" in str(error):
        return f"Cannot write {path}: the disk is full; free some space or choose another folder."
    reason = os.strerror(error.errno) if error.errno else str(error).strip().rstrip(".")
    return f"Cannot write {path}: {reason or 'no reason given'}; choose another name or folder."


def _take_place(temporary: Path, path: Path) -> None:
    if temporary.is_dir() and path.is_dir():  # a folder does not replace a full one
        old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        path.rename(old)
        os.replace(temporary, path)
        remove(old)
    else:
        os.replace(temporary, path)


def _clean_up(path: Path) -> None:
    """Remove what killed processes left behind when they wrote the same file."""
    for old in path.parent.glob(f".{_escaped(path.name)}.????????.tmp"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _LEFT_BEHIND:
                remove(old)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


# --- locks


class Busy(Exception):
    """Busy: another process holds the lock; its text says which."""


@contextmanager
def locked(path: Path, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a lock: a file with the process and the host that hold it, for the time of a block.

    A lock whose process is gone is taken over.

    Args:
        path: Path of the lock's file.
        on_wait: Function that is called with who holds it before it is waited for; None not to
            wait.

    Raises:
        Busy: If another process holds it, and it is not waited for.
        UserError: If the file cannot be written.
    """
    own = f"{os.getpid()} {socket.gethostname()} {_started(os.getpid())}"
    told = False
    while not _taken(path, own):
        holder = _holder(path)
        if holder is None:
            remove(path)
        elif on_wait is None:
            raise Busy(holder)
        else:
            if not told:
                on_wait(holder)
            told = True
            time.sleep(_POLL)
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_text(encoding="utf-8") == own:
                path.unlink()


def _taken(path: Path, own: str) -> bool:
    """Write a lock's file, if there is none; its text is there with it."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(own, encoding="utf-8")
        try:
            os.link(aside, path)
        except FileExistsError:
            return False
        except OSError:  # no links on this disk
            with path.open("x", encoding="utf-8") as file:
                file.write(own)
        return True
    except FileExistsError:
        return False
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error
    finally:
        remove(aside)


def _holder(path: Path) -> str | None:
    """Return in words who holds a lock; None if nobody does any more."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        age = time.time() - path.stat().st_mtime
    except OSError:
        return None
    words = text.split()
    if len(words) != 3 or not words[0].isdigit():
        return "another process" if age < 10 else None  # it may be about to be written
    number, host, started = int(words[0]), words[1], words[2]
    if host != socket.gethostname():
        return f"process {number} on {host}"
    return f"process {number} on this machine" if _started(number) == started else None


def _started(number: int) -> str:
    """Return when a process was started, so that a number that was given anew is told apart."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return fields[19]
    except (OSError, IndexError):
        return "alive" if _is_alive(number) else "gone"


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
