"""Networks with weights from a formula, and what Magenta's code computed with them in float32."""

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvae.interop import names
from mvae.model import vae
from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical, Groove, Nade

Z = np.array([[0.5, -1.0], [1.5, 0.25]], np.float32)


def formula_params(cfg: ModelConfig):
    """Element i of the k-th tensor, by Magenta's names in byte order, is

    3 (((1103 i + 37 i^2 + 613 k + 97) mod 1009) / 1009 - 1/2).
    """
    like = jax.eval_shape(lambda: vae.init(jax.random.key(0), cfg))
    flat = names.flatten(like)
    theirs = {name: flat[ours].shape for ours, name in names.magenta_names(flat, cfg).items()}
    tensors = {}
    for k, name in enumerate(sorted(theirs, key=lambda name: f'{name}:0')):
        i = np.arange(np.prod(theirs[name]), dtype=np.int64)
        values = 3 * (((1103 * i + 37 * i**2 + 613 * k + 97) % 1009) / 1009 - 0.5)
        tensors[name] = jnp.asarray(values.reshape(theirs[name]), jnp.float32)
    return names.from_magenta(tensors, like, cfg)


def reconstruction(params, cfg, z, tokens):
    (logits,) = compiled.decode_logits(params, cfg, z, (tokens,))
    return vae.heads_of(params, cfg)[0].loss(logits, tokens).sum(1), logits


def test_flat_with_two_lengths():
    """The second example has three steps, so each runs on its own."""
    mu, sigma = (
        [[0.706019, -0.310745], [0.046680, -0.183539]],
        [[0.282949, 0.747759], [0.583177, 0.768641]],
    )
    for n, (tokens, kl, loss) in enumerate(
        [([2, 0, 1, 4], 1.170277, 8.006939), ([3, 3, 0], 0.285781, 7.641844)]
    ):
        cfg = ModelConfig((Categorical(5),), 1, len(tokens), (3,), 2, (4, 3))
        params, rows = formula_params(cfg), jnp.array(tokens)[None, :, None]
        q = compiled.encode(params, cfg, (rows,))
        np.testing.assert_allclose(q.mu[0], mu[n], atol=1e-5)
        np.testing.assert_allclose(q.sigma[0], sigma[n], atol=1e-5)
        np.testing.assert_allclose(vae.kl_divergence(q).sum(), kl, atol=1e-5)
        ours, logits = reconstruction(params, cfg, Z[n : n + 1], rows)
        np.testing.assert_allclose(ours[0], loss, atol=1e-5)
        if n == 0:
            np.testing.assert_allclose(
                logits[0, 0], [-0.442801, 1.472466, 0.807804, -0.409677, -1.469527], atol=1e-5
            )
            (greedy,) = compiled.generate(params, cfg, jnp.asarray(Z), jax.random.key(0), 0.0)
            np.testing.assert_array_equal(greedy, np.ones((2, 4, 1)))


HIERARCHIES = {
    'hierdec': (
        False,
        [[-1.460012, -1.056163], [-1.694454, -1.162263]],
        [[0.227606, 0.437146], [0.158911, 0.343996]],
        [3.052636, 4.089344],
    ),
    'hier': (
        2,
        [[-0.576583, 0.287325], [-0.862008, 0.236979]],
        [[0.832143, 0.985486], [0.675443, 0.990080]],
        [0.237696, 0.520205],
    ),
}


