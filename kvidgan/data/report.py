"""Report: what was understood of a source, line by line, before and after it is converted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from kvidgan.data.source import Source, Video
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import VideoFacts

MAX_PROBED = 64  # videos that are looked into, spread over the source

Lines = list[tuple[str, str]]


def report(source: Source, size: tuple[int, int] | None = None) -> Lines:
    """Return what was understood of a source: (what, value) in the order to show.

    Files that tell nothing by their names are looked into, at most `MAX_PROBED` of them.

    Args:
        source: Source that was opened.
        size: Height and width in pixels that frames will be cropped and resized to; None for their
            own.
    """
    videos = source.videos
    looked_into = _looked_into(videos)
    facts, broken = _facts(looked_into)
    among = f", of {len(looked_into)} looked into" if len(looked_into) < len(videos) else ""
    splits = Counter(video.split for video in videos if video.split)
    classes = Counter(video.class_index for video in videos)
    named = {name: classes[place] for place, name in enumerate(source.classes)}
    rates = Counter("unknown" if one.fps is None else f"{one.fps:.4g}" for one in facts)
    lines = [
        ("layout", source.layout.replace("_", " ") + (f", {source.note}" if source.note else "")),
        ("videos", str(len(videos))),
        ("splits", counts(splits)),
        ("classes", counts(named) + (f", none {classes[-1]}" if named and classes[-1] else "")),
        ("frames", _lengths([one.length for one in facts if one.length]) + among),
        ("sizes", counts(Counter(f"{one.width}x{one.height}" for one in facts)) + among),
        ("fps", "" if set(rates) == {"unknown"} else counts(rates) + among),
        ("labels", source.labels.describe() if source.labels else ""),
        ("converted", _conversions(facts) and _conversions(facts) + among),
        ("cropped", "" if size is None else cropping([one[2:4] for one in facts], size)),
        *(("guess", guess) for guess in source.guesses),
        *(("damaged", sentence) for sentence in broken),
    ]
    return [(what, value) for what, value in lines if value]


def skipped_lines(source: Source, most: int | None = None) -> Lines:
    """Return what was left out, and why.

    Args:
        source: Source that was opened.
        most: Number of lines from which on the rest is only counted; None for all.
    """
    shown = source.skipped[:most]
    lines = [("skipped", one.describe().removeprefix("skipped ")) for one in shown]
    left = len(source.skipped) - len(shown)
    return [*lines, ("skipped", f"and {left} more")] if left else lines


def cropping(sizes: Iterable[tuple[int, int]], wanted: tuple[int, int]) -> str:
    """Return in words what is lost where frames are cropped to the middle; "" for nothing.

    Args:
        sizes: Height and width of each video's frames, pixels; 0 where they are not known.
        wanted: Height and width that they are cropped and resized to.
    """
    lost = [_share_lost(size, wanted) for size in sizes if all(size)]
    affected = sum(share > 0.005 for share in lost)
    if not affected:
        return ""
    return (
        f"to the shape of {wanted[1]}x{wanted[0]}: {counted(affected, 'video')}"
        f" lose{'s' * (affected == 1)} up to {max(lost):.0%} of the picture at the sides"
    )


def _share_lost(size: tuple[int, int], wanted: tuple[int, int]) -> float:
    own, other = size[1] / size[0], wanted[1] / wanted[0]
    return 1 - min(own, other) / max(own, other)


def counts(numbers: Mapping[str, int], most: int = 12) -> str:
    """Return in words how many there are of each."""
    ordered = list(numbers.items())
    shown = ", ".join(f"{name} ({number})" for name, number in ordered[:most])
    return shown + (f", and {len(ordered) - most} more" if len(ordered) > most else "")


def _looked_into(videos: Sequence[Video]) -> Sequence[Video]:
    """Return all videos, or some of those that are known only by a look into their files."""
    known = all(video.probe is None for video in videos)
    return videos if known else videos[:: -(-len(videos) // MAX_PROBED)]


def _facts(videos: Sequence[Video]) -> tuple[list[VideoFacts], list[str]]:
    """Return what videos are known to be, and sentences on those that are damaged."""
    facts, broken = [], []
    for video in videos:
        try:
            facts.append(video.facts())
        except UserError as error:
            broken.append(str(error))
        else:
            broken += [f"{video.name}: {facts[-1].missing}"] if facts[-1].missing else []
    return facts, broken


def _lengths(lengths: Sequence[int]) -> str:
    if not lengths:
        return ""
    low, high = min(lengths), max(lengths)
    spread = f"{low}" if low == high else f"{low} to {high}, median {median(lengths):g}"
    return f"{spread} in a video"


def _conversions(facts: Iterable[VideoFacts]) -> str:
    return counts(Counter(name for one in facts for name in one.conversions))
