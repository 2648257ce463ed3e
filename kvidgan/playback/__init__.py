"""A rollout on what a user has: a clip or label maps to go on with, and the pictures it makes."""

from kvidgan.playback.playback import Playing
from kvidgan.playback.source import Given, Where, open_given

__all__ = ["Given", "Playing", "Where", "open_given"]
