"""VideoGAN: a GAN as a Keras model, with players and one adversarial step on every backend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from kvidgan.adversarial import grads


@dataclass(frozen=True)
class Player:
    """An optimizer and the variables that it alone may change.

    Attributes:
        optimizer: Any Keras optimizer, with its own learning-rate schedule, weight decay, clipping
            and, if `use_ema` is set, moving averages of the variables.
        variables: The trainable variables of one network or several.
        generates: Whether these variables make the samples. Such players get the moving averages
            that are asked for in training and used in exported files.
    """

    optimizer: keras.optimizers.Optimizer
    variables: list[keras.Variable]
    generates: bool = False


class Optimizers(keras.optimizers.Optimizer):
    """Several optimizers seen as one, so that Keras' trainer, checkpoints and distribution see all.

    It owns no variables: `variables` are those of its parts, which are applied one by one by
    `minimize`.
    """

    def __init__(self, optimizers: list[keras.optimizers.Optimizer]):
        super().__init__(learning_rate=0.0, name="optimizers")
        self.parts = optimizers
        self.built = True

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables of all optimizers, in the players' order."""
        return [variable for part in self.parts for variable in part.variables]

    def save_own_variables(self, store) -> None:
        """Save nothing: each part saves its own."""

    def load_own_variables(self, store) -> None:
        """Load nothing: each part loads its own."""

    def apply(self, grads, trainable_variables=None):
        """Refuse: there is no single loss to apply."""
        raise TypeError("Optimizers cannot be applied as one; call minimize(loss_fn, player).")

    def finalize_variable_values(self, var_list) -> None:
        """Keep the trained values: averages are used through `VideoGAN.averaged` alone."""


class VideoGAN(keras.Model):
    """A generative adversarial network that trains unchanged on TensorFlow, JAX and PyTorch.

    A subclass builds its networks in `__init__`, names its `players` there, and writes
    `adversarial_step`. `compile()` takes no optimizer; `fit` is Keras' own. Noise is drawn with a
    `keras.random.SeedGenerator` that is an attribute of the model, so that its counter is part of
    the model's state.

    Attributes:
        players: Name to `Player`, set by the subclass before `compile`.
        turn: Where players take uneven turns, the weight (an integer) that tells whose it is, and
            `is_turn` asks about. JAX then compiles a step for each of its values, since XLA's CPU
            code is three times slower inside a condition.
    """

    players: dict[str, Player]
    turn: Any = None
    _known_turn: int | None = None  # while a step is compiled for one value of `turn`

    def adversarial_step(self, batch: Any) -> dict[str, Any]:
        """Update the players on one batch, calling `minimize` as often as the algorithm asks.

        Args:
            batch: One batch of the data that `fit` was given.

        Returns:
            Losses and other scalars by name, for the log.
        """
        raise NotImplementedError(f"{type(self).__name__} must define adversarial_step (abstract).")

    def allocate(self, batch: int) -> None:
        """Make state that has a batch's axis, before `compile`; most models have none.

        Args:
            batch: Samples in a batch.
        """

    def minimize(self, loss_fn: Callable[[], Any], *names: str) -> Any:
        """Take one step of the named players on one loss: see `grads.minimize`."""
        return grads.minimize(loss_fn, *(self.players[name] for name in names))

    def is_turn(self, number: int) -> Any:
        """Whether `turn` is this number: a boolean scalar, for `when`; a `bool` where it is known.

        Only for use inside `adversarial_step`.
        """
        if self._known_turn is not None:
            return self._known_turn == number
        return keras.ops.equal(self.turn.value, number)

    def compile(self, jit_compile: bool | str = "auto", **options: Any) -> None:
        """Build every optimizer over its player's variables and configure Keras' trainer.

        Args:
            jit_compile: True, False or "auto": XLA on JAX and on TensorFlow's accelerators, not on
                TensorFlow's CPU, where XLA's convolution gradients are 20 times slower.
            **options: `run_eagerly` and `steps_per_execution`, as in `keras.Model.compile`.

        Raises:
            ValueError: If a player has no variables, or two players share one.
        """
        _check_disjoint(self.players)
        for player in self.players.values():
            if not player.optimizer.built:
                player.optimizer.build(player.variables)
        self.built = True
        optimizers = [player.optimizer for player in self.players.values()]
        if jit_compile == "auto":
            jit_compile = _jit_pays() and not options.get("run_eagerly")
        self._step_of_turn: dict[int, Any] = {}
        self._jit_by_turn = bool(jit_compile) and self.turn is not None and _on_jax()
        jit_compile = jit_compile and not self._jit_by_turn
        super().compile(optimizer=Optimizers(optimizers), jit_compile=jit_compile, **options)

    def train_step(self, *args: Any) -> Any:
        """Run `adversarial_step`: as it is, or on JAX as a pure function of Keras' state."""
        if not _on_jax():
            return self.adversarial_step(_inputs(args[0]))
        if self._jit_by_turn:
            return self._compiled(args[0])(*args)
        return self._pure_step(*args)

    def _compiled(self, state):
        """Return the step that is compiled for the turn that a state tells."""
        place = [id(variable) for variable in self.non_trainable_variables].index(id(self.turn))
        turn = int(state[1][place])
        if turn not in self._step_of_turn:
            self._step_of_turn[turn] = grads.compiled(partial(self._pure_step, turn=turn))
        return self._step_of_turn[turn]

    def _pure_step(self, state, data, turn=None):
        groups = [
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        ]
        values = [pair for group in zip(groups, state, strict=True) for pair in zip(*group)]  # noqa: B905
        self._known_turn = turn
        try:
            with keras.StatelessScope(values) as scope:
                losses = self.adversarial_step(_inputs(data))
        finally:
            self._known_turn = None
        return losses, tuple([scope.get_current_value(v) for v in group] for group in groups)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give generating players their moving averages for the time of a `with` block.

        Players whose optimizer keeps none, or has not stepped yet, keep their values.
        """
        players = [p for p in self.players.values() if p.generates and _has_averages(p)]
        trained = [[keras.ops.copy(v.value) for v in p.variables] for p in players]
        for player in players:
            player.optimizer.finalize_variable_values(player.variables)
            for variable in player.variables:
                # Keras leaves one JAX buffer to the variable and its average; a compiled function
                # that is given the one would free the other.
                variable.assign(keras.ops.copy(variable.value))
        try:
            yield
        finally:
            for player, values in zip(players, trained, strict=True):
                for variable, value in zip(player.variables, values, strict=True):
                    variable.assign(value)


def _inputs(data: Any) -> Any:
    return keras.utils.unpack_x_y_sample_weight(data)[0]


def _has_averages(player: Player) -> bool:
    return player.optimizer.use_ema and int(player.optimizer.iterations.numpy()) > 0


def _jit_pays() -> bool:
    if keras.backend.backend() == "tensorflow":
        return not all(device.startswith("cpu") for device in keras.distribution.list_devices())
    return _on_jax()


def _on_jax() -> bool:
    return keras.backend.backend() == "jax"


def _check_disjoint(players: dict[str, Player]) -> None:
    owner: dict[int, str] = {}
    for name, player in players.items():
        if not player.variables:
            raise ValueError(f"Player {name!r} has no variables; expected at least one.")
        for variable in player.variables:
            other = owner.setdefault(id(variable), name)
            if other != name:
                raise ValueError(
                    f"Variable {variable.path!r} belongs to players {other!r} and {name!r}; "
                    "expected each variable to have one optimizer."
                )
