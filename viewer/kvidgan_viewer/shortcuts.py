"""Shortcuts: the table of keys, and their binding to commands."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


class Shortcut(NamedTuple):
    """Keys of a command.

    Attributes:
        command: Name of the command.
        keys: The keys, in Qt's spelling.
        text: What the command does; "" where another shortcut says so already.
        window_wide: Whether the keys act wherever the focus is, rather than on the canvas only.
    """

    command: str
    keys: tuple[str, ...]
    text: str
    window_wide: bool = False


SHORTCUTS = (
    Shortcut("toggle", ("Space", "K"), "play, pause"),
    Shortcut("step_back", ("Left", ","), "one frame back; held: runs"),
    Shortcut("step_forward", ("Right", "."), "one frame forward; held: runs"),
    Shortcut("ten_back", ("Shift+Left",), "ten frames back"),
    Shortcut("ten_forward", ("Shift+Right",), "ten frames forward"),
    Shortcut("home", ("Home",), "first frame"),
    Shortcut("end", ("End",), "last frame"),
    Shortcut("backward", ("J",), "play backward; again: faster"),
    Shortcut("forward", ("L",), "play forward; again: faster"),
    Shortcut("slower", ("[",), "slower"),
    Shortcut("faster", ("]",), "faster"),
    Shortcut("normal_speed", ("Backspace",), "normal speed"),
    Shortcut("next_loop", ("Shift+L",), "once, loop, ping-pong"),
    Shortcut("mark_start", ("I",), "begin the loop range here"),
    Shortcut("mark_end", ("O",), "end the loop range here"),
    Shortcut("clear_range", ("Shift+I",), "play the whole film"),
    Shortcut("previous_clip", ("PgUp",), "previous clip"),
    Shortcut("next_clip", ("PgDown",), "next clip"),
    *(Shortcut(f"alone_{n}", (str(n),), "one pane alone" if n == 1 else "") for n in range(1, 10)),
    Shortcut("all_panes", ("0",), "all panes"),
    Shortcut("toggle_difference", ("D",), "show the difference, or not"),
    Shortcut("next_mode", ("Shift+D",), "difference: absolute, signed, heat"),
    Shortcut("next_model", ("Tab",), "next model on the same clip"),
    Shortcut("smooth", ("T",), "sharp squares, or smooth"),
    Shortcut("keys", ("?",), "this list"),
    Shortcut("open", ("Ctrl+O",), "open a model or a clip; or drop it here", True),
    Shortcut("open_folder", ("Ctrl+Shift+O",), "open a run's folder, or one of frames", True),
    Shortcut("save_frame", ("Ctrl+Shift+S",), "save the frame", True),
    Shortcut("copy_frame", ("Ctrl+C",), "copy the frame", True),
    Shortcut("export", ("Ctrl+E",), "export as GIF, MP4 or PNGs", True),
    Shortcut("reload", ("F5",), "read the model from disk again", True),
    Shortcut("escape", ("Esc",), "cancel what runs, else leave full screen", True),
    Shortcut("full_screen", ("F11",), "full screen", True),
    Shortcut("quit", ("Ctrl+Q",), "quit", True),
)
MOUSE = (
    ("wheel", "zoom all panes at the cursor"),
    ("drag", "move all panes"),
    ("double click", "fit"),
)


def bind(window: QWidget, canvas: QWidget, commands: Mapping[str, Callable[[], object]]) -> None:
    """Bind the table of keys.

    Args:
        window: The widget where keys act that are window-wide.
        canvas: The widget that needs the focus for the others.
        commands: What each command does, by its name.
    """
    for shortcut in SHORTCUTS:
        context = Qt.ShortcutContext.WidgetWithChildrenShortcut
        if shortcut.window_wide:
            context = Qt.ShortcutContext.WindowShortcut
        for keys in shortcut.keys:
            bound = QShortcut(QKeySequence(keys), window if shortcut.window_wide else canvas)
            bound.setContext(context)
            bound.activated.connect(commands[shortcut.command])


def menu_action(parent: QWidget, text: str, run: Callable[[], object], command: str) -> QAction:
    """Return an entry of a menu, which shows the first key of its command.

    The key itself is bound by `bind`: an action's own would act on letters typed anywhere.
    """
    action = QAction(text, parent)
    action.triggered.connect(lambda _checked=False: run())
    keys = next((s.keys for s in SHORTCUTS if s.command == command), ())
    if keys:
        native = QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
        action.setText(f"{text}\t{native}")
    return action
