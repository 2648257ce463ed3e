"""Layouts: how videos lie in files and folders, recognised and listed."""
