"""A config becomes a run: training, its callbacks, checkpoints and the run's folder."""
