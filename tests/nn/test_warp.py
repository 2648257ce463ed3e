"""Warping against OpenCV, a longhand, and what shifts of whole pixels must do."""

import cv2
import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import value_and_gradients
from kvidgan.nn.warp import compose, long_flow, warp

pytestmark = pytest.mark.every_backend


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def constant(x, y, shape=(2, 6, 7)):
    return np.broadcast_to(np.array([x, y], "float32"), (*shape, 2)).copy()


def warped(frames, flow):
    return ops.convert_to_numpy(warp(ops.convert_to_tensor(frames), ops.convert_to_tensor(flow)))


def longhand(frames, flow):
    """Bilinear sampling in float64, pixel by pixel."""
    count, height, width, _ = frames.shape
    out = np.zeros(frames.shape, "float64")
    for item, row, column in np.ndindex(count, height, width):
        x, y = flow[item, row, column].astype("float64")
        x, y = np.clip(column + x, 0, width - 1), np.clip(row + y, 0, height - 1)
        for v in {int(np.floor(y)), int(np.ceil(y))}:
            for u in {int(np.floor(x)), int(np.ceil(x))}:
                weight = (1 - abs(x - u)) * (1 - abs(y - v))
                out[item, row, column] += weight * frames[item, v, u]
    return out


def test_warp_is_bilinear_with_a_clamped_border():
    frames, flow = noise(2, 6, 7, 3), 4 * noise(2, 6, 7, 2, seed=1)
    np.testing.assert_allclose(warped(frames, flow), longhand(frames, flow), atol=1e-5)


