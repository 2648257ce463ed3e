"""Evaluation of predicted frames: metrics on the host, baselines beside every score, reports."""
