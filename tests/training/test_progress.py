import io

from rich.console import Console

from kvidgan.training.callbacks import Clock
from kvidgan.training.checkpoint import Position
from kvidgan.training.progress import Progress


def shown(terminal):
    out = io.StringIO()
    clock = Clock(Position(step=10), epochs=2, steps_per_epoch=10)
    console = Console(file=out, force_terminal=terminal, width=200, highlight=False)
    progress = Progress(clock, console, every=0.0)
    clock.on_epoch_begin(1)
    with progress.shown():
        for batch in range(10):
            clock.on_train_batch_end(batch)
            progress.on_train_batch_end(batch, {"generator": 1.25})
    return out.getvalue()


def test_plain_lines_where_there_is_no_terminal():
    lines = shown(terminal=False).splitlines()
    assert lines[0] == "Compiling the training step."
    assert lines[1].startswith("step 11/20  measuring the rate  generator 1.250")
    assert lines[-1].startswith("step 20/20")
    assert "steps/s  0:00 left  generator 1.250" in lines[-1]
    assert "\x1b" not in "".join(lines)


def test_losses_come_in_the_familys_order():
    progress = Progress(Clock(Position(), 1, 1), names=["generator", "critic", "l2"])
    line = progress._line(1.0, 1, {"critic": 1.0, "own": 2.0, "generator": 3.0})
    assert line.endswith("generator 3.000  critic 1.000  own 2.000")


def test_a_live_line_on_a_terminal():
    text = shown(terminal=True)
    assert "\x1b[" in text
    assert "step 20/20" in text
