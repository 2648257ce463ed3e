"""Listed videos: those of a source that a list names, with its labels and splits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.lists import Entry, FileList, check_agreement
from kvidgan.data.source import Skipped, Source, Video
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, natural_key


def restricted(tree: Tree, entries: Sequence[Entry]) -> tuple[Tree, list[Skipped]]:
    """Return a listing of the files alone that a list names, or that lie in folders it names."""
    named = {entry.path for entry in entries}
    inside = [file for file in tree.files if file in named or named & set(file.parents)]
    kept = set(inside)
    others = [str(file) for file in tree.files if file not in kept]
    return replace(tree, files=inside), unlisted(others)


def unlisted(names: Sequence[str]) -> list[Skipped]:
    """Return in one line what a list leaves out."""
    if not names:
        return []
    more = f", as {len(names) - 1} more" if len(names) > 1 else ""
    return [Skipped(names[0], f"not in the list{more}", damaged=False)]


def labelled_by(source: Source, files: FileList) -> Source:
    """Return the videos that a list names, with its classes and splits where it states such.

    Raises:
        UserError: If it names what is no video, or one video twice with other labels or splits.
    """
    by_path = {entry.path: entry for entry in files.entries}
    found = [(video, _entry_of(video, source, files, by_path)) for video in source.videos]
    named = [(video, entry) for video, entry in found if entry is not None]
    _check_all_used(source, files, [video for video, _ in named])
    labels = sorted({one.label for one in by_path.values() if one.label}, key=natural_key)
    classes = labels or source.classes
    videos = [
        replace(
            video,
            split=video.split if entry.split is None else entry.split,
            class_index=labels.index(entry.label) if entry.label else video.class_index,
        )
        for video, entry in named
    ]
    skipped = source.skipped + unlisted([video.name for video, entry in found if entry is None])
    note = f"listed by {files.path.name}"
    return replace(
        source,
        videos=videos,
        classes=classes,
        skipped=skipped,
        note=", ".join(filter(None, [source.note, note])),
        guesses=source.guesses + files.guesses,
    )


def _entry_of(
    video: Video, source: Source, files: FileList, by_path: dict[PurePosixPath, Entry]
) -> Entry | None:
    entries = [by_path[path] for path in _paths(video, source) if path in by_path]
    for one in entries[1:]:
        check_agreement(files.path, video.name, entries[0], one)
    return entries[0] if entries else None


def _paths(video: Video, source: Source) -> list[PurePosixPath]:
    """Return the paths that mean a video: its name, its file, and the folders around them.

    One of several frames does not mean their video.
    """
    name = PurePosixPath(video.name)
    paths = [name, *name.parents]
    if video.files and source.path.is_dir():
        file = PurePosixPath(video.files[0].relative_to(source.path).as_posix())
        own = [] if len(video.files) > 1 and file.suffix.lower() in IMAGE_SUFFIXES else [file]
        paths += [*own, *file.parents]
    return list(dict.fromkeys(paths))


def _check_all_used(source: Source, files: FileList, videos: Sequence[Video]) -> None:
    used = {path for video in videos for path in _paths(video, source)}
    known = {PurePosixPath(one.name) for one in source.skipped if one.damaged}
    for entry in files.entries:
        if entry.path in used or any(entry.path in (o, *o.parents) for o in known):
            continue
        raise UserError(
            f"{files.path}, line {entry.line}: {entry.path} is no video or folder of frames of"
            f" {source.path}, read as {source.layout.replace('_', ' ')}: expected such; a single"
            " frame stands for none."
        )
