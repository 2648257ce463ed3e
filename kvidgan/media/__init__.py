"""Media: the one room that converts ranges and colours, and reads and writes images and videos.

Frames are uint8 arrays in RGB order; grey ones have one channel. Maps hold one number per pixel.
"""

from kvidgan.media.animation import ANIMATED_SUFFIXES, animation_extents, is_animation
from kvidgan.media.convert import (
    fit_flow,
    fit_frames,
    fit_maps,
    parse_size,
    to_float,
    to_uint8,
)
from kvidgan.media.damage import damaged, is_tolerated, tolerated
from kvidgan.media.draw import (
    BACKGROUND,
    CONTEXT_COLOUR,
    PREDICTED_COLOUR,
    bordered,
    colour_flow,
    colour_labels,
    colour_mask,
    enlarge,
    flow_scale,
    grid,
    strip,
)
from kvidgan.media.foreign import FOREIGN_SUFFIXES, foreign_kind
from kvidgan.media.levels import Extent, ImageLevels, Levels, depth_levels, guess_levels
from kvidgan.media.maps import MapImage, NotAMap, read_map
from kvidgan.media.rate import VideoFacts
from kvidgan.media.read import IMAGE_SUFFIXES, image_extent, image_size, natural_key, read_image
from kvidgan.media.video import has_sound, is_video, probe_video, read_video
from kvidgan.media.write import Sound, write_frames, write_image
from kvidgan.media.write_together import write_together

__all__ = [
    "ANIMATED_SUFFIXES",
    "BACKGROUND",
    "CONTEXT_COLOUR",
    "FOREIGN_SUFFIXES",
    "IMAGE_SUFFIXES",
    "PREDICTED_COLOUR",
    "Extent",
    "ImageLevels",
    "Levels",
    "MapImage",
    "NotAMap",
    "Sound",
    "VideoFacts",
    "animation_extents",
    "bordered",
    "colour_flow",
    "colour_labels",
    "colour_mask",
    "damaged",
    "depth_levels",
    "enlarge",
    "fit_flow",
    "fit_frames",
    "fit_maps",
    "flow_scale",
    "foreign_kind",
    "grid",
    "guess_levels",
    "has_sound",
    "image_extent",
    "image_size",
    "is_animation",
    "is_tolerated",
    "is_video",
    "natural_key",
    "parse_size",
    "probe_video",
    "read_image",
    "read_map",
    "read_video",
    "strip",
    "to_float",
    "to_uint8",
    "tolerated",
    "write_frames",
    "write_image",
    "write_together",
]
