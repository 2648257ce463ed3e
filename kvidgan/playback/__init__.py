"""Playback: a model played on what a user has, for the command line and the viewer alike.

`play` loads Keras; the plans do not.
"""

from kvidgan.playback.plan import ClipPlan, NoisePlan, Plan

__all__ = ["ClipPlan", "NoisePlan", "Plan"]
