"""Export: a trained step as one `.keras` file of stock Keras layers, its description inside."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import keras

from kvidgan.errors import UserError
from kvidgan.files import replacing
from kvidgan.rollout.description import ENTRY, Description

_CONFIG = "config.json"  # of a model, in Keras' archive
# What layers and initializers take since Keras 3.13 to 3.15, not yet in 3.12, with the defaults.
_NEW_ARGUMENTS = {
    "input_axes": None,
    "output_axes": None,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}


def export_step(model: keras.Model, description: Description, path: str | Path) -> Path:
    """Write a step so that plain Keras opens it on any backend, without kvidgan.

    The file appears under its name only when it is complete.

    Args:
        model: A functional model of one step; its layers are stock Keras layers or subclasses of
            them that differ in how they compute alone.
        description: What its inputs and outputs mean.
        path: Where to write; ends in `.keras`.

    Returns:
        The path written.

    Raises:
        UserError: If the name has another suffix, or writing fails, as on a full disk; nothing is
            left under the name then.

    Example:
        model, spec = gan.rollout_model()
        description = Description(family="mocogan", kvidgan_version="0.1.0", **dict(spec))
        export_step(model, description, "mocogan.keras")
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise UserError(f"Cannot export to {path}: expected a name that ends in .keras.")
    with replacing(path) as aside:
        whole = aside.with_suffix(".keras")  # Keras goes by the suffix
        try:
            stock_copy(model).save(whole)
            with zipfile.ZipFile(whole) as saved, zipfile.ZipFile(aside, "w") as archive:
                _copy(saved, archive)
                text = description.model_dump_json(indent=1)
                archive.writestr(ENTRY, text, zipfile.ZIP_DEFLATED)
        finally:
            whole.unlink(missing_ok=True)
    return path


def _copy(saved: zipfile.ZipFile, archive: zipfile.ZipFile) -> None:
    """Copy Keras' archive; what older versions do not know is left out where it says nothing."""
    for item in saved.infolist():
        if item.filename == _CONFIG:
            config = _for_older(json.loads(saved.read(item)))
            archive.writestr(item, json.dumps(config))
            continue
        with saved.open(item) as source, archive.open(item, "w") as target:
            shutil.copyfileobj(source, target, 2**20)


def _for_older(config: Any) -> Any:
    if isinstance(config, list):
        return [_for_older(part) for part in config]
    if not isinstance(config, dict):
        return config
    return {
        name: _for_older(part)
        for name, part in config.items()
        if not (name in _NEW_ARGUMENTS and part == _NEW_ARGUMENTS[name])
    }


def stock_copy(model: keras.Model) -> keras.Model:
    """Copy a functional model with each layer replaced by its nearest stock Keras ancestor.

    Layers compute in float32, whatever precision they were trained in.
    """
    copy = keras.models.clone_model(model, clone_function=_stock, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def _stock(layer: keras.Layer) -> keras.Layer:
    kinds: list[Any] = [k for k in type(layer).__mro__ if k.__module__.startswith("keras.")]
    config = layer.get_config()
    if "dtype" in config and isinstance(layer, keras.Layer):  # not what an operation casts to
        config["dtype"] = "float32"
    return kinds[0].from_config(config)
