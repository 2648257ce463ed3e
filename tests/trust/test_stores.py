"""A clip store tells of every bit in it that is not as it was written."""

import json
from collections import Counter

import numpy as np
import pytest

from kvidgan.data.convert import prepare
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import placed_source


def whole(path):
    """Return all that a store says, after it was verified."""
    with ClipStore.open(path) as store:
        store.verify()
        values = []
        for video, row in enumerate(store.index):
            stop = int(row["length"])
            values.append(store.read(video, 0, stop).tobytes())
            values += [store.read_map(name, video, 0, stop).tobytes() for name in store.maps]
        facts = (store.name, store.classes, store.labels, store.skipped, store.settings)
        return values, store.index.tobytes(), facts, store.checksum, store.fingerprint


@pytest.mark.parametrize("count", [300, pytest.param(4000, marks=pytest.mark.slow)])
def test_every_changed_bit_is_told_or_changes_nothing(tmp_path, count):
    path = prepare(placed_source(3, 4), tmp_path / "s.h5").path
    data, true, outcomes, lines = path.read_bytes(), whole(path), Counter(), 1
    for place in np.random.default_rng(0).integers(0, 8 * len(data), count):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << (place % 8)
        path.write_bytes(changed)
        try:
            assert whole(path) == true, f"bit {place} changed something in silence"
            outcomes["nothing"] += 1
        except UserError as error:
            outcomes["told"] += 1
            lines = max(lines, str(error).count("\n") + 1)
    print(json.dumps(outcomes))
    assert lines == 1
    assert outcomes["told"] > 0.8 * count


def test_verify_on_the_command_line(tmp_path, kvidgan):
    path = prepare(placed_source(3, 4), tmp_path / "s.h5").path
    status, out, _ = kvidgan("info", path, "--verify")
    assert status == 0
    assert "every frame and map is as it was written." in out
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    status, _, err = kvidgan("info", path, "--verify")
    assert (status, err.count("\n")) == (1, 1)
    status, _, err = kvidgan("info", tmp_path, "--verify")
    assert status == 1
