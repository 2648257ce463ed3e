import cv2
import keras
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from kvidgan.data.flow import dis_flow
from kvidgan.errors import UserError
from kvidgan.evaluation.baselines import copy_last
from kvidgan.evaluation.metrics import (
    bootstrap,
    moving,
    psnr,
    sharpness_difference,
    ssim,
    warping_error,
)
from kvidgan.media import fit_frames, read_image, read_video
from tests.textures import moving_square, texture

METRICS = (psnr, ssim, sharpness_difference)


def reference(truth, made):
    return structural_similarity(
        truth,
        made,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=-1,
        data_range=255,
    )


def noisy(frame, spread=20, seed=0):
    noise = np.random.default_rng(seed).normal(0, spread, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def agrees(truth, made):
    assert ssim(truth, made) == pytest.approx(reference(truth, made), abs=1e-4)
    assert psnr(truth, made) == pytest.approx(peak_signal_noise_ratio(truth, made), abs=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(40, 52), (11, 30), (11, 11)])
def test_psnr_and_ssim_agree_with_scikit_image(size, channels):
    frame = texture(*size, channels)
    for made in (noisy(frame), noisy(frame, 2), 255 - frame, np.roll(frame, 1, 1)):
        agrees(frame, made)
    flat = np.full_like(frame, 77)
    agrees(flat, noisy(flat, 3))
    agrees(flat, flat + 4)


def test_they_agree_on_real_frames(real_data):
    folder = real_data / "mspacman" / "Test" / "episode_050"
    pacman = [read_image(folder / f"frame{number}.png") for number in (40, 41, 60)]
    clip = read_video(real_data / "clips" / "ucf101_v_BaseballPitch_g01_c01.avi")[0]
    frames = [next(clip) for _ in range(3)]
    for first, second, third in (pacman, frames):
        agrees(first, second)
        agrees(first, noisy(third, 5))


def test_ssim_agrees_with_keras():
    frame = texture(32, 40)
    made = noisy(frame)
    ours = keras.ops.image.ssim(frame[None].astype("float32"), made[None].astype("float32"), 255.0)
    assert ssim(frame, made) == pytest.approx(float(ours[0]), abs=1e-4)


def test_ssim_of_luma():
    frame = texture(32, 40)
    made = noisy(frame)
    grey = [fit_frames(f[None], 32, 40, 1)[0] for f in (frame, made)]
    assert ssim(frame, made, luma=True) == pytest.approx(reference(*grey), abs=1e-4)
    assert ssim(frame, made, luma=True) != pytest.approx(ssim(frame, made), abs=1e-3)


def test_psnr_by_hand():
    truth = np.zeros((2, 2, 1), np.uint8)
    made = np.array([0, 4, 0, 0], np.uint8).reshape(2, 2, 1)
    assert psnr(truth, made) == pytest.approx(10 * np.log10(255**2 / 4))


def test_sharpness_written_out():
    truth, made = texture(9, 12).astype(float), texture(9, 12, seed=3).astype(float)
    total = count = 0
    for i in range(1, 9):
        for j in range(1, 12):
            for c in range(3):
                gradients = [
                    abs(f[i, j, c] - f[i - 1, j, c]) + abs(f[i, j, c] - f[i, j - 1, c])
                    for f in (truth, made)
                ]
                total += abs(gradients[0] - gradients[1])
                count += 1
    found = sharpness_difference(truth.astype(np.uint8), made.astype(np.uint8))
    assert found == pytest.approx(10 * np.log10(255**2 / (total / count)))


@pytest.mark.parametrize("metric", METRICS)
def test_one_value_a_frame_whatever_comes_before(metric):
    truth = np.stack([texture(16, 20, seed=s) for s in range(6)]).reshape(2, 3, 16, 20, 3)
    made = noisy(truth)
    mask = np.random.default_rng(0).random((2, 3, 16, 20)) < 0.5
    for masks in (None, mask):
        values = metric(truth, made, masks)
        assert (values.shape, values.dtype) == ((2, 3), np.float64)
        one = metric(truth[1, 2], made[1, 2], None if masks is None else mask[1, 2])
        assert values[1, 2] == pytest.approx(one)
    everything = np.ones_like(mask)
    np.testing.assert_allclose(metric(truth, made, everything), metric(truth, made))


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_equal_is_perfect_and_finite(metric):
    frame = texture(16, 16)
    best = 1.0 if metric is ssim else 60.0
    for same in (frame, np.zeros_like(frame)):
        assert metric(same, same) == best
        assert metric(same, same, np.ones((16, 16), bool)) == best
        assert np.isnan(metric(same, same, np.zeros((16, 16), bool)))


