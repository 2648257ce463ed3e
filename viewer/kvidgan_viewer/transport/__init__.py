"""Transport: the bar below the canvas, and its scrub bar."""
