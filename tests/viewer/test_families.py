"""A real worker process plays a small model of every family, and the window what it sends."""

import pytest

from kvidgan import families
from kvidgan.contract import DataFacts
from kvidgan.data.builtin.streets import CLASSES
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout import Description, export_step
from kvidgan_viewer.panel.values import needs
from kvidgan_viewer.worker.client import WorkerClient
from tests.first_step import OPTIONS

PATIENCE = 120_000  # ms


def exported(name, folder, **others):
    family = families.load(name)
    options = {**OPTIONS[name], **others, **({"labels": None} if name == "vid2vid" else {})}
    config = family.Config(**options)
    if name == "vid2vid":
        config = config.for_data(DataFacts(labels=list(CLASSES), labels_from="ids"))
    model, described = family.Family(config).rollout_model()
    described = Description(family=name, kvidgan_version="0", **dict(described))
    return export_step(model, described, folder / f"{'-'.join([name, *others])}.keras")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    made = {name: exported(name, folder) for name in families.names()}
    return made | {"one noise a video": exported("mocogan", folder, cell="projected_lstm")}


def test_every_family_plays(models, qtbot):
    assert len(models) >= 4
    worker = WorkerClient()
    try:
        for name, path in models.items():
            with qtbot.waitSignal(worker.opened, timeout=PATIENCE) as caught:
                worker.open(str(path))
            described = caught.args[0].description
            kind = needs(described).kind
            plans = {
                "noise": NoisePlan(videos=2),
                "clip": ClipPlan("maze"),
                "labels": ClipPlan("streets"),
            }
            with qtbot.waitSignal(worker.waiting, timeout=PATIENCE):
                film = worker.play(plans[kind], num_frames=7)
            assert len(film) == 7, name
            last = film[6]
            shown = "generated" if kind == "noise" else "prediction"
            assert last.panes[shown].ndim == 3
            assert not last.is_context
            if kind != "noise":
                assert film.num_context == (2 if kind == "labels" else 4)
                assert last.panes["truth"].shape == last.panes["prediction"].shape
                assert set(described.extra_outputs) < set(last.panes)
                assert "psnr" in last.scores
            film.close()
    finally:
        worker.close()
