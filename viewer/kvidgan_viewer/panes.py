"""Which panes there are, and what they show of one moment: from films to the canvas."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kvidgan_viewer.canvas.canvas import Shown
from kvidgan_viewer.canvas.difference import difference
from kvidgan_viewer.canvas.pane import PaneSpec
from kvidgan_viewer.session import Session
from kvidgan_viewer.worker.film import Film, Moment

TITLES = {"labels": "Label maps"}
# Green around what was given, red around what was predicted; see `PaneSpec`.
BORDERS = {
    "history": {"given": "given", "predicted": "given"},
    "truth": {"given": "given"},
    "prediction": {"given": "given", "predicted": "predicted"},
}
MODES = ("absolute", "signed", "heat")
NOT_YET, NO_TRUTH = "Not made yet", "No truth: the clip ends here"

Frames = dict[str, np.ndarray | str]


@dataclass
class Look:
    """What a user wants to see.

    Attributes:
        hidden: Names of panes that are not shown.
        mode: Of the difference, one of `MODES`.
        side_by_side: Whether the predictions of all models are shown.
    """

    hidden: frozenset[str] = frozenset({"raw"})
    mode: str = "absolute"
    side_by_side: bool = False


def names(session: Session) -> list[str]:
    """Return the names of all panes of a model's film, in order."""
    if session.start is None:
        return []
    own = list(session.start.panes)
    if "prediction" not in own:
        return own
    extras = own[own.index("prediction") + 1 :]
    first = [name for name in own if name in ("labels", "truth")]
    found = [*first, "prediction", *(["difference"] if "truth" in own else []), *extras]
    if session.start.given:
        found.insert(first.index("labels") + 1 if "labels" in first else 0, "history")
    return found


def specs(session: Session, others: Sequence[Session], look: Look) -> list[PaneSpec]:
    """Return the panes to show: of one model, or the frames of several beside each other."""
    if look.side_by_side and others:
        several = [session, *others]
        beside = [PaneSpec(f"model {n}", titled(one)) for n, one in enumerate(several)]
        truth = PaneSpec("truth", "Truth", BORDERS["truth"])
        return [truth, *beside] if "truth" in names(session) else beside
    shown = [name for name in names(session) if name not in look.hidden] or names(session)[:1]
    return [PaneSpec(name, _title(name, look), BORDERS.get(name, {})) for name in shown]


def titled(session: Session) -> str:
    """Return a model's name with its backend."""
    return f"{session.name} ({session.worker.backend})"


def _title(name: str, look: Look) -> str:
    if name == "difference":
        return f"Difference, {look.mode}"
    return TITLES.get(name, name.capitalize())


def shown(session: Session, others: Sequence[Session], index: int, look: Look) -> Shown:
    """Return what the panes show of a moment."""
    moment = _moment(session.film, index)
    if moment is None:
        return Shown({spec.name: NOT_YET for spec in specs(session, others, look)})
    if look.side_by_side and others:
        frames = beside(session, others, index)
    else:
        frames = of_moment(session, index, moment, look.mode)
    return Shown(frames, _kind(session, moment), _corner(session, index, moment))


def of_moment(session: Session, index: int, moment: Moment, mode: str) -> Frames:
    """Return all panes of one model at a moment: frames, or why there is none."""
    frames: Frames = {
        name: NO_TRUTH if frame is None and name == "truth" else _or(frame, f"No {name} here")
        for name, frame in moment.panes.items()
    }
    given = session.film.given
    if given:
        last = _moment(session.film, min(index, given - 1))
        frames["history"] = _or(last.panes.get("prediction") if last else None, NOT_YET)
    if moment.given:
        frames["difference"] = "Given: nothing to compare"
    elif "truth" in moment.panes:
        pair = moment.panes["truth"], moment.panes.get("prediction")
        frames["difference"] = _or(difference(*pair, mode), NO_TRUTH)
    return frames


def beside(session: Session, others: Sequence[Session], index: int) -> Frames:
    """Return the truth and each model's frame at a moment."""
    frames: Frames = {}
    for number, one in enumerate([session, *others]):
        moment = _moment(one.film, index)
        if moment is None:
            frames[f"model {number}"] = NOT_YET if one.growing else "Its film ends before"
            continue
        made = moment.panes.get("prediction", moment.panes.get("generated"))
        frames[f"model {number}"] = _or(made, "No frame")
        if number == 0:
            frames["truth"] = _or(moment.panes.get("truth"), NO_TRUTH)
    return frames


def _moment(film: Film, index: int) -> Moment | None:
    return film[index] if 0 <= index < len(film) else None


def _or(frame: np.ndarray | None, reason: str) -> np.ndarray | str:
    return reason if frame is None else frame


def _kind(session: Session, moment: Moment) -> str:
    if moment.given:
        return "given"
    return "predicted" if "prediction" in moment.panes else ""


def _corner(session: Session, index: int, moment: Moment) -> str:
    given = session.film.given
    if moment.given:
        return f"given {index + 1} of {given}"
    return f"t+{index - given + 1}"
