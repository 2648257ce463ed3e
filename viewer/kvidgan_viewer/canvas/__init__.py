"""Canvas: panes that show the pictures of one frame of a film side by side."""
