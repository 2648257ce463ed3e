"""Importers: weights that the original projects trained become runs and exported files.

A file is read without executing anything in it (`torch_pickle`, `torch7`, `tensorflow_checkpoint`).
Each kind of checkpoint (`kinds`) then says whether the weights are its own, which options of a
family they were made with, and where each of them belongs.
"""
