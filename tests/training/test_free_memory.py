import subprocess

import pytest

from kvidgan.training import free_memory

GIB = 2**30


@pytest.fixture
def machine(tmp_path):
    """Write files as Linux shows them; return their root."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


MEMINFO = {
    "proc/meminfo": "MemTotal:  16777216 kB\nMemAvailable:  8388608 kB\nHugePages_Total:  0\n"
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8 * GIB),
        (
            {
                "sys/fs/cgroup/memory.max": f"{3 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
            },
            1.5 * GIB,
        ),
        ({"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "9\n"}, 8 * GIB),
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{3 * GIB}\n",
                "sys/fs/cgroup/memory/memory.stat": "inactive_file 0\n",
            },
            0,
        ),
    ],
    ids=["no container", "cgroup 2", "no limit", "cgroup 1, full"],
)
def test_a_container_leaves_less_than_the_machine_has(machine, files, expected):
    assert free_memory.on_machine(machine(MEMINFO | files)) == expected


def test_what_cannot_be_found_out_is_left_out(machine, monkeypatch):
    assert free_memory.on_machine(machine({})) is None
    monkeypatch.setenv("PATH", "")
    assert free_memory.on_gpu() is None
    assert set(free_memory.free()) <= {"cpu"}


@pytest.mark.parametrize(
    ("said", "expected"), [("81038\n", 81038 * 2**20), ("", None), ("[N/A]\n", None)]
)
def test_a_gpu_is_asked_for_by_its_own_name(monkeypatch, said, expected):
    asked = []

    def run(command, **options):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=said)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert free_memory.on_gpu() == expected
    assert asked[0][:3] == ["nvidia-smi", "-i", "3"]


def test_keras_computes_somewhere():
    assert free_memory.device() in ("cpu", "gpu")