def test_warp_does_as_opencv():
    # OpenCV may round coordinates to 1/32 of a pixel: flows that are such multiples cannot tell.
    frames = noise(2, 6, 7, 3)
    flow = np.round(5 * noise(2, 6, 7, 2, seed=1) * 32) / 32
    rows, columns = np.mgrid[:6, :7].astype("float32")
    expected = [
        cv2.remap(frame, columns + f[..., 0], rows + f[..., 1], cv2.INTER_LINEAR,
                  borderMode=cv2.BORDER_REPLICATE)
        for frame, f in zip(frames, flow.astype("float32"), strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(warped(frames, flow.astype("float32")), expected, atol=1e-4)


def test_no_flow_changes_nothing_at_all():
    frames = noise(2, 6, 7, 3)
    np.testing.assert_array_equal(warped(frames, constant(0, 0)), frames)


def test_a_flow_to_the_right_and_down_fetches_from_there():
    frames = noise(2, 6, 7, 3)
    out = warped(frames, constant(2, 1))
    np.testing.assert_array_equal(out[:, :-1, :-2], frames[:, 1:, 2:])
    np.testing.assert_array_equal(out[:, :-1, -1], frames[:, 1:, -1])  # beyond: the border
    np.testing.assert_array_equal(out[:, -1, :-2], frames[:, -1, 2:])


@pytest.mark.parametrize("far", [1e3, 1e9, 3e38, np.inf])
def test_a_flow_far_outside_takes_the_border(far):
    frames = noise(2, 6, 7, 3)
    for x, y, corner in [(-far, -far, (0, 0)), (far, -far, (0, 6)), (far, far, (5, 6))]:
        frames_, flow = keras.Variable(frames), keras.Variable(constant(x, y))

        def loss(frames=frames_, flow=flow):
            out = warp(frames.value, flow.value)
            return ops.sum(out), out

        (_, out), gradients = value_and_gradients(loss, [frames_, flow])
        expected = np.broadcast_to(frames[:, None, None, *corner], (2, 6, 7, 3))
        np.testing.assert_array_equal(ops.convert_to_numpy(out), expected)
        assert np.isfinite(ops.convert_to_numpy(gradients[0])).all()
        np.testing.assert_array_equal(ops.convert_to_numpy(gradients[1]), 0)


def test_a_flow_that_is_no_number_stays_inside():
    frames = noise(2, 6, 7, 3)
    out = warped(frames, constant(np.nan, np.nan))
    np.testing.assert_array_equal(out, np.broadcast_to(frames[:, :1, :1], out.shape))


@pytest.mark.parametrize("height", [1, 3])
def test_frames_of_a_single_column_have_a_border_too(height):
    frames, flow = noise(2, height, 1, 2), 2 * noise(2, height, 1, 2, seed=1)
    np.testing.assert_allclose(warped(frames, flow), longhand(frames, flow), atol=1e-5)


def test_gradients_are_those_of_central_differences():
    # Away from whole pixels, where the slope in the flow has a step; some point outside.
    frames, flow = noise(2, 4, 5, 2), np.random.default_rng(1).integers(-3, 4, (2, 4, 5, 2))
    flow = (flow + np.random.default_rng(2).uniform(0.2, 0.8, flow.shape)).astype("float32")
    weights = noise(2, 4, 5, 2, seed=3)
    variables = [keras.Variable(frames), keras.Variable(flow)]

    def loss():
        return ops.sum(ops.convert_to_tensor(weights) * warp(*[v.value for v in variables]))

    _, gradients = value_and_gradients(loss, variables)
    for place, found in enumerate(gradients):
        inputs = [frames.astype("float64"), flow.astype("float64")]
        expected = np.zeros(frames.shape)
        for index in np.ndindex(frames.shape):
            values = []
            for step in (1e-3, -1e-3):
                moved = [array.copy() for array in inputs]
                moved[place][index] += step
                values.append((weights * longhand(*moved)).sum())
            expected[index] = (values[0] - values[1]) / 2e-3
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-4)


def test_coordinates_are_precise_whatever_the_frames_are():
    dtype = "bfloat16"  # which at column 2999 has steps of 16 pixels
    ramp = np.zeros((1, 2, 3000, 1), "float32")
    ramp[0, :, 2990:, 0] = np.arange(10)
    out = warp(ops.cast(ramp, dtype), ops.convert_to_tensor(constant(-0.25, 0, (1, 2, 3000))))
    assert keras.backend.standardize_dtype(out.dtype) == dtype
    values = ops.convert_to_numpy(ops.cast(out, "float32"))[0, 0, 2992:, 0]
    np.testing.assert_allclose(values, np.arange(2, 10) - 0.25, rtol=2**-8)


def test_shifts_add_up():
    first, then = constant(1, -2), constant(0.5, 3)
    np.testing.assert_allclose(
        ops.convert_to_numpy(compose(*map(ops.convert_to_tensor, (first, then)))), constant(1.5, 1)
    )


def test_composing_asks_the_second_flow_where_the_first_one_lands():
    columns = np.broadcast_to(np.arange(7, dtype="float32"), (2, 6, 7))
    first, then = constant(-2, 0), np.stack([10 * columns, 0 * columns], axis=-1)
    x = ops.convert_to_numpy(compose(*map(ops.convert_to_tensor, (first, then))))[0, 0, :, 0]
    np.testing.assert_allclose(x, [-2, -2, -2, 8, 18, 28, 38])


def test_one_long_flow_does_what_the_steps_do_one_after_another():
    # Whole pixels, so that warping twice blurs nothing; the last 3 of 4 flows.
    flows = np.random.default_rng(0).integers(-2, 3, (2, 4, 6, 7, 2)).astype("float32")
    frames = noise(2, 6, 7, 3)
    flow = ops.convert_to_numpy(long_flow(ops.convert_to_tensor(flows), 3))
    stepwise = frames
    for step in (1, 2, 3):
        stepwise = warped(stepwise, flows[:, step])
    inside = np.ones((2, 6, 7), bool)  # where no step on the way was stopped by the border
    place = np.stack(np.broadcast_arrays(*np.mgrid[:6, :7][::-1]), axis=-1)
    for item in range(2):
        at = place.astype(int)
        for step in (3, 2, 1):
            at = at + flows[item, step][
                np.clip(at[..., 1], 0, 5), np.clip(at[..., 0], 0, 6)
            ].astype(int)
            inside[item] &= ((at >= 0) & (at < [7, 6])).all(-1)
    assert inside.mean() > 0.2
    np.testing.assert_array_equal(warped(frames, flow)[inside], stepwise[inside])
    np.testing.assert_array_equal(
        ops.convert_to_numpy(long_flow(ops.convert_to_tensor(flows), 1)), flows[:, -1]
    )


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_functional_model_with_a_warp_is_saved_and_runs_at_any_size(tmp_path, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        frames = keras.Input((None, None, 3), name="frames")
        flow = keras.Input((None, None, 2), name="flow")
        keras.Model([frames, flow], warp(frames, flow)).save(tmp_path / "warp.keras")
    finally:
        keras.config.set_dtype_policy(before)
    model = keras.models.load_model(tmp_path / "warp.keras", safe_mode=True)
    for shape in [(2, 6, 7), (3, 40, 24)]:
        frames, flow = noise(*shape, 3), 3 * noise(*shape, 2, seed=1)
        out = model.predict([frames, flow], verbose=0)
        np.testing.assert_allclose(out, longhand(frames, flow), atol=1e-5)
