"""Canvas: panes that show the frames of one moment side by side."""
