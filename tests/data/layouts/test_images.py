from PIL import Image

from kvidgan.data.layouts.images import read_frames


def test_frames_are_read(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.new("L", (5, 4), number).save(path)
    frames = list(read_frames(paths))
    assert [(frame.shape, int(frame.max())) for frame in frames] == [
        ((4, 5, 3), number) for number in range(3)
    ]
