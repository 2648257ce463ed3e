"""Folder names: the splits, pictures and annotations that names of folders mean."""

import re

SPLITS = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "trainextra": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
    "tests": "test",
    "testing": "test",
    "testdev": "test",
    "testchallenge": "test",
    "holdout": "test",
    "heldout": "test",
}
_BESIDE_SPLITS = re.compile(r"(sets?|data|splits?|images|frames|videos|clips|sequences)$")


def split_of(name: str) -> str | None:
    """Return the split that a folder's name means, such as "val" for Valid_Set; None for none."""
    plain = re.sub(r"[-_ .]", "", name.lower())
    return SPLITS.get(_BESIDE_SPLITS.sub("", plain))


# --- pictures and annotations

PICTURES = frozenset({
    "image", "img", "frame", "rgb", "jpegimage", "jpeg", "jpg", "png", "input", "color", "colour",
    "video", "clip", "picture", "photo", "raw", "stillsraw", "original", "origin",
    "clean", "left", "right", "leftimg8bit", "rightimg8bit", "sequence", "rgbframe",
})  # fmt: skip
# Those that name classes or objects, in the order in which they are looked for.
LABELS = (
    "labelid", "labeltrainid", "label", "labelmap", "mask", "annotation", "annot", "gt",
    "groundtruth", "segmentation", "seg", "segmentationclass", "segmentationobject", "semantic",
    "semanticsegmentation", "parsing", "matte", "labeled", "labelled", "labeledapproved",
)  # fmt: skip
INSTANCES = ("instance", "instanceid", "inst")
_OTHERS = frozenset({
    "gtfine", "gtcoarse", "panoptic", "trimap", "opticalflow", "flowx", "flowy", "flowmap",
    "depthmap", "disparity", "disp", "keypoint", "skeleton", "openpose", "densepose", "saliency",
    "heatmap", "occlusion", "bbox", "alphamatte", "instancemask",
})  # fmt: skip
# These may as well be classes, as "pose" is of actions: annotations beside pictures so called only.
AMBIGUOUS = frozenset({"depth", "flow", "pose", "edge", "normal", "alpha", "object"})
SURE = (frozenset(LABELS) | frozenset(INSTANCES) | _OTHERS) - AMBIGUOUS
_MEANINGLESS = re.compile(
    r"\d+p?|viz|vis|tvl|farneback|machine|unsupervised|full|all|set|data|trainvaltest"
)


def kind_of(name: str) -> str:
    """Return what a folder holds by its name, in the singular: "mask" for train_masks_480p."""
    words = [_singular(word) for word in re.split(r"[-_ .]+", name.lower()) if word]
    telling = [w for w in words if not (split_of(w) or _MEANINGLESS.fullmatch(w))]
    rest = [word for word in telling if word not in PICTURES]
    kind = "".join(rest) or (telling[-1] if telling else "")
    short = kind.removesuffix("map")
    return short if kind not in SURE and short in SURE | AMBIGUOUS else kind


def _singular(word: str) -> str:
    word = re.sub(r"(?<=[a-z])\d+$", "", word)  # as img1 of several cameras
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word
