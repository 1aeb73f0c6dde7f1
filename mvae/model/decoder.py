"""The autoregressive decoder: an embedding -> the columns of its streams.

Flat models run one over the whole window, hierarchical ones one per stream and bar. Each step reads
the values of the step before and the embedding, which also makes the initial state (paper section
3.2; docs/magenta.md, Decoder).

Streams are tuples, one array int [N, S, C] for each head of the decoder. Told is the same of each
condition: a decoder reads it at the step that it writes.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from mvae.model import dense, lstm
from mvae.model.config import ModelConfig
from mvae.model.dropout import InputDropout, drop
from mvae.model.heads import (
    Head,
    draw,
    fed_as_numbers,
    feed,
    feed_width,
    follow,
    init_weights,
    noise,
    out_width,
    read,
    read_as_numbers,
    with_weights,
)
from mvae.model.types import Params

Streams = tuple[jax.Array, ...]
_HEADS = 1000  # folded into the key; layers fold in smaller numbers


def init(key: jax.Array, cfg: ModelConfig, heads: Sequence[Head]) -> Params:
    """{'initial_state': dense, 'layers': [lstm, ...], 'output': dense}.

    The output has a block of logits for each head. 'heads' is there, too, where any of them has
    weights of its own.
    """
    sizes = cfg.decoder_sizes
    keys = jax.random.split(key, len(sizes) + 2)
    widths = (feed_width(heads) + cfg.embedding_size + cfg.told_width, *sizes[:-1])
    stddev = cfg.bottleneck_stddev
    initial_state = dense.init_initial_states(keys[0], cfg.embedding_size, sizes, stddev)
    layers = [lstm.init(k, i, s) for k, i, s in zip(keys[1:-1], widths, sizes, strict=True)]
    output = dense.init(keys[-1], sizes[-1], out_width(heads))
    params = {'initial_state': initial_state, 'layers': layers, 'output': output}
    return params | init_weights(heads, jax.random.fold_in(key, _HEADS))


def logits(
    params: Params,
    cfg: ModelConfig,
    heads: Sequence[Head],
    e: jax.Array,
    inputs: Streams,
    told: Streams = (),
    dropout: InputDropout | None = None,
) -> jax.Array:
    """Teacher forcing, layer by layer over all steps: e [N, E] -> float32 [N, S, sum of out_width].

    inputs: the values of the step before, int [N, S, C] of each stream. dropout: of what layers
    read, with keys [N]; the first one reads e at every step.
    """
    kernel, _ = lstm.split_kernel(params['layers'][0], cfg.dtype)
    width = feed_width(heads)
    of_e, of_told = jnp.split(kernel[width:], [e.shape[-1]])
    fixed = jnp.matmul(e.astype(cfg.dtype), of_e, preferred_element_type=jnp.float32)
    fixed = fixed + params['layers'][0]['bias']  # the embedding says the same at every step
    time_first, also = (tuple(jnp.swapaxes(x, 0, 1) for x in part) for part in (inputs, told))
    if dropout is None:
        x = feed(heads, kernel[:width], time_first)
        x = (x + read(cfg.told, of_told, also) if also else x).swapaxes(1, 2)
    else:
        numbers = fed_as_numbers(heads, time_first).transpose(2, 0, 1)
        each = [numbers, jnp.broadcast_to(e.T[:, None], (e.shape[1], *numbers.shape[1:]))]
        if also:
            each.append(read_as_numbers(cfg.told, also).transpose(2, 0, 1))
        x = lstm.project(dropout(jnp.concatenate(each), 0), kernel)
        fixed = jnp.broadcast_to(params['layers'][0]['bias'], fixed.shape)
    states = dense.initial_states(params['initial_state'], e, cfg.decoder_sizes, cfg.dtype)
    for n, (p, state) in enumerate(zip(params['layers'], states, strict=True)):
        input_kernel, recurrent_kernel = lstm.split_kernel(p, cfg.dtype)
        constant = p['bias'][:, None] if n else fixed.T
        x = lstm.project(drop(dropout, x, n), input_kernel) if n else x
        x, _ = lstm.unroll(x, constant, state, recurrent_kernel)
    return dense.apply_last(params['output'], x, cfg.dtype).swapaxes(0, 1)


def prepare(params: Params, cfg: ModelConfig, heads: Sequence[Head]) -> Params:
    """The weights as `step` reads them: split, in the compute dtype, output rows first.

    Made once, outside all loops.
    """
    kernels = [lstm.split_kernel(p, cfg.dtype) for p in params['layers']]
    (first, recurrent), width = kernels[0], feed_width(heads)
    layers = [{'recurrent': recurrent.T, 'bias': params['layers'][0]['bias'][:, None]}]
    for p, (input_kernel, recurrent) in zip(params['layers'][1:], kernels[1:], strict=True):
        bias = p['bias'][:, None]
        layers.append({'input': input_kernel.T, 'recurrent': recurrent.T, 'bias': bias})
    output, own = params['output'], {name: params[name] for name in params if name == 'heads'}
    return own | {
        'values': first[:width],
        'embedding': first[width : len(first) - cfg.told_width].T,
        'told': first[len(first) - cfg.told_width :],
        'layers': layers,
        'output': {'kernel': output['kernel'].astype(cfg.dtype).T, 'bias': output['bias']},
        'initial_state': params['initial_state'],
    }


def start(
    weights: Params, cfg: ModelConfig, e: jax.Array
) -> tuple[jax.Array, list[lstm.LSTMState]]:
    """What embeddings e [N, E] say, once for all their steps.

    Returns the first layer's constant input [4H, N], and the states before the first step.
    """
    bias = weights['layers'][0]['bias']
    constant = lstm.matmul(weights['embedding'], e.T, cfg.dtype) + bias
    states = dense.initial_states(weights['initial_state'], e, cfg.decoder_sizes, cfg.dtype)
    return constant, states


def step(
    weights: Params,
    cfg: ModelConfig,
    heads: Sequence[Head],
    constant: jax.Array,
    states: list[lstm.LSTMState],
    inputs: Streams,
    told: Streams = (),
) -> tuple[list[lstm.LSTMState], jax.Array]:
    """One step of each sequence: the new states, and logits [N, sum of out_width].

    weights: of `prepare`. constant, states: of `start`. inputs: [N, C] of each stream. told: [N, C]
    of each condition.
    """
    first, *others = weights['layers']
    input_t = feed(heads, weights['values'], inputs).T + constant
    if told:
        input_t += read(cfg.told, weights['told'], told).T
    new_states = [lstm.step(input_t, states[0], first['recurrent'])]
    for layer, state in zip(others, states[1:], strict=True):
        input_t = lstm.matmul(layer['input'], new_states[-1].h, cfg.dtype) + layer['bias']
        new_states.append(lstm.step(input_t, state, layer['recurrent']))
    output = weights['output']
    # Without the barrier XLA turns the product round, which is slow on a CPU.
    logits_t = lax.optimization_barrier(lstm.matmul(output['kernel'], new_states[-1].h, cfg.dtype))
    return new_states, logits_t.T + output['bias']


def generate(
    weights: Params,
    cfg: ModelConfig,
    heads: Sequence[Head],
    constant: jax.Array,
    states: list[lstm.LSTMState],
    inputs: Streams,
    key: jax.Array,
    temperature: jax.Array | float,
    told: Streams = (),
) -> Streams:
    """Free-running: each step reads the values drawn before. Returns int32 [N, S, C] per stream.

    constant, states: of `start`. inputs: before the first step, [N, C] of each stream. told: of
    each condition all steps, the step first, [S, N, C].
    """

    heads = with_weights(heads, weights)

    def body(carry, xs):
        states, inputs = carry
        t, noises, told_t = xs
        states, step_logits = step(weights, cfg, heads, constant, states, inputs, told_t)
        values = draw(heads, noises, step_logits, temperature)
        values = follow(heads, t, inputs, values)
        return (states, values), values

    steps, rows = jnp.arange(cfg.steps), inputs[0].shape[:1]
    noises = jax.vmap(lambda t: noise(heads, jax.random.fold_in(key, t), rows))(steps)
    _, values = lax.scan(body, (states, inputs), (steps, noises, told))
    return tuple(jnp.swapaxes(x, 0, 1) for x in values)


def scheduled_inputs(
    params: Params,
    cfg: ModelConfig,
    heads: Sequence[Head],
    e: jax.Array,
    inputs: Streams,
    keys: jax.Array,
    probability: jax.Array | float,
    told: Streams = (),
) -> Streams:
    """The inputs of scheduled sampling (Bengio et al., 2015): some are draws of the model itself.

    Each step but the first reads a draw with the given probability. The choice holds for all
    streams of the step. It is independent over examples and steps.

    inputs: the true values of the step before, int [N, S, C] of each stream. keys: [N]. No gradient
    flows through draws, so that `logits` of the result has the exact gradient.
    """
    weights = prepare(params, cfg, heads)
    heads = with_weights(heads, weights)
    constant, states = start(weights, cfg, e)
    fold = jax.random.fold_in

    def body(carry, xs):
        states, drawn_tm1 = carry
        t, true_t, told_t = xs
        own = jax.vmap(lambda key: jax.random.bernoulli(fold(key, 2 * t), probability))(keys)
        own = own & (t > 0)
        pairs = zip(drawn_tm1, true_t, strict=True)
        inputs_t = tuple(jnp.where(own[:, None], drawn, true) for drawn, true in pairs)
        states, step_logits = step(weights, cfg, heads, constant, states, inputs_t, told_t)
        noises = jax.vmap(lambda key: noise(heads, fold(key, 2 * t + 1), ()))(keys)
        return (states, draw(heads, noises, step_logits, None)), inputs_t

    time_first, told = (tuple(jnp.swapaxes(x, 0, 1) for x in values) for values in (inputs, told))
    first = tuple(values[0] for values in time_first)
    _, used = lax.scan(body, (states, first), (jnp.arange(cfg.steps), time_first, told))
    return tuple(lax.stop_gradient(jnp.swapaxes(values, 0, 1)) for values in used)
