"""The colours of the viewer, light and dark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """What our own painting uses, and the palette where the system has none of this kind.

    Colours are sRGB as "#rrggbb".

    Attributes:
        dark: Whether text is lighter than what it stands on.
        window: Behind buttons and labels.
        base: Behind lists, fields and plots.
        text: On both.
        muted: Text that matters less, and axes.
        accent: What is chosen.
        canvas: Behind frames.
        canvas_text: Titles of panes.
        canvas_muted: Why a pane is empty.
        given: Given frames.
        predicted: Predicted frames.
        track: Frames that do not exist yet.
        filled: Frames that exist and are neither given nor predicted.
        cursor: The frame that is shown.
        mark: The range that is played.
        curves: Of plots, in order; told apart by people who see few colours.
    """

    dark: bool
    window: str
    base: str
    text: str
    muted: str
    accent: str
    canvas: str
    canvas_text: str
    canvas_muted: str
    given: str
    predicted: str
    track: str
    filled: str
    cursor: str
    mark: str
    curves: tuple[str, ...]


LIGHT = Colours(
    dark=False,
    window="#f3f3f3",
    base="#ffffff",
    text="#1b1b1b",
    muted="#5c5c5c",
    accent="#0063b1",
    canvas="#e4e4e4",
    canvas_text="#1b1b1b",
    canvas_muted="#555555",
    given="#009e5f",
    predicted="#d03438",
    track="#d2d2d2",
    filled="#8d9aa8",
    cursor="#101010",
    mark="#0063b1",
    curves=("#0072b2", "#d55e00", "#009e73", "#8b1e5b", "#3f6fff", "#1b1b1b"),
)

DARK = Colours(
    dark=True,
    window="#2b2b2b",
    base="#1e1e1e",
    text="#ececec",
    muted="#a8a8a8",
    accent="#4aa3e8",
    canvas="#161616",
    canvas_text="#ececec",
    canvas_muted="#a0a0a0",
    given="#2fcf8b",
    predicted="#f0555a",
    track="#454545",
    filled="#7d8b99",
    cursor="#ffffff",
    mark="#4aa3e8",
    curves=("#56b4e9", "#e69f00", "#c04f8f", "#fff0a0", "#3f7fff", "#9a6a40"),
)