def test_a_mask_leaves_the_rest_out():
    truth = texture(30, 30)
    mask = np.zeros((30, 30), bool)
    mask[8:14, 8:14] = True
    made = noisy(truth)
    inside = np.where(mask[..., None], made, truth)
    error = ((truth - made.astype(float))[mask] ** 2).mean()
    assert psnr(truth, made, mask) == pytest.approx(10 * np.log10(255**2 / error))
    for metric in METRICS:
        assert metric(truth, made, mask) == metric(truth, inside, mask)
        assert metric(truth, inside, ~mask) >= metric(truth, inside, mask)
    assert psnr(truth, inside, ~mask) == 60


def test_masked_ssim_is_the_mean_of_the_map_over_the_mask():
    truth, made = texture(30, 30), noisy(texture(30, 30))
    mask = np.zeros((30, 30), bool)
    mask[4, :] = mask[10, 12] = mask[20, 5] = True  # the first is within 5 pixels of the border
    equal = np.where(mask[..., None], made, truth)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, whole = structural_similarity(
        truth, equal, full=True, channel_axis=-1, data_range=255, **options
    )
    wanted = (whole[10, 12].mean() + whole[20, 5].mean()) / 2
    assert ssim(truth, made, mask) == pytest.approx(wanted, abs=1e-4)


def test_masked_sharpness_by_hand():
    truth = np.zeros((3, 3, 1), np.uint8)
    made = truth.copy()
    made[1, 1], made[0, 2] = 7, 200
    mask = np.zeros((3, 3), bool)
    mask[1, 1] = True
    assert sharpness_difference(truth, made, mask) == pytest.approx(10 * np.log10(255**2 / 14))
    mask[2, 1] = True  # has the 7 above, nothing changes to its left
    found = sharpness_difference(truth, made, mask)
    assert found == pytest.approx(10 * np.log10(255**2 / ((14 + 7) / 2)))
    mask[...] = False
    mask[0] = mask[:, 0] = True
    assert np.isnan(sharpness_difference(truth, made, mask)), "none has both neighbours"


def test_moving_pixels_of_a_square():
    clip, inside = moving_square(2)
    found = moving(dis_flow(clip[1], clip[0]))
    assert (found.shape, found.dtype) == ((64, 64), np.bool_)
    assert found[inside[1]].mean() > 0.95
    near = cv2.dilate((inside[0] | inside[1]).astype(np.uint8), np.ones((21, 21))) > 0
    assert found[~near].mean() < 0.01, "the flow ends some pixels beyond what moves"
    assert not moving(dis_flow(clip[0], clip[0])).any()
    assert moving(dis_flow(clip[1], clip[0]), threshold=0.0).sum() > found.sum()
    assert not moving(dis_flow(clip[1], clip[0]), threshold=10.0).any()


def test_a_still_clip_copied_is_perfect():
    clip = np.repeat(texture(32, 32)[None], 4, axis=0)
    made = next(copy_last(clip[:2]))
    mask = moving(dis_flow(clip[2], clip[1]))
    for metric, best in zip(METRICS, (60, 1, 60), strict=True):
        assert metric(clip[2], made) == best
        assert np.isnan(metric(clip[2], made, mask))


@pytest.mark.parametrize(
    ("truth", "made", "mask"),
    [
        (np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 1), np.uint8), None),
        (np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.float32), None),
        (*[np.zeros((16, 16, 3), np.uint8)] * 2, np.zeros((16, 15), bool)),
        (*[np.zeros((16, 16, 3), np.uint8)] * 2, np.zeros((16, 16), np.uint8)),
    ],
)
@pytest.mark.parametrize("metric", METRICS)
def test_what_would_broadcast_by_accident_is_refused(metric, truth, made, mask):
    with pytest.raises(ValueError, match="expected"):
        metric(truth, made, mask)


def test_frames_too_small_for_ssim():
    small = np.zeros((40, 10, 3), np.uint8)
    with pytest.raises(UserError, match="at least 11x11 pixels, found 10x40"):
        ssim(small, small)


def videos(count, clips=2):
    return list(np.random.default_rng(0).normal(30, 4, (count, clips)))


