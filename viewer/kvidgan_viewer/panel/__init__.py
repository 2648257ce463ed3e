"""Panel: the form of what a model asks a user for."""
