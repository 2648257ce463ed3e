"""How much memory there is: of the machine or the container, and of a GPU."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import keras

# Of a container: its folder, the names of its limit and of what is used (cgroup 2 and 1).
_GROUPS = (
    ("sys/fs/cgroup", "memory.max", "memory.current"),
    ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def free() -> dict[str, int]:
    """Return the free memory of "cpu" and "gpu", bytes, as far as it can be found out.

    To be asked before the backend begins: TensorFlow and JAX take a whole GPU to themselves.
    """
    found = {"cpu": on_machine(), "gpu": on_gpu()}
    return {name: count for name, count in found.items() if count is not None}


def device() -> str:
    """Return which of both Keras computes on."""
    name = str(keras.ops.convert_to_tensor(0.0).device).lower()
    return "gpu" if "gpu" in name or "cuda" in name else "cpu"


def on_machine(root: Path = Path("/")) -> int | None:
    """Return what Linux has left, or what a container's limit leaves of it; elsewhere None."""
    try:
        counts = [1024 * dict(_fields(root / "proc/meminfo"))["MemAvailable"]]
    except (OSError, KeyError):
        return None
    for folder, limit, used in _GROUPS:
        try:
            bound, taken = (int((root / folder / name).read_text()) for name in (limit, used))
            # Files that it read are counted as used, and given back when there is need.
            cached = dict(_fields(root / folder / "memory.stat"))["inactive_file"]
        except (OSError, KeyError, ValueError):  # no such group, or "max": no limit
            continue
        counts.append(bound - taken + cached)
    return max(0, min(counts))


def on_gpu() -> int | None:
    """Return what NVIDIA's tool says of the first GPU that this process may use, or None."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    command = f"nvidia-smi -i {first} --query-gpu=memory.free --format=csv,nounits,noheader"
    try:
        said = subprocess.run(command.split(), capture_output=True, text=True, timeout=5)
        return int(said.stdout) * 2**20
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _fields(path: Path) -> Iterator[tuple[str, int]]:
    for line in path.read_text().splitlines():
        name, value, *_ = line.split()
        yield name.rstrip(":"), int(value)
