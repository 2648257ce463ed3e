"""A rollout on what a user has: a clip or label maps to go on with, and the pictures it makes."""

from .given import Given, Where, open_given
from .pictures import Playing

__all__ = ["Given", "Playing", "Where", "open_given"]
