"""The scores of Mathieu et al., beside convolutions of PyTorch and numbers that were recorded."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from kvidgan.data.flow import dis_flow
from kvidgan.errors import UserError
from kvidgan.evaluation import mathieu, metrics
from kvidgan.evaluation.evaluate import evaluate
from kvidgan.evaluation.mathieu import moving, psnr, sharpness_difference, ssim
from kvidgan.evaluation.report import as_json
from kvidgan.evaluation.tables import tables
from tests.evaluation.conftest import copying, rollout, squares
from tests.rollout import steps
from tests.textures import moving_square, texture


def formula(shift=0.0, height=48, width=64):
    """A frame of waves in three colours, uint8, by a formula that needs no random numbers."""
    y, x, channel = np.ogrid[:height, :width, :3]
    waves = np.sin(0.35 * (x - shift) + channel) * np.cos(0.21 * y + 0.05 * x * channel)
    return np.rint(127.5 + 100 * waves + 20 * np.sin(1.9 * (x - shift) + 1.3 * y)).astype(np.uint8)


TRUTH, MADE = formula(), formula(0.5)
MASK = np.zeros(TRUTH.shape[:2], bool)
MASK[10:30, 20:50] = True


def signal(frame, mask=None, unit=127.5):
    """Channels, height, width for PyTorch in [-1, 1]; -1 outside a mask."""
    values = torch.tensor(frame / unit - 1).movedim(-1, 0)
    return values if mask is None else torch.where(torch.tensor(mask), values, -1.0)


def along(images, kernel, border=0):
    """Images (channels, height, width) convolved channel by channel, zeros around them."""
    taps = torch.tensor(kernel, dtype=torch.float64).reshape(1, 1, *np.shape(kernel))
    return functional.conv2d(images[:, None], taps, padding=border)[:, 0]


def reference(truth, made, mask=None):
    """PSNR, SSIM and sharpness difference of the authors' test program, written with PyTorch."""
    x, y = signal(truth, mask), signal(made, mask)
    channels, height, width = x.shape
    noise = 10 * np.log10(255**2 / (128**2 * functional.mse_loss(x, y).item()))
    steep = [[along(one, kernel).abs() for kernel in ([[-1, 1]], [[-1], [1]])] for one in (x, y)]
    across = (steep[0][0] - steep[1][0]).abs()[:, 1:-1, : width - 2].sum()
    down = (steep[0][1] - steep[1][1]).abs()[:, : height - 2, 1:-1].sum()
    error = 128**2 * (across + down).item() / (channels * height * width)
    sharp = 10 * np.log10(255**2 / error)
    grey = [127.5 * (one * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0) + 127.5
            for one in (x, y)]  # fmt: skip
    places = np.arange(11) - 5
    window = np.exp(-(places[:, None] ** 2 + places**2) / (2 * 1.5**2))
    a, b, aa, bb, ab = (
        along(one[None], window / window.sum(), border=10)
        for one in (*grey, grey[0] ** 2, grey[1] ** 2, grey[0] * grey[1])
    )
    c, d = 2.55**2, 7.65**2
    alike = (2 * a * b + c) * (2 * (ab - a * b) + d)
    alike /= (a**2 + b**2 + c) * (aa - a**2 + bb - b**2 + d)
    assert alike.shape == (1, height + 10, width + 10)
    return noise, alike.mean().item(), sharp


PAIRS = [(TRUTH, MADE), (texture(48, 64), texture(48, 64, seed=1))]


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("pair", PAIRS, ids=["waves", "textures"])
def test_scores_are_those_of_the_test_program(pair, mask):
    scores = (psnr, ssim, sharpness_difference)
    found = [score(*pair, mask) for score in scores]
    assert found == pytest.approx(reference(*pair, mask), abs=1e-6)
    clips = [np.stack([frame] * 2) for frame in pair]
    masks = None if mask is None else np.stack([mask] * 2)
    np.testing.assert_allclose([score(*clips, masks) for score in scores], np.stack([found] * 2, 1))


