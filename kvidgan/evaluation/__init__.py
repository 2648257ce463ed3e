"""How good predicted frames are: metrics on the host, baselines beside every score, reports."""
