"""Hook of mkdocs: what the code knows already is taken from it, never typed.

A page asks by a line of its own, such as `{{ options("mocogan") }}`; the functions in `TOOLS` are
those that it may call. Imports nothing of mkdocs, so that the tests can call it without.
"""

import ast
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).parent.parent
CALL = re.compile(r"^\{\{ (\w+)\((?:\"([\w/.]+)\")?\) \}\}$", re.M)
PACKAGES = (ROOT / "kvidgan", ROOT / "viewer" / "kvidgan_viewer")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with what it asks for."""
    return CALL.sub(lambda call: TOOLS[call[1]](*filter(None, [call[2]])), markdown)


# ---- Families -----------------------------------------------------------------------------------


def losses(family: str) -> str:
    """Return the table of what the losses of a family mean."""
    from kvidgan import families

    meanings = families.load(family).LOSSES
    return table(("loss", "meaning"), [(code(name), text) for name, text in meanings.items()])


def options(family: str) -> str:
    """Return the table of the options of a family."""
    from kvidgan import families

    return fields(families.load(family).Config, "family", leave_out={"name"})


def optimizer_options() -> str:
    """Return the table of the options of an optimizer."""
    from kvidgan.adversarial.optimizers import OptimizerConfig

    return fields(OptimizerConfig)


def training_options() -> str:
    """Return the tables of the sections of a config that all families share."""
    from kvidgan.config import RunConfig, TrainConfig
    from kvidgan.data.schema import DataConfig

    sections = {"data": DataConfig, "train": TrainConfig, "run": RunConfig}
    return "\n\n".join(
        f"### The section `{name}`\n\n{fields(section, name)}" for name, section in sections.items()
    )


def fields(model: type[BaseModel], prefix: str = "", leave_out: Iterable[str] = ()) -> str:
    """Return the table of the fields of a model: key, type, default, description."""
    rows = []
    for name, field in model.model_fields.items():
        if name not in leave_out:
            key = code(".".join(filter(None, [prefix, name])))
            rows.append((key, kind(field.annotation), default(field), field.description or ""))
    return table(("key", "type", "default", "meaning"), rows)


def kind(annotation: Any) -> str:
    """Return how a type is told to a reader."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return kind(parts[0])
    if origin is typing.Literal:
        return ", ".join(code(yaml_value(part)) for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind(part) for part in parts)
    if origin is list:
        return f"list of {kind(parts[0])}"
    if origin is tuple:
        return "[" + ", ".join(kind(part) for part in parts) + "]"
    if origin is dict or annotation is dict:
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "optimizer" if "learning_rate" in annotation.model_fields else "mapping"
    plain = {int: "integer", float: "number", str: "text", bool: "true or false"}
    return {**plain, types.NoneType: code("null")}.get(annotation, code(annotation.__name__))


def default(field: FieldInfo) -> str:
    """Return the default of a field as YAML spells it."""
    if field.is_required():  # or filled in elsewhere, as its description says
        return "" if (field.description or "").startswith("Default") else "required"
    return code(yaml_value(field.get_default()))


def yaml_value(value: Any) -> str:
    """Return a value as YAML spells it on one line."""
    if isinstance(value, BaseModel):
        shown = value.model_dump(exclude_defaults=True)
        first = {"name": value.name} if "name" in type(value).model_fields else {}
        return yaml_value({**first, **shown})
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {yaml_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(yaml_value, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---- Viewer -------------------------------------------------------------------------------------


def keys() -> str:
    """Return the tables of the keys of the viewer, and of the mouse."""
    from kvidgan_viewer.shortcuts import MOUSE, SHORTCUTS

    rows: list[tuple[str, str]] = []
    for shortcut in SHORTCUTS:
        shown = " or ".join(map(keyboard, shortcut.keys))
        if shortcut.text:
            rows.append((shown, shortcut.text))
        else:  # a further key of the command above
            rows[-1] = (f"{rows[-1][0].partition(' to ')[0]} to {shown}", rows[-1][1])
    mouse = [(f"mouse: {how}", does) for how, does in MOUSE]
    return table(("key", "what it does"), [*rows, *mouse])


def keyboard(sequence: str) -> str:
    """Return a key as it is printed."""
    return f"<kbd>{sequence}</kbd>"


# ---- The tree -----------------------------------------------------------------------------------


def tree() -> str:
    """Return the tree of the packages, with the first line of each module's docstring."""
    lines = [line for package in PACKAGES for line in branch(package, package.parent)]
    width = max(len(path) for path, _ in lines) + 2
    return (
        "```text\n" + "\n".join(f"{path:<{width}}{says}".rstrip() for path, says in lines) + "\n```"
    )


def branch(folder: Path, above: Path) -> Iterator[tuple[str, str]]:
    """Yield the paths of a package, indented, and what their docstrings say."""
    indent = "  " * (len(folder.relative_to(above).parts) - 1)
    yield f"{indent}{folder.name}/", says(folder / "__init__.py")
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.is_dir() and (path / "__init__.py").is_file():
            yield from branch(path, above)
        elif path.suffix == ".py" and not path.name.startswith("__"):
            yield f"{indent}  {path.name}", says(path)


def says(path: Path) -> str:
    """Return the first line of the docstring of a module."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    line = text.partition("\n")[0]
    return line if line.endswith("...") else line.removesuffix(".")


def arrows() -> str:
    """Return the table of who may import whom, from the test that sees to it."""
    text = (ROOT / "tests" / "test_imports.py").read_text(encoding="utf-8")
    rules = {
        target.id: node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    rows = dict(zip(rules["ARROWS"].keys, rules["ARROWS"].values, strict=True))
    rows = {code(ast.literal_eval(key)): rooms(value) for key, value in rows.items()}
    rows["the viewer"] = rooms(rules["BELOW_THE_VIEWER"])
    return table(("package", "may import"), rows.items())


def rooms(node: ast.expr) -> str:
    """Return the names in a set of a syntax tree."""
    names = [] if isinstance(node, ast.Call) else sorted(ast.literal_eval(node))
    return ", ".join(map(code, names)) or "nothing of kvidgan"


# ---- Examples -----------------------------------------------------------------------------------


def readme(name: str) -> str:
    """Return the example of the README that defines a class of this name."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"```python\n.*?```", text, re.S) if f"class {name}(" in b)
    return block


# ---- Markdown -----------------------------------------------------------------------------------


def code(text: str) -> str:
    """Return text as code."""
    return f"`{text}`"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; a cell's own bars and line breaks do not break it."""
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    cells = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


TOOLS: dict[str, Callable[..., str]] = {
    tool.__name__: tool
    for tool in (losses, options, optimizer_options, training_options, keys, tree, arrows, readme)
}
