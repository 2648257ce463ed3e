"""Transport: the bar below the canvas."""
