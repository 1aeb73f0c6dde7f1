"""The autoregressive decoder: an embedding -> tokens.

Flat models run one over the whole window, hierarchical ones one per stream and bar.

Each step reads the previous token of its streams and the embedding, which also makes the initial
state (paper section 3.2; magenta.md 2.7).
"""

import jax
import jax.numpy as jnp
from jax import lax

from mvae.config import ModelConfig
from mvae.model import conductor, dense, lstm, streams


def init(
    key: jax.Array, cfg: ModelConfig, vocab_sizes: tuple[int, ...], embedding_size: int
) -> dict:
    """{'initial_state': dense, 'layers': [lstm, ...], 'output': dense}; one output block per
    stream.
    """
    sizes = cfg.decoder_sizes
    keys = jax.random.split(key, len(sizes) + 2)
    widths = (sum(vocab_sizes) + embedding_size, *sizes[:-1])
    initial_state = dense.init_initial_states(keys[0], embedding_size, sizes, cfg.bottleneck_stddev)
    layers = [lstm.init(k, i, s) for k, i, s in zip(keys[1:-1], widths, sizes, strict=True)]
    if cfg.hierarchical:
        rows = slice(sum(vocab_sizes), widths[0])
        initial_state['kernel'] = conductor.init_reader(cfg, initial_state['kernel'])
        layers[0]['kernel'] = (
            layers[0]['kernel'].at[rows].set(conductor.init_reader(cfg, layers[0]['kernel'][rows]))
        )
    return {
        'initial_state': initial_state,
        'layers': layers,
        'output': dense.init(keys[-1], sizes[-1], sum(vocab_sizes)),
    }


def _first_layer(
    params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """(kernel rows of the previous tokens, the embedding's projection with the bias [N, 4H]): the
    latter is the same at every step.
    """
    kernel, _ = lstm.split_kernel(params['layers'][0], cfg.dtype)
    width = sum(vocab_sizes)
    fixed = jnp.matmul(e.astype(cfg.dtype), kernel[width:], preferred_element_type=jnp.float32)
    return kernel[:width], fixed + params['layers'][0]['bias']


def logits(
    params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array, inputs: jax.Array
) -> jax.Array:
    """Teacher forcing, layer by layer over all steps: e [N, E], inputs (previous tokens) [N, S, K]
    -> float32 [N, S, sum of V_k].
    """
    token_kernel, fixed = _first_layer(params, cfg, vocab_sizes, e)
    x = streams.project_tokens(token_kernel, jnp.swapaxes(inputs, 0, 1), vocab_sizes).swapaxes(1, 2)
    states = dense.initial_states(params['initial_state'], e, cfg.decoder_sizes, cfg.dtype)
    for n, (p, state) in enumerate(zip(params['layers'], states, strict=True)):
        input_kernel, recurrent_kernel = lstm.split_kernel(p, cfg.dtype)
        x, constant = (lstm.project(x, input_kernel), p['bias'][:, None]) if n else (x, fixed.T)
        x, _ = lstm.unroll(x, constant, state, recurrent_kernel)
    return dense.apply_first(params['output'], x, cfg.dtype).transpose(2, 1, 0)


def prepare(params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...]) -> dict:
    """The weights as running step by step reads them: split, in the compute dtype, output rows
    first. Made once, outside all loops.
    """
    kernels = [lstm.split_kernel(p, cfg.dtype) for p in params['layers']]
    (first, recurrent), width = kernels[0], sum(vocab_sizes)
    layers = [{'recurrent': recurrent.T, 'bias': params['layers'][0]['bias'][:, None]}]
    for p, (input_kernel, recurrent) in zip(params['layers'][1:], kernels[1:], strict=True):
        layers.append(
            {'input': input_kernel.T, 'recurrent': recurrent.T, 'bias': p['bias'][:, None]}
        )
    output = {
        'kernel': params['output']['kernel'].astype(cfg.dtype).T,
        'bias': params['output']['bias'],
    }
    initial = params['initial_state']
    return {
        'tokens': first[:width],
        'embedding': first[width:].T,
        'layers': layers,
        'output': output,
        'initial_state': initial,
    }


