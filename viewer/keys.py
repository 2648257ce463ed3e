"""The keys, in one table: what is bound, and what the list of keys shows."""

from typing import NamedTuple


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
