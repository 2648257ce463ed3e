"""Panes: which ones a film has, and what each shows of one frame of the film."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kvidgan_viewer.canvas.canvas import CanvasContent
from kvidgan_viewer.canvas.difference import MODES, difference
from kvidgan_viewer.canvas.pane import PaneSpec
from kvidgan_viewer.session import Session
from kvidgan_viewer.worker.film import Film, FilmFrame

TITLES = {"labels": "Label maps"}
# Green around context frames, red around predicted ones; see `PaneSpec`.
BORDERS = {
    "history": {"context": "context", "predicted": "context"},
    "truth": {"context": "context"},
    "prediction": {"context": "context", "predicted": "predicted"},
}
NOT_YET, NO_TRUTH = "Not made yet", "No truth: the clip ends here"

Frames = dict[str, np.ndarray | str]


@dataclass
class ViewOptions:
    """Options of the view.

    Attributes:
        hidden: Names of the panes that are not shown.
        difference_mode: How the difference is drawn, one of `canvas.difference.MODES`.
        side_by_side: Whether the predictions of all models are shown.
    """

    hidden: frozenset[str] = frozenset({"raw"})
    difference_mode: str = MODES[0]
    side_by_side: bool = False


def pane_names(session: Session) -> list[str]:
    """Return the names of all panes of a model's film, in order."""
    if session.rollout is None:
        return []
    own = list(session.rollout.panes)
    if "prediction" not in own:
        return own
    extras = own[own.index("prediction") + 1 :]
    first = [name for name in own if name in ("labels", "truth")]
    names = [*first, "prediction", *(["difference"] if "truth" in own else []), *extras]
    if session.rollout.num_context:
        names.insert(first.index("labels") + 1 if "labels" in first else 0, "history")
    return names


def pane_specs(session: Session, others: Sequence[Session], options: ViewOptions) -> list[PaneSpec]:
    """Return the panes to show: those of one model, or a pane of each of several models."""
    names = pane_names(session)
    if options.side_by_side and others:
        sessions = [session, *others]
        models = [PaneSpec(f"model {n}", session_title(one)) for n, one in enumerate(sessions)]
        truth = PaneSpec("truth", "Truth", BORDERS["truth"])
        return [truth, *models] if "truth" in names else models
    visible = [name for name in names if name not in options.hidden] or names[:1]
    return [PaneSpec(name, _title(name, options), BORDERS.get(name, {})) for name in visible]


def session_title(session: Session) -> str:
    """Return a model's name with its backend."""
    return f"{session.name} ({session.worker.backend})"


def _title(name: str, options: ViewOptions) -> str:
    if name == "difference":
        return f"Difference, {options.difference_mode}"
    return TITLES.get(name, name.capitalize())


def canvas_content(
    session: Session, others: Sequence[Session], index: int, options: ViewOptions
) -> CanvasContent:
    """Return what the canvas shows at an index of the film."""
    film_frame = _film_frame(session.film, index)
    if film_frame is None:
        return CanvasContent({spec.name: NOT_YET for spec in pane_specs(session, others, options)})
    if options.side_by_side and others:
        frames = side_by_side_frames(session, others, index)
    else:
        frames = pane_frames(session, index, film_frame, options.difference_mode)
    return CanvasContent(frames, _kind(film_frame), _corner(session, index, film_frame))


def pane_frames(session: Session, index: int, film_frame: FilmFrame, mode: str) -> Frames:
    """Return what each pane of one model shows: a frame, or the reason why there is none.

    Args:
        session: The model whose film it is.
        index: The index of the frame in the film.
        film_frame: The frame of the film.
        mode: How the difference is drawn.
    """
    frames: Frames = {
        name: NO_TRUTH if frame is None and name == "truth" else _or(frame, f"No {name} here")
        for name, frame in film_frame.panes.items()
    }
    num_context = session.film.num_context
    if num_context:
        last = _film_frame(session.film, min(index, num_context - 1))
        frames["history"] = _or(last.panes.get("prediction") if last else None, NOT_YET)
    if film_frame.is_context:
        frames["difference"] = "Given: nothing to compare"
    elif "truth" in film_frame.panes:
        pair = film_frame.panes["truth"], film_frame.panes.get("prediction")
        frames["difference"] = _or(difference(*pair, mode), NO_TRUTH)
    return frames


def side_by_side_frames(session: Session, others: Sequence[Session], index: int) -> Frames:
    """Return the truth, and each model's frame, at an index of the films."""
    frames: Frames = {}
    for number, one in enumerate([session, *others]):
        film_frame = _film_frame(one.film, index)
        if film_frame is None:
            frames[f"model {number}"] = NOT_YET if one.growing else "Its film ends before"
            continue
        panes = film_frame.panes
        frames[f"model {number}"] = _or(panes.get("prediction", panes.get("generated")), "No frame")
        if number == 0:
            frames["truth"] = _or(panes.get("truth"), NO_TRUTH)
    return frames


def _film_frame(film: Film, index: int) -> FilmFrame | None:
    return film[index] if 0 <= index < len(film) else None


def _or(frame: np.ndarray | None, reason: str) -> np.ndarray | str:
    return reason if frame is None else frame


def _kind(film_frame: FilmFrame) -> str:
    if film_frame.is_context:
        return "context"
    return "predicted" if "prediction" in film_frame.panes else ""


def _corner(session: Session, index: int, film_frame: FilmFrame) -> str:
    num_context = session.film.num_context
    if film_frame.is_context:
        return f"given {index + 1} of {num_context}"
    return f"t+{index - num_context + 1}"
