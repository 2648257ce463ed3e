import pickle
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from kvidgan.data.layouts.registry import LAYOUTS, open_source
from kvidgan.data.reading import LayoutName, Reading
from kvidgan.errors import UserError
from tests.data.conftest import frames_of, save_strip, video


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="nowhere does not exist"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"holds no videos: expected film strips.*, found no files"):
        open_source(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"found 1 file such as notes\.txt"):
        open_source(tmp_path)


def test_forced_layout(strips):
    for number, lengths in ((2, 10), (3, 11)):
        save_strip(strips / f"{number % 2}" / f"{number}.png", video(number, lengths))
    source = open_source(strips, Reading(layout="frame_folders"))
    assert [v.length for v in source.videos] == [2, 2]
    with pytest.raises(UserError, match=r"no usable videos: found 4 files such as 0/0\.png"):
        open_source(strips, Reading(layout="videos"))


def test_every_video_pickles(strips):
    one = pickle.loads(pickle.dumps(open_source(strips).videos[3]))
    np.testing.assert_array_equal(frames_of(one), video(3, 13))


def test_schema_knows_every_layout():
    assert set(get_args(LayoutName)) == {"auto", *LAYOUTS}


def test_importing_loads_no_backend():
    modules = "schema, source, builtin.registry, layouts.registry, store.reader, convert, clips"
    imports = ", ".join(f"kvidgan.data.{module}" for module in modules.split(", "))
    check = f"import sys, {imports}; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout
    assert "h5py" in loaded
    assert not {"keras", "cv2", "tensorflow", "imageio"} & set(eval(loaded))


def test_real_layouts(real_data):
    actions = open_source(real_data / "actions")
    assert actions.describe() == (
        "film strips: 48 videos in 4 classes (0, 1, 3, 4), 64x64, 51 to 146 frames"
    )
    pacman = open_source(real_data / "mspacman").describe()
    assert pacman.startswith("frame folders: 20 videos, 6 to test, 14 to train, 160x210")
    assert open_source(real_data / "clips").describe() == "videos: 10 videos"
    assert frames_of(actions.videos[0]).shape[1:] == (64, 64, 3)
