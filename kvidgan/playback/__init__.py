"""A rollout on what a user has: a clip or label maps to go on with, and the pictures it makes."""

from kvidgan.playback.given import Given, Where, open_given
from kvidgan.playback.pictures import Playing

__all__ = ["Given", "Playing", "Where", "open_given"]