def start(weights: dict, cfg: ModelConfig, e: jax.Array) -> tuple[jax.Array, list[lstm.LSTMState]]:
    """What embeddings e [N, E] say, once for all their steps: the first layer's constant input [4H,
    N], and the states before the first step.
    """
    constant = lstm.matmul(weights['embedding'], e.T, cfg.dtype) + weights['layers'][0]['bias']
    return constant, dense.initial_states(weights['initial_state'], e, cfg.decoder_sizes, cfg.dtype)


def step(
    weights: dict,
    cfg: ModelConfig,
    vocab_sizes: tuple[int, ...],
    constant: jax.Array,
    states: list[lstm.LSTMState],
    inputs: jax.Array,
) -> tuple[list[lstm.LSTMState], jax.Array]:
    """One token of each sequence, from weights of `prepare`, constant and states of `start`, inputs
    [N, K]: (states, logits [N, sum of V_k]).
    """
    first, *others = weights['layers']
    input_t = streams.project_tokens(weights['tokens'], inputs, vocab_sizes).T + constant
    new_states = [lstm.step(input_t, states[0], first['recurrent'])]
    for layer, state in zip(others, states[1:], strict=True):
        input_t = lstm.matmul(layer['input'], new_states[-1].h, cfg.dtype) + layer['bias']
        new_states.append(lstm.step(input_t, state, layer['recurrent']))
    logits_t = lax.optimization_barrier(
        lstm.matmul(weights['output']['kernel'], new_states[-1].h, cfg.dtype)
    )
    return new_states, logits_t.T + weights['output'][
        'bias'
    ]  # without the barrier XLA turns the product round, which is slow on CPU


def generate(
    weights: dict,
    cfg: ModelConfig,
    vocab_sizes: tuple[int, ...],
    constant: jax.Array,
    states: list[lstm.LSTMState],
    inputs: jax.Array,
    key: jax.Array,
    temperature: jax.Array | float,
) -> jax.Array:
    """Free-running: each step reads the token drawn before.

    constant and states of `start`, first inputs [N, K] -> int32 [N, S, K].
    """

    def body(carry, t):
        states, inputs = carry
        states, step_logits = step(weights, cfg, vocab_sizes, constant, states, inputs)
        tokens = streams.draw(jax.random.fold_in(key, t), step_logits, vocab_sizes, temperature)
        return (states, tokens), tokens

    _, tokens = lax.scan(body, (states, inputs), jnp.arange(cfg.steps))
    return jnp.swapaxes(tokens, 0, 1)


def scheduled_inputs(
    params: dict,
    cfg: ModelConfig,
    vocab_sizes: tuple[int, ...],
    e: jax.Array,
    inputs: jax.Array,
    key: jax.Array,
    probability,
) -> jax.Array:
    """The inputs of scheduled sampling (Bengio et al., 2015): each but the first is, with the given
    probability, a draw of the model itself.

    inputs [N, S, K] are the true previous tokens. No gradient flows through draws, so running
    `logits` on the result gives the exact gradient, by the fast path. One draw for all streams of a
    step, independent over examples and steps (magenta.md 2.11).
    """
    weights = prepare(params, cfg, vocab_sizes)
    constant, states = start(weights, cfg, e)

    def body(carry, xs):
        states, drawn_tm1 = carry
        t, true_t = xs
        key_t = jax.random.fold_in(key, t)
        use_own = jax.random.bernoulli(
            jax.random.fold_in(key_t, 0), probability, true_t.shape[:1]
        ) & (t > 0)
        inputs_t = jnp.where(use_own[:, None], drawn_tm1, true_t)
        states, step_logits = step(weights, cfg, vocab_sizes, constant, states, inputs_t)
        return (
            states,
            streams.draw(jax.random.fold_in(key_t, 1), step_logits, vocab_sizes, 1.0),
        ), inputs_t

    xs = (jnp.arange(cfg.steps), jnp.swapaxes(inputs, 0, 1))
    _, used = lax.scan(body, (states, xs[1][0]), xs)
    return lax.stop_gradient(jnp.swapaxes(used, 0, 1))