@pytest.mark.parametrize('name', HIERARCHIES)
def test_hierarchies(name):
    encoder_bars, mu, sigma, kl = HIERARCHIES[name]
    cfg = ModelConfig((Categorical(5),), 2, 3, (3,), 2, (4, 3), (4, 3), encoder_bars=encoder_bars)
    params, tokens = (
        formula_params(cfg),
        jnp.array([[2, 0, 1, 4, 3, 0], [3, 3, 0, 2, 1, 1]])[..., None],
    )
    q = compiled.encode(params, cfg, (tokens,))
    np.testing.assert_allclose(q.mu, mu, atol=1e-5)
    np.testing.assert_allclose(q.sigma, sigma, atol=1e-5)
    np.testing.assert_allclose(vae.kl_divergence(q).sum(-1), kl, atol=1e-5)
    np.testing.assert_allclose(
        reconstruction(params, cfg, Z, tokens)[0], [11.155782, 10.613997], atol=1e-5
    )
    (greedy,) = compiled.generate(params, cfg, jnp.asarray(Z), jax.random.key(0), 0.0)
    np.testing.assert_array_equal(greedy[..., 0], [[2, 2, 2, 2, 1, 2]] * 2)


def test_a_groove_of_two_drums():
    """Hits, velocities and offsets of the two at every step, in thousandths."""
    cfg = ModelConfig((Groove((2, 2, 1001, 1001, 2001, 2001)),), 1, 4, (3,), 2, (4,))
    values = np.zeros((2, 4, 6), int)
    values[0, 0] = 1, 0, 630, 0, 100, 0
    values[0, 2] = 1, 1, 500, 800, 2001 - 200, 300
    values[1, 1] = 0, 1, 0, 900, 0, 2001 - 400
    values[1, 3] = 1, 0, 1000, 0, 0, 0
    params, values = formula_params(cfg), jnp.asarray(values)
    q = compiled.encode(params, cfg, (values,))
    mu, sigma = (
        [-0.830094, -0.503667, -0.643015, -0.049629],
        [0.340903, 0.946380, 0.563375, 0.664208],
    )
    np.testing.assert_allclose(q.mu.ravel(), mu, atol=1e-5)
    np.testing.assert_allclose(q.sigma.ravel(), sigma, atol=1e-5)
    np.testing.assert_allclose(vae.kl_divergence(q).sum(-1), [1.108562, 0.570217], atol=1e-5)
    loss, logits = reconstruction(params, cfg, Z, values)
    np.testing.assert_allclose(loss, [12.805699, 10.393026], atol=1e-5)
    first = [-1.536188, 0.671654, 0.845420, 0.802394, -0.658564, 0.374730]
    np.testing.assert_allclose(logits[0, 0], first, atol=1e-5)
    (greedy,) = compiled.generate(params, cfg, jnp.asarray(Z), jax.random.key(0), 0.0)
    played = np.concatenate(cfg.heads[0].numbers(greedy), -1)[0, 0]
    np.testing.assert_allclose(played, [0, 1, 0.699606, 0.690486, -0.577407, 0.358122], atol=5e-4)


def test_nade_of_four_drums():
    """The first drum is the lowest bit."""
    cfg = ModelConfig((Nade((16,), 3),), 1, 4, (3,), 2, (4,))
    params, values = formula_params(cfg), jnp.array([[9, 0, 3, 4], [2, 1, 0, 15]])[..., None]
    q = compiled.encode(params, cfg, (values,))
    mu, sigma = (
        [-0.110939, 0.017567, 0.135739, 0.161392],
        [0.559649, 0.826339, 0.336934, 0.758440],
    )
    np.testing.assert_allclose(q.mu.ravel(), mu, atol=1e-5)
    np.testing.assert_allclose(q.sigma.ravel(), sigma, atol=1e-5)
    np.testing.assert_allclose(vae.kl_divergence(q).sum(-1), [0.275525, 0.730975], atol=1e-5)
    loss, logits = reconstruction(params, cfg, Z, values)
    np.testing.assert_allclose(loss, [14.483379, 15.229335], atol=1e-5)
    first = [0.276056, 0.124718, 1.583266, -0.897912, 0.137523, 1.369894, -0.124103]
    np.testing.assert_allclose(logits[0, 0], first, atol=1e-5)
    (greedy,) = compiled.generate(params, cfg, jnp.asarray(Z), jax.random.key(0), 0.0)
    np.testing.assert_array_equal(greedy[..., 0], [[14, 6, 6, 6], [14] * 4])
