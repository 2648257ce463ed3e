"""Command line: one module for each verb, which parses and calls one function."""

from kvidgan.cli.app import main

__all__ = ["main"]