def test_scores_as_recorded():
    recorded = {None: (24.1989, 0.88925, 13.1156), "mask": (31.3196, 0.98275, 19.7178)}
    for mask, values in recorded.items():
        scores = (psnr, ssim, sharpness_difference)
        found = [score(TRUTH, MADE, MASK if mask else None) for score in scores]
        assert found == pytest.approx(values, abs=1e-4)


def test_grey_frames_are_luma():
    grey = [frame[..., :1] for frame in (TRUTH, MADE)]
    rgb = [np.repeat(frame, 3, axis=-1) for frame in grey]
    for score in (psnr, ssim, sharpness_difference):
        assert score(*grey) == pytest.approx(score(*rgb), abs=1e-9)


def test_equal_frames_score_what_the_least_error_allows():
    assert psnr(TRUTH, TRUTH) == sharpness_difference(TRUTH, TRUTH) == pytest.approx(88.1308)
    assert ssim(TRUTH, TRUTH) == pytest.approx(1)


def in_units(truth, made):
    """The equation of section 4.2 on values from 0 to 1, whose peak is 1."""
    gradients = []
    for frame in (truth, made):
        values = torch.tensor(frame / 255).movedim(-1, 0)
        steep = along(values, [[-1, 1]]).abs()[:, 1:], along(values, [[-1], [1]]).abs()[:, :, 1:]
        gradients.append(sum(steep))
    return -10 * torch.log10((gradients[0] - gradients[1]).abs().mean()).item()


def of_ms_pacman(truth, made):
    """The Ms. Pac-Man code: values in [-1, 1] with the peak 1, and zeros beyond the frame."""
    gradients = []
    for frame in (truth, made):
        values = functional.pad(signal(frame), (0, 1, 0, 1))
        steep = along(values, [[-1, 1]]).abs()[:, :-1], along(values, [[-1], [1]]).abs()[:, :, :-1]
        gradients.append(sum(steep))
    return -10 * torch.log10((gradients[0] - gradients[1]).abs().mean()).item()


def test_four_sharpness_differences_of_the_same_frames():
    """Only those of one peak and scale compare: 255, or 1 of [0, 1], 1.99 or 1 of [-1, 1]."""
    definitions = metrics.sharpness_difference, in_units, sharpness_difference, of_ms_pacman
    recorded = (34.8076, 10.7422, 13.1156, 7.7521), (36.4822, 12.4168, 14.4608, 9.2353)
    for pair, values in zip(PAIRS, recorded, strict=True):
        found = [float(definition(*pair)) for definition in definitions]
        assert found == pytest.approx(values, abs=0.005)
        ours, unit, authors, pacman = found
        assert ours - unit == pytest.approx(10 * np.log10(255), abs=1e-6), "24.07 dB"
        # The authors add what the two directions differ by, which is no less than the sums differ.
        assert ours - authors > 10 * np.log10(128**2 / 127.5) - 0.3, "21.09 dB, the border aside"
        assert ours - pacman == pytest.approx(10 * np.log10(255**2 / 127.5), abs=0.6), "27.08 dB"


# ---- Moving pixels ------------------------------------------------------------------------------

# The colours of Baker et al. 2007: how many steps each arc of the wheel has.
ARCS = {"RY": 15, "YG": 6, "GC": 4, "CB": 11, "BM": 13, "MR": 6}
ENDS = {"R": (1, 0, 0), "Y": (1, 1, 0), "G": (0, 1, 0), "C": (0, 1, 1), "B": (0, 0, 1),
        "M": (1, 0, 1)}  # fmt: skip


