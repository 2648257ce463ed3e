"""Panel: the form for the values that a model needs."""
