"""The process that holds a model, and how its frames come to the window."""
