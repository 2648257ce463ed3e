"""What the menus and keys do: each command is an action of Qt's, bound by the table of keys."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from viewer.keys import KEYS


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
