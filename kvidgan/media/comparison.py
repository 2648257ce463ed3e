"""Comparison: label map, truth, prediction and their difference side by side in one picture."""

import numpy as np

from kvidgan.media.draw import (
    BACKGROUND,
    CONTEXT_COLOUR,
    PREDICTED_COLOUR,
    bordered,
    colour_labels,
    enlarge,
    grid,
)

Array = np.ndarray

NO_COLOUR = (BACKGROUND,) * 3  # borders of panes that are neither context nor predicted


def comparison(
    frame: Array,
    *,
    is_context: bool,
    has_truth: bool = True,
    truth: Array | None = None,
    label_map: Array | None = None,
    scale: int = 0,
) -> Array:
    """Draw one moment of a prediction beside what it is compared with.

    Borders show which frames are context (green) and which are predicted (red).

    Args:
        frame: Context frame or predicted frame, uint8 (height, width, channels).
        is_context: Whether the frame is a context frame; it is then its own truth.
        has_truth: Whether panes for truth and difference are drawn.
        truth: True frame of the same shape; None where the truth has ended, which leaves its panes
            empty.
        label_map: Class numbers (height, width) to draw in a pane of their own; None for no pane.
        scale: Whole number to enlarge panes by; 0 chooses one, as in `enlarge`.

    Returns:
        One picture, uint8 (height, width, 3).
    """
    border = CONTEXT_COLOUR if is_context else PREDICTED_COLOUR
    panes = [] if label_map is None else [(colour_labels(label_map), NO_COLOUR)]
    if has_truth:
        empty = np.full_like(frame, BACKGROUND)
        true = frame if is_context else truth
        panes.append((empty if true is None else true, border if is_context else NO_COLOUR))
        panes.append((frame, border))
        panes.append((empty if true is None else _difference(true, frame), NO_COLOUR))
    else:
        panes.append((frame, border))
    marked = [bordered(enlarge(pane, scale), colour) for pane, colour in panes]
    picture: Array = grid(np.stack(marked)[:, None], columns=len(marked))[0]
    return picture


def _difference(truth: Array, predicted: Array) -> Array:
    difference: Array = np.abs(truth.astype(np.int16) - predicted)
    return difference.astype(np.uint8)