def picture(flow):
    """Flow in Middlebury's colours, uint8: hue the direction, white where nothing moves."""
    wheel = np.concatenate(
        [np.linspace(ENDS[arc[0]], ENDS[arc[1]], steps, endpoint=False)
         for arc, steps in ARCS.items()]
    )  # fmt: skip
    length = np.hypot(flow[..., 0], flow[..., 1])
    share = length / (length.max() + 1e-9)
    turn = (np.arctan2(-flow[..., 1], -flow[..., 0]) / np.pi + 1) / 2 * (len(wheel) - 1)
    first = np.floor(turn).astype(int)
    between = (turn - first)[..., None]
    hue = (1 - between) * wheel[first] + between * wheel[(first + 1) % len(wheel)]
    return np.floor(255 * (1 - share[..., None] * (1 - hue))).astype(np.uint8)


def test_moving_pixels_are_those_of_the_flow_picture():
    clip, inside = moving_square(3, speed=3)
    found = moving(clip[0], clip[1])
    colours = picture(dis_flow(clip[0], clip[1])) / 255
    np.testing.assert_array_equal(found, (colours < 0.2).any(-1))
    assert 0 < found.mean() < 0.5
    assert (found & ~inside[0]).sum() < 0.2 * found.sum(), "where the square was before"
    assert not moving(clip[0], clip[0]).any()


# ---- Evaluations --------------------------------------------------------------------------------


def test_an_evaluation_by_the_protocol(stored):
    store = stored(squares(3, side=64))  # the first stands still
    models = {"mean": rollout(steps.predicting())}
    scores = evaluate(models, store, num_frames=2, clips=1, protocol="mathieu")
    video = store.read(2, 0, 4)
    first = np.rint(video[:2].astype(float).mean(0)).astype(np.uint8)
    mask = moving(video[1], video[2])
    assert scores.moving[2, 0] == mask.mean()
    for r, region in enumerate((None, mask)):
        for m, score in enumerate((psnr, ssim, sharpness_difference)):
            found = scores.values["mean"][r, m, 2, 0]
            assert found == pytest.approx(score(video[2], first, region), rel=2e-3)
    still = scores.intervals["copy last", "moving", "psnr"][0]
    assert still.n == 2, "a still clip has 88 dB and is left out"
    assert [one.n for one in scores.intervals["copy last", "all", "psnr"]] == [3, 3]
    report = as_json(scores, {})
    assert report["protocol"]["name"] == "mathieu"
    assert "the published ones of the same videos" in report["protocol"]["comparable"]
    assert list(report["scores"]["mean"]["all"]) == ["psnr", "ssim", "sharpness"]
    assert report["true_video"] == {}
    shown = tables(scores)
    assert "## Moving pixels, protocol mathieu" in shown
    assert "Sharpness difference (dB, peak 1.99 of [-1, 1])" in shown
    assert "Warping" not in shown


def test_a_masked_clip_of_50_db_is_left_out(stored):
    near = np.repeat(texture(32, 32)[None], 4, axis=0)
    near[2:, 4, 4] ^= 3  # one pixel that flickers
    scores = evaluate(
        {"copying": rollout(copying())}, stored([near]), num_frames=1, clips=1, protocol="mathieu"
    )
    assert scores.values["copying"][0, 0] > mathieu.LEFT_OUT_DB
    assert np.isnan(scores.values["copying"][1]).all()


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        (steps.counting, {}, "a: expected a model that predicts .* --protocol mathieu scores, "
         "found a toy model that makes videos from noise"),
        (steps.labelled, {}, "found a toy model that follows label maps"),
        (copying, {"luma": True}, "--protocol mathieu without --threshold and --luma"),
        (copying, {"threshold": 0.2}, "it defines its moving pixels and its SSIM itself"),
        (copying, {"protocol": "mathiue"}, "expected one of kvidgan, mathieu, found 'mathiue'"),
    ],
)  # fmt: skip
def test_what_the_protocol_does_not_score(stored, model, options, sentence):
    with pytest.raises(UserError, match=sentence):
        evaluate({"a": rollout(model())}, stored(squares(2)), **{"protocol": "mathieu", **options})
