"""Training: a config becomes a run, with callbacks, checkpoints and samples."""
