"""Built-in data sets: drawn on first use, from a seed; nothing to download."""
