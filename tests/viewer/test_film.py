import errno
import os
import threading
import tracemalloc

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan_viewer.worker.film import Film


def film_frames(count, seed=0):
    """Pictures of any size, some absent, of two names."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        shapes = [(*rng.integers(1, 30, 2), rng.choice([1, 3])) for _ in range(2)]
        pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
        absent = rng.random(2) < 0.2
        yield {n: None if a else p for n, p, a in zip("ab", pictures, absent, strict=True)}


def same(found, wanted):
    assert list(found) == list(wanted)
    for name, picture in wanted.items():
        if picture is None:
            assert found[name] is None
        else:
            np.testing.assert_array_equal(found[name], picture)


@pytest.mark.parametrize("budget", [0, 20_000, 2**30])
def test_what_is_read_is_what_was_added_wherever_it_lies(budget):
    film = Film(budget)
    wanted = list(film_frames(60))
    for number, panes in enumerate(wanted):
        film.append(panes, is_context=number < 3)
    assert (len(film), film.num_context, film.panes) == (60, 3, ("a", "b"))
    for index in np.random.default_rng(1).integers(-60, 60, 200):
        same(film[index].panes, wanted[index])
        assert film[index].is_context == (index % 60 < 3)
    with pytest.raises(IndexError):
        film[60]
    film.close()


def test_memory_stays_within_the_budget():
    film = Film(budget=3 * 10**6)
    tracemalloc.start()
    for _ in range(40):
        film.append({"a": np.zeros((1000, 1000, 1), np.uint8)})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 3 * 10**6 <= held < 4 * 10**6
    film.close()


def test_scores_are_not_a_number_where_there_are_none():
    film = Film()
    assert film.scores("psnr")[0].shape == (0,)
    film.append({"a": None}, is_context=True)
    film.append({"a": None}, scores={"psnr": (20.0, 10.0), "ssim": (0.5, np.nan)})
    film.append({"a": None}, scores={"psnr": (30.0, 15.0)})
    predicted, copied = film.scores("psnr")
    np.testing.assert_array_equal(predicted, [np.nan, 20, 30])
    np.testing.assert_array_equal(copied, [np.nan, 10, 15])
    np.testing.assert_array_equal(film.scores("ssim"), [[np.nan, 0.5, np.nan], [np.nan] * 3])
    assert film.metrics == ("psnr", "ssim")
    assert film[1].scores["ssim"][0] == 0.5


def test_the_file_has_no_name_and_is_gone_when_closed(tmp_path):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    closed, forgotten = (Film(budget=0, folder=str(tmp_path)) for _ in range(2))
    for film in (closed, forgotten):
        film.append(next(film_frames(1)))
    assert descriptors() == before + 2
    assert not list(tmp_path.iterdir())
    closed.close()
    closed.append(next(film_frames(1)))
    assert len(closed) == 0
    del film, forgotten
    assert descriptors() == before


def test_a_full_disk_is_told_and_what_was_kept_stays(tmp_path, monkeypatch):
    film, wanted = Film(budget=0, folder=str(tmp_path)), list(film_frames(3))
    film.append(wanted[0])
    write = os.pwrite

    def full(fd, data, at):
        if at > 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:100], at)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(UserError, match="the disk is full; free some space"):
        film.append({"a": np.ones((100, 10, 3), np.uint8)})
    monkeypatch.undo()
    film.append(wanted[1])
    assert len(film) == 2
    same(film[0].panes, wanted[0])
    same(film[1].panes, wanted[1])
    film.close()


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(UserError, match="No such file or directory; set TMPDIR"):
        Film(budget=0, folder=str(tmp_path / "none")).append(next(film_frames(1)))


def test_a_system_that_writes_little_at_a_time_loses_nothing(monkeypatch):
    film, write = Film(budget=0), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: write(fd, data[:7], at))
    wanted = list(film_frames(4))
    for panes in wanted:
        film.append(panes)
    for index, panes in enumerate(wanted):
        same(film[index].panes, panes)
    film.close()


def test_one_thread_adds_while_another_reads():
    film = Film(budget=100 * 64)

    def add():
        for number in range(1500):
            film.append({"a": np.full((8, 8, 1), number % 251, np.uint8)})

    thread = threading.Thread(target=add)
    thread.start()
    rng, read = np.random.default_rng(0), 0
    while read < 1500:
        alive = thread.is_alive()
        if (length := len(film)) > 0:
            index = int(rng.integers(length))
            assert (film[index].panes["a"] == index % 251).all()
            read += 1
        assert alive or len(film) == 1500
    thread.join()
    film.close()
