"""The desktop viewer: open a trained model or a run, and look."""
