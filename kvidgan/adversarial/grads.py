"""Gradients of closures, on whichever backend Keras runs.

The only module that names TensorFlow, JAX or PyTorch for automatic differentiation. A closure may
do what a training step does: draw noise, update batch statistics, even train another player.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any


def minimize(loss_fn: Callable[[], Any], *players: Any) -> Any:
    """Take one optimizer step for each player on one loss, differentiated once.

    Calls may be nested: a `loss_fn` may itself call `minimize` for other players, for instance to
    train a discriminator on the very samples that the generator is about to be judged on.

    Args:
        loss_fn: Called without arguments; returns the loss (a scalar), or `(loss, aux)` where `aux`
            is any nest of tensors. On JAX it runs inside a trace: whatever it computes must leave
            through its return value, never through an outer variable.
        *players: Objects with an `optimizer` (built) and its list of `variables`.

    Returns:
        What `loss_fn` returned, detached from the graph.

    Example:
        loss = minimize(lambda: critic_loss(real, fake), critic_player)
    """
    variables = [variable for player in players for variable in player.variables]
    result, gradients = value_and_gradients(loss_fn, variables)
    apply_gradients(gradients, *players)
    return result


def apply_gradients(gradients: Sequence[Tensor], *players: Any) -> None:
    """Take one optimizer step for each player, with one gradient a variable, in their order."""
    for player in players:
        count = len(player.variables)
        player.optimizer.apply(gradients[:count], player.variables)
        gradients = gradients[count:]


def value_and_gradients(
    loss_fn: Callable[[], Any], variables: Sequence[keras.Variable]
) -> tuple[Any, list[Tensor]]:
    """Run a closure and differentiate its loss with respect to variables.

    Args:
        loss_fn: Called without arguments; returns the loss, or `(loss, aux)`: see `minimize`.
        variables: What to differentiate with respect to.

    Returns:
        What `loss_fn` returned, detached from the graph, and one gradient a variable in the
        variable's shape: zeros where the loss does not depend on it, on every backend.
    """
    result, gradients = _BACKENDS[keras.backend.backend()][0](loss_fn, variables)
    return keras.tree.map_structure(ops.stop_gradient, result), gradients


def input_gradient(fn: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Differentiate sum(fn(x)) with respect to x, differentiably.

    For a network that treats samples independently, row i of the result is the gradient of its
    i-th output: what a gradient penalty needs (Gulrajani et al. 2017, eq. 3). The result can be
    differentiated again inside `minimize`. Layers with fused recurrent kernels have no second
    derivative: build those with `use_cudnn=False`.

    Args:
        fn: Takes a tensor shaped like x, returns a tensor of any shape.
        x: A floating-point tensor.

    Returns:
        A tensor shaped like x.
    """
    return _BACKENDS[keras.backend.backend()][1](fn, x)


def when(condition: Tensor, fn: Callable[[], Any], otherwise: Any) -> Any:
    """Run a closure with all that it changes only if a condition holds, compiled steps included.

    What an uneven schedule of players needs: the condition may depend on counters and losses, and
    the work is not done where it does not hold. The closure may do what a step does.

    Args:
        condition: A boolean scalar; a Python `bool` decides at once.
        fn: Called without arguments; returns a nest of tensors.
        otherwise: What to return instead, a nest of the same structure, shapes and dtypes.

    Returns:
        What `fn` returned, or `otherwise`.

    Example:
        loss = when(count % 5 == 0, lambda: minimize(loss_fn, player), last_loss)
    """
    if isinstance(condition, bool):
        return fn() if condition else otherwise
    return _BACKENDS[keras.backend.backend()][2](condition, fn, otherwise)


def compiled(step: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a pure function of (state, data) on JAX, reusing the state's memory."""
    import jax

    return jax.jit(step, donate_argnums=0)


def _loss(result: Any) -> Tensor:
    return result[0] if isinstance(result, tuple) else result


def _tensorflow_gradients(loss_fn, variables):
    import tensorflow as tf

    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        result = loss_fn()
    zero = tf.UnconnectedGradients.ZERO
    return result, tape.gradient(_loss(result), values, unconnected_gradients=zero)


def _tensorflow_input_gradient(fn, x):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = fn(x)
    return tape.gradient(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _tensorflow_when(condition, fn, otherwise):
    import tensorflow as tf

    return tf.cond(condition, fn, lambda: otherwise)


def _torch_gradients(loss_fn, variables):
    import torch

    result = loss_fn()
    values = [variable.value for variable in variables]
    if not _loss(result).requires_grad:
        return result, [torch.zeros_like(value) for value in values]
    gradients = torch.autograd.grad(
        _loss(result), values, allow_unused=True, materialize_grads=True
    )
    return result, list(gradients)


def _torch_input_gradient(fn, x):
    import torch

    if not x.requires_grad:
        x = x.detach().requires_grad_()
    return torch.autograd.grad(fn(x).sum(), x, create_graph=True)[0]


def _torch_when(condition, fn, otherwise):
    return fn() if bool(condition) else otherwise


class _Trace(keras.StatelessScope):
    """A stateless scope that starts from the enclosing one's values and remembers what changed.

    JAX differentiates pure functions only, so a closure's side effects (batch statistics, seed
    counters, a nested player's update) are caught here and assigned outside the trace.
    """

    def __init__(self, state_mapping=()):
        super().__init__(state_mapping)
        self.changed: dict[int, keras.Variable] = {}

    def __enter__(self):
        super().__enter__()
        if self.original_scope is not None:
            self.state_mapping |= {
                key: value
                for key, value in self.original_scope.state_mapping.items()
                if key not in self.state_mapping
            }
        return self

    def add_update(self, update):
        super().add_update(update)
        self.changed[id(update[0])] = update[0]


def _jax_differentiate(fn, variables, values):
    """Return (result, d loss / d values) of fn(values), its side effects carried out."""
    import jax

    changed: list[keras.Variable] = []

    def pure(values):
        with _Trace(list(zip(variables, values, strict=False))) as trace:
            result = fn(values)
        changed[:] = trace.changed.values()
        return _loss(result), (result, [trace.get_current_value(v) for v in changed])

    (_, (result, updates)), gradients = jax.value_and_grad(pure, has_aux=True)(values)
    for variable, update in zip(changed, updates, strict=True):
        variable.assign(update)
    return result, gradients


def _jax_gradients(loss_fn, variables):
    values = [variable.value for variable in variables]
    return _jax_differentiate(lambda _: loss_fn(), variables, values)


def _jax_input_gradient(fn, x):
    return _jax_differentiate(lambda x: ops.sum(fn(x)), (), x)[1]


def _jax_when(condition, fn, otherwise):
    import jax

    if not isinstance(condition, jax.core.Tracer):
        return fn() if bool(condition) else otherwise
    changed: dict[int, keras.Variable] = {}

    def pure():
        with _Trace() as trace:
            result = fn()
        changed.update(trace.changed)
        return result, [trace.get_current_value(v) for v in changed.values()]

    jax.eval_shape(pure)  # tells what changes: both branches return the same variables
    values = [variable.value for variable in changed.values()]
    result, updates = jax.lax.cond(condition, pure, lambda: (otherwise, values))
    for variable, update in zip(changed.values(), updates, strict=True):
        variable.assign(update)
    return result


_BACKENDS = {
    "tensorflow": (_tensorflow_gradients, _tensorflow_input_gradient, _tensorflow_when),
    "torch": (_torch_gradients, _torch_input_gradient, _torch_when),
    "jax": (_jax_gradients, _jax_input_gradient, _jax_when),
}
