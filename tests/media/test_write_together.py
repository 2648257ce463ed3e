import threading

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.media import read_image, read_video, write_together


def flat(value, size=(16, 24)):
    return np.full((*size, 3), value, np.uint8)


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_path_gets_its_own_pictures(tmp_path):
    paths = [tmp_path / "a.gif", tmp_path / "b.mp4", tmp_path / "c"]
    moments = ([flat(k), flat(100 + k, (8, 8)), None if k < 2 else flat(k)] for k in range(30))
    assert write_together(paths, moments, 25) == 25
    first, second = (np.stack(list(read_video(path)[0])) for path in paths[:2])
    assert [frame[0, 0, 0] for frame in first] == list(range(30))
    assert second.shape == (30, 8, 8, 3)
    np.testing.assert_allclose(second[:, 0, 0, 0], np.arange(100, 130), atol=3)
    assert len(left(paths[2])) == 28, "none at its first two moments"
    assert read_image(paths[2] / "frame0001.png")[0, 0, 0] == 2
    assert left(tmp_path) == ["a.gif", "b.mp4", "c"]


def test_pictures_do_not_pile_up(tmp_path):
    """However fast they are made: a slow writer holds up the stream."""
    ahead = []

    def moments():
        for k in range(40):
            ahead.append(k - len(list(tmp_path.glob(".b*/frame*"))))
            yield [flat(k), flat(k, (400, 600))]

    write_together([tmp_path / "a", tmp_path / "b"], moments(), 25)
    assert max(ahead) <= 5, ahead


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_the_moments_raise_leaves_nothing_behind(tmp_path, count):
    paths = [tmp_path / "a.mp4", tmp_path / "b.gif", tmp_path / "c"][:count]
    before = threading.active_count()

    def moments():
        for k in range(5):
            yield [flat(k)] * count
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_together(paths, moments(), 25)
    assert left(tmp_path) == []
    assert threading.active_count() == before


def test_a_path_that_cannot_be_written_stops_the_others(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("years of work")
    made = []

    def moments():
        for k in range(100_000):
            made.append(k)
            yield [flat(k % 256)] * 2

    with pytest.raises(UserError, match=r"holds what kvidgan did not write, such as thesis\.txt"):
        write_together([tmp_path / "a.mp4", tmp_path / "b"], moments(), 25)
    assert len(made) < 5000
    assert left(tmp_path) == ["b"]
    with pytest.raises(UserError, match="expected .gif, .mp4 or a folder"):
        write_together([tmp_path / "a.avi", tmp_path / "a.gif"], moments(), 25)
    assert left(tmp_path) == ["b"]


@pytest.mark.parametrize("count", [1, 2])
def test_no_moment_is_no_video(tmp_path, count):
    with pytest.raises(UserError, match="there is no frame to write"):
        write_together([tmp_path / "a.gif", tmp_path / "b.gif"][:count], [], 25)
    assert left(tmp_path) == []