def test_the_interval_holds_the_mean_and_shrinks():
    few, many = bootstrap(videos(8)), bootstrap(videos(200))
    for one, count in ((few, 8), (many, 200)):
        assert one.low < one.mean < one.high
        assert (one.n, one.videos) == (2 * count, count)
        assert one.mean == pytest.approx(np.mean(videos(count)))
    assert many.high - many.low < 0.4 * (few.high - few.low)
    normal = 2 * 1.96 * np.std(np.mean(videos(200), 1)) / np.sqrt(200)
    assert many.high - many.low == pytest.approx(normal, rel=0.1)


def test_the_interval_is_drawn_alike_each_time():
    assert bootstrap(videos(8)) == bootstrap(videos(8))
    assert bootstrap(videos(8), seed=1).low != bootstrap(videos(8)).low
    assert bootstrap(videos(8), seed=1).mean == bootstrap(videos(8)).mean


def test_a_video_counts_once_and_what_is_not_scored_not_at_all():
    nothing = np.nan
    mixed = [np.array([1.0, 3.0]), np.array([nothing, 6.0]), np.array([nothing, nothing])]
    found = bootstrap(mixed)
    assert (found.mean, found.n, found.videos) == (4.0, 3, 2)
    assert (found.low, found.high) == (2.0, 6.0)
    alone = bootstrap(mixed[1:])
    assert (alone.mean, alone.low, alone.high, alone.n, alone.videos) == (6.0, None, None, 1, 1)
    none = bootstrap(mixed[2:])
    assert (none.mean, none.low, none.high, none.n, none.videos) == (None, None, None, 0, 0)


def test_many_videos_are_drawn_in_parts():
    values = videos(3000, clips=1)
    assert bootstrap(values).high - bootstrap(values).low < 0.4


def shifted(x, y, frames=4):
    """Frames of a scene that moves by (x, y) a frame, and the flow from each to the one before."""
    whole = texture(60, 80)
    clip = [whole[15 - y * t : 45 - y * t, 15 - x * t : 55 - x * t] for t in range(frames)]
    flow = np.empty((frames - 1, 30, 40, 2), np.float32)
    flow[:] = (-x, -y)
    return np.stack(clip), flow


@pytest.mark.parametrize(("x", "y"), [(2, 0), (-1, 3), (0, 0)])
def test_what_moves_as_the_truth_is_steady(x, y):
    clip, flow = shifted(x, y)
    inside = np.zeros((3, 30, 40), bool)
    inside[:, 4:-4, 4:-4] = True
    np.testing.assert_allclose(warping_error(clip[:-1], clip[1:], flow, inside), 0, atol=1e-12)
    if x or y:
        everywhere = warping_error(clip[:-1], clip[1:], flow, np.ones_like(inside))
        assert (everywhere > 1e-4).all(), "what comes in at the border is not warped there"


def test_flicker_has_the_known_error():
    """A still scene that is 25.5 levels brighter in every other frame: 0.2 of the [-1, 1] scale."""
    dark = np.clip(texture(20, 30), 0, 229)
    clip = np.stack([dark, dark + 26, dark])
    flow, confidence = np.zeros((2, 20, 30, 2), np.float32), np.ones((2, 20, 30), bool)
    found = warping_error(clip[:-1], clip[1:], flow, confidence)
    np.testing.assert_allclose(found, (26 / 127.5) ** 2, rtol=1e-5)


def test_half_a_pixel_is_interpolated():
    ramp = np.repeat(np.arange(0, 80, 4, dtype=np.uint8)[None, :, None], 6, axis=0)
    flow = np.zeros((1, 6, 20, 2), np.float32)
    flow[..., 0] = 0.5
    inner = np.zeros((1, 6, 20), bool)
    inner[..., 1:-1] = True
    found = warping_error(ramp[None], ramp[None], flow, inner)
    assert found[0] == pytest.approx((2 / 127.5) ** 2, rel=1e-4)


def test_only_where_the_flow_is_right():
    before = np.zeros((2, 4, 4, 1), np.uint8)
    after = before.copy()
    after[:, 0] = 255
    confidence = np.zeros((2, 4, 4), bool)
    confidence[0, :2] = True
    found = warping_error(before, after, np.zeros((2, 4, 4, 2), np.float32), confidence)
    assert found[0] == pytest.approx(2.0), "half of the pixels by 2, squared"
    assert np.isnan(found[1])
