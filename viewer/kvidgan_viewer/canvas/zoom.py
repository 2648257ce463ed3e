"""Zoom: the part of the frames that panes show, and the number of panes in a row."""

import math

WIDEST_PIXELS = 4  # pixels that fill a pane at the strongest zoom


def columns(count: int, width: float, height: float, aspect: float, title: float) -> int:
    """Return the number of columns in which panes show their frames largest.

    Args:
        count: Number of panes, at least 1.
        width: Width of the canvas.
        height: Height of the canvas.
        aspect: Width of a frame over its height.
        title: Height of a pane's title.
    """

    def drawn(number: int) -> float:
        room = max(1.0, height / math.ceil(count / number) - title)
        return round(min(width / number, room * aspect), 3)

    # Of equals max takes the first: the one with fewer empty places.
    return max(range(1, count + 1), key=drawn)


class Zoom:
    """Zoom of all panes.

    Points are those of the extent, which every frame fills as far as its shape allows.

    Attributes:
        extent: Width and height of the extent.
        centre: The point in the middle of the panes.
        factor: Factor over the fitted size.
    """

    def __init__(self) -> None:
        self.extent = (1.0, 1.0)
        self.fit()

    def fit(self) -> None:
        """Show frames whole, as large as can be."""
        width, height = self.extent
        self.centre = (width / 2, height / 2)
        self.factor = 1.0

    def set_extent(self, width: float, height: float) -> bool:
        """Set the size of the frames, and show them whole; return whether it is another."""
        if (width, height) == self.extent:
            return False
        self.extent = (float(width), float(height))
        self.fit()
        return True

    def scale(self, width: float, height: float) -> float:
        """Return the length of a unit of the extent in a pane of this size."""
        across, down = self.extent
        return self.factor * max(1e-6, min(width / across, height / down))

    def zoom(self, factor: float, x: float, y: float) -> None:
        """Enlarge by a factor; a point stays where it is."""
        largest = max(8.0, max(self.extent) / WIDEST_PIXELS)
        old, self.factor = self.factor, min(max(self.factor * factor, 0.25), largest)
        kept = old / self.factor
        self._look_at(x + (self.centre[0] - x) * kept, y + (self.centre[1] - y) * kept)

    def pan(self, x: float, y: float) -> None:
        """Move the frames by a distance; their middle cannot leave all sight."""
        self._look_at(self.centre[0] - x, self.centre[1] - y)

    def _look_at(self, x: float, y: float) -> None:
        width, height = self.extent
        self.centre = (min(max(x, 0.0), width), min(max(y, 0.0), height))
