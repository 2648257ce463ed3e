"""Clip stores: one HDF5 file of videos and their maps."""
