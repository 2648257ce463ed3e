"""Worker: the process that holds a model, and the way of its frames to the window."""
