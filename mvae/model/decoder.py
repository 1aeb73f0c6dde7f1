"""The autoregressive decoder: an embedding -> tokens. Flat models run one over the whole window, hierarchical ones one per stream and bar.

Each step reads the previous token of its streams and the embedding, which also makes the initial state (paper section 3.2; magenta.md 2.7).
"""

import jax
import jax.numpy as jnp
from jax import lax

from mvae.config import ModelConfig
from mvae.model import dense, lstm, streams


def init(key: jax.Array, cfg: ModelConfig, vocab_sizes: tuple[int, ...], embedding_size: int) -> dict:
    """{'initial_state': dense, 'layers': [lstm, ...], 'output': dense}; one output block per stream."""
    sizes = cfg.decoder_sizes
    keys = jax.random.split(key, len(sizes) + 2)
    widths = (sum(vocab_sizes) + embedding_size, *sizes[:-1])
    return {
        'initial_state': dense.init_initial_states(keys[0], embedding_size, sizes, cfg.bottleneck_stddev),
        'layers': [lstm.init(k, i, s) for k, i, s in zip(keys[1:-1], widths, sizes, strict=True)],
        'output': dense.init(keys[-1], sizes[-1], sum(vocab_sizes)),
    }


def _first_layer(params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(kernel rows of the previous tokens, the embedding's projection with the bias [N, 4H]): the latter is the same at every step."""
    kernel, _ = lstm.split_kernel(params['layers'][0], cfg.dtype)
    width = sum(vocab_sizes)
    fixed = jnp.matmul(e.astype(cfg.dtype), kernel[width:], preferred_element_type=jnp.float32)
    return kernel[:width], fixed + params['layers'][0]['bias']


def logits(params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array, inputs: jax.Array) -> jax.Array:
    """Teacher forcing, layer by layer over all steps: e [N, E], inputs (previous tokens) [N, S, K] -> float32 [N, S, sum of V_k]."""
    token_kernel, fixed = _first_layer(params, cfg, vocab_sizes, e)
    x = streams.project_tokens(token_kernel, jnp.swapaxes(inputs, 0, 1), vocab_sizes).swapaxes(1, 2)
    states = dense.initial_states(params['initial_state'], e, cfg.decoder_sizes, cfg.dtype)
    for n, (p, state) in enumerate(zip(params['layers'], states, strict=True)):
        input_kernel, recurrent_kernel = lstm.split_kernel(p, cfg.dtype)
        x, constant = (lstm.project(x, input_kernel), p['bias'][:, None]) if n else (x, fixed.T)
        x, _ = lstm.unroll(x, constant, state, recurrent_kernel)
    return dense.apply_first(params['output'], x, cfg.dtype).transpose(2, 1, 0)


def make_step(params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array):
    """(initial states, step) for running one token at a time on embeddings e [N, E]; features come first in the states.

    step(states, inputs [N, K]) -> (states, logits [N, sum of V_k]).
    """
    token_kernel, fixed = _first_layer(params, cfg, vocab_sizes, e)
    kernels_t = [[kernel.T for kernel in lstm.split_kernel(p, cfg.dtype)] for p in params['layers']]

    def step(states, inputs):
        input_t = (streams.project_tokens(token_kernel, inputs, vocab_sizes) + fixed).T
        new_states = []
        for n, (p, (input_kernel_t, recurrent_t), state) in enumerate(zip(params['layers'], kernels_t, states, strict=True)):
            if n:
                input_t = lstm.matmul(input_kernel_t, new_states[-1].h, cfg.dtype) + p['bias'][:, None]
            new_states.append(lstm.step(input_t, state, recurrent_t))
        return new_states, dense.apply_first(params['output'], new_states[-1].h, cfg.dtype).T

    return dense.initial_states(params['initial_state'], e, cfg.decoder_sizes, cfg.dtype), step


def generate(
    params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array, first: jax.Array, key: jax.Array, temperature
) -> jax.Array:
    """Free-running: each step reads the token drawn before. e [N, E], first input [N, K] -> int32 [N, S, K]."""
    states, step = make_step(params, cfg, vocab_sizes, e)

    def body(carry, t):
        states, inputs = carry
        states, step_logits = step(states, inputs)
        tokens = streams.draw(jax.random.fold_in(key, t), step_logits, vocab_sizes, temperature)
        return (states, tokens), tokens

    _, tokens = lax.scan(body, (states, first), jnp.arange(cfg.steps))
    return jnp.swapaxes(tokens, 0, 1)


def scheduled_inputs(
    params: dict, cfg: ModelConfig, vocab_sizes: tuple[int, ...], e: jax.Array, inputs: jax.Array, key: jax.Array, probability
) -> jax.Array:
    """The inputs of scheduled sampling (Bengio et al., 2015): each but the first is, with the given probability, a draw of the model itself.

    inputs [N, S, K] are the true previous tokens. No gradient flows through draws, so running `logits` on the result gives the exact gradient,
    by the fast path. One draw for all streams of a step, independent over examples and steps (magenta.md 2.11).
    """
    states, step = make_step(params, cfg, vocab_sizes, e)

    def body(carry, xs):
        states, drawn_tm1 = carry
        t, true_t = xs
        key_t = jax.random.fold_in(key, t)
        use_own = jax.random.bernoulli(jax.random.fold_in(key_t, 0), probability, true_t.shape[:1]) & (t > 0)
        inputs_t = jnp.where(use_own[:, None], drawn_tm1, true_t)
        states, step_logits = step(states, inputs_t)
        return (states, streams.draw(jax.random.fold_in(key_t, 1), step_logits, vocab_sizes, 1.0)), inputs_t

    xs = (jnp.arange(cfg.steps), jnp.swapaxes(inputs, 0, 1))
    _, used = lax.scan(body, (states, xs[1][0]), xs)
    return lax.stop_gradient(jnp.swapaxes(used, 0, 1))
