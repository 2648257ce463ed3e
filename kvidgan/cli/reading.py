"""Options on how files are read, the same for every command that opens data."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from kvidgan.data.reading import Reading, checked_reading, option_name


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Reading` in the place of its parameter `reading`.

    What the command has under the same name, such as the --fps of what it writes, stays its own;
    an option whose short name it has goes by the field's, as --official-split beside --split.
    """
    own = inspect.signature(command).parameters
    names = [name for name in Reading.model_fields if name not in own]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        stated = {name: values.pop(name) for name in names}
        given = {name: value for name, value in stated.items() if value is not None}
        command(**values, reading=checked_reading(given))

    parameters = [*_parameters_of(command), *(_parameter(name, set(own)) for name in names)]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapper


def _parameters_of(command: Callable[..., None]) -> list[inspect.Parameter]:
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    return [one.replace(kind=one.KEYWORD_ONLY) for one in parameters if one.name != "reading"]


def _parameter(name: str, own: set[str]) -> inspect.Parameter:
    """Return a field as an option of a command; all values are checked by the field itself."""
    field = Reading.model_fields[name]
    kind = {int: int, float: float}.get(_inner(field.annotation), str)
    text = (field.description or "").replace("null for", "default:").replace("null:", "default:")
    taken = option_name(name).removeprefix("--") in own
    flag = f"--{name.replace('_', '-')}" if taken else option_name(name)
    option = typer.Option(flag, help=text, show_default=False, rich_help_panel=None)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _inner(annotation: Any) -> Any:
    """Return X of `X | None`."""
    return next((one for one in getattr(annotation, "__args__", ()) if one is not type(None)), None)
