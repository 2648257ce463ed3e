"""How the viewer is started: one sentence for what cannot be, from either command."""

import pytest

from kvidgan_viewer.__main__ import main


def by_script(arguments, kvidgan, capfd):
    status = main(arguments)
    return status, capfd.readouterr().err


def by_verb(arguments, kvidgan, capfd):
    status, _, err = kvidgan("view", *arguments)
    return status, err


@pytest.mark.parametrize("start", [by_script, by_verb])
@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["nowhere.keras"], {}, "a run or a clip, found nothing at nowhere.keras."),
        ([], {"KERAS_BACKEND": "mxnet"}, "expected tensorflow, jax or torch, found 'mxnet'."),
        ([], {}, "The viewer needs a screen, found no DISPLAY"),
    ],
)
def test_what_cannot_be_is_told_before_a_window(
    start, arguments, environment, sentence, kvidgan, capfd, monkeypatch
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", "linux")
    status, err = start(arguments, kvidgan, capfd)
    assert status == 1
    assert err.startswith("error: ")
    assert sentence in err
    assert err.count("\n") == 1
