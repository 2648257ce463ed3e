"""Colours: the light and the dark palette of the viewer, one place for widgets, panes and plots."""

from dataclasses import dataclass

from kvidgan.media import CONTEXT_COLOUR, PREDICTED_COLOUR


@dataclass(frozen=True)
class Colours:
    """The colours of our own painting, and of Qt's palette where the system has none of this kind.

    Colours are sRGB as "#rrggbb".

    Attributes:
        dark: Whether text is lighter than its background.
        window: Background of buttons and labels.
        base: Background of lists, fields and plots.
        text: Text on both backgrounds.
        muted: Text that matters less, and axes.
        accent: Selected items.
        canvas: Background of frames.
        canvas_text: Titles of panes.
        canvas_muted: The reason why a pane is empty.
        context: Context frames: the true frames that a prediction begins with.
        predicted: Predicted frames.
        track: Frames that do not exist yet.
        filled: Frames that exist and are neither context nor predicted.
        cursor: The frame that is shown.
        mark: The range that is played.
        curves: Curves of plots, in order; colour-blind people can tell them apart.
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
    context: str
    predicted: str
    track: str
    filled: str
    cursor: str
    mark: str
    curves: tuple[str, ...]


# The same in both themes: seen beside the light and the dark canvas, and told apart by people who
# see few colours.
_CONTEXT, _PREDICTED = (
    "#{:02x}{:02x}{:02x}".format(*colour) for colour in (CONTEXT_COLOUR, PREDICTED_COLOUR)
)

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
    context=_CONTEXT,
    predicted=_PREDICTED,
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
    context=_CONTEXT,
    predicted=_PREDICTED,
    track="#454545",
    filled="#7d8b99",
    cursor="#ffffff",
    mark="#4aa3e8",
    curves=("#56b4e9", "#e69f00", "#c04f8f", "#fff0a0", "#3f7fff", "#9a6a40"),
)
