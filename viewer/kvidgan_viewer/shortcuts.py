"""Shortcuts: the table of keys, and their binding to commands."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


class Key(NamedTuple):
    """A command and its keys.

    Attributes:
        command: Of the window.
        keys: In Qt's spelling.
        does: In words; "" for a further key of a command that was said already.
        everywhere: Whether it acts wherever the focus is, rather than on the canvas only.
    """

    command: str
    keys: tuple[str, ...]
    does: str
    everywhere: bool = False


KEYS = (
    Key("toggle", ("Space", "K"), "play, pause"),
    Key("step_back", ("Left", ","), "one frame back; held: runs"),
    Key("step_forward", ("Right", "."), "one frame forward; held: runs"),
    Key("ten_back", ("Shift+Left",), "ten frames back"),
    Key("ten_forward", ("Shift+Right",), "ten frames forward"),
    Key("home", ("Home",), "first frame"),
    Key("end", ("End",), "last frame"),
    Key("backward", ("J",), "play backward; again: faster"),
    Key("forward", ("L",), "play forward; again: faster"),
    Key("slower", ("[",), "slower"),
    Key("faster", ("]",), "faster"),
    Key("normal_speed", ("Backspace",), "normal speed"),
    Key("next_loop", ("Shift+L",), "once, loop, ping-pong"),
    Key("mark_start", ("I",), "begin the loop range here"),
    Key("mark_end", ("O",), "end the loop range here"),
    Key("clear_range", ("Shift+I",), "play the whole film"),
    Key("previous_clip", ("PgUp",), "previous clip"),
    Key("next_clip", ("PgDown",), "next clip"),
    *(Key(f"alone_{n}", (str(n),), "one pane alone" if n == 1 else "") for n in range(1, 10)),
    Key("all_panes", ("0",), "all panes"),
    Key("toggle_difference", ("D",), "show the difference, or not"),
    Key("next_mode", ("Shift+D",), "difference: absolute, signed, heat"),
    Key("next_model", ("Tab",), "next model on the same clip"),
    Key("smooth", ("T",), "sharp squares, or smooth"),
    Key("keys", ("?",), "this list"),
    Key("open", ("Ctrl+O",), "open a model or a clip; or drop it here", True),
    Key("open_folder", ("Ctrl+Shift+O",), "open a run's folder, or one of frames", True),
    Key("save_frame", ("Ctrl+Shift+S",), "save the frame", True),
    Key("copy_frame", ("Ctrl+C",), "copy the frame", True),
    Key("export", ("Ctrl+E",), "export as GIF, MP4 or PNGs", True),
    Key("reload", ("F5",), "read the model from disk again", True),
    Key("escape", ("Esc",), "cancel what runs, else leave full screen", True),
    Key("full_screen", ("F11",), "full screen", True),
    Key("quit", ("Ctrl+Q",), "quit", True),
)
MOUSE = (
    ("wheel", "zoom all panes at the cursor"),
    ("drag", "move all panes"),
    ("double click", "fit"),
)


def bind(window: QWidget, canvas: QWidget, commands: Mapping[str, Callable[[], object]]) -> None:
    """Bind the table of keys.

    Args:
        window: Where keys act that are everywhere.
        canvas: Whose focus the others need.
        commands: By name.
    """
    for key in KEYS:
        owner = window if key.everywhere else canvas
        scope = Qt.ShortcutContext.WidgetWithChildrenShortcut
        if key.everywhere:
            scope = Qt.ShortcutContext.WindowShortcut
        for sequence in key.keys:
            shortcut = QShortcut(QKeySequence(sequence), owner)
            shortcut.setContext(scope)
            shortcut.activated.connect(commands[key.command])


def action(
    parent: QWidget, text: str, does: Callable[[], object], command: str | None = None
) -> QAction:
    """Return an action for a menu, which tells the key of its command.

    The key itself is bound by `bind`: an action's own would act on letters typed anywhere.
    """
    made = QAction(text, parent)
    made.triggered.connect(lambda _checked=False: does())
    keys = next((key.keys for key in KEYS if key.command == command), ())
    if keys:
        native = QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
        made.setText(f"{text}\t{native}")
    return made
