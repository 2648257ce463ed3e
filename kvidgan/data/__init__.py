"""Videos in: layouts are recognised, converted once to a clip store, and drawn as batches."""
