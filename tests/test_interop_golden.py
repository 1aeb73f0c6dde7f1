"""Magenta's numbers, reproduced from its checkpoints.

They are posterior, losses, logits, gradients, three Adam steps and greedy decoding.
"""

import dataclasses

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from magenta_numbers import (
    CHECKPOINTS,
    SHARED,
    folder,
    is_groove,
    is_percussion,
    needs_shared,
    numbers_of,
    tokens_of,
    told_of,
)
from run_maker import tiny_model

from mvae.errors import InputError
from mvae.interop import magenta, names, npz
from mvae.interop.configs import CONFIGS
from mvae.interop.tensors import Spec
from mvae.model import vae
from mvae.model.objective import kl_cost
from mvae.training.step import make_optimizer


@pytest.fixture(scope='module', params=CHECKPOINTS)
def golden(request):
    """(model, fixtures, tokens [B, T, K])."""
    place = folder(request.param)
    model = magenta.load(place / f'{request.param}.ckpt').model
    fixtures = np.load(place / 'fixtures.npz')
    own = tokens_of(fixtures['x_output'], model.form)
    return model, fixtures, model.form.join([own, *told_of(fixtures['controls'], model.form)])


def _groups(model, fixtures, tokens):
    """Examples of one length together, each group with the config of its length.

    A flat model reads shorter windows too. Segments that end say so themselves.
    """
    if fixtures['length'].ndim > 1:
        parts = model.form.split(tokens), model.form.told(tokens)
        yield np.arange(len(tokens)), model.architecture, parts
        return
    for length in np.unique(fixtures['length']):
        rows, cfg = np.flatnonzero(fixtures['length'] == length), model.architecture
        if not cfg.hierarchical:
            cfg = dataclasses.replace(cfg, steps=int(length))
        own = tokens[rows, :length]
        yield rows, cfg, (model.form.split(own), model.form.told(own))


def _forward(params, cfg, parts, eps):
    """Per example: posterior, KL, reconstruction loss; and all logits [B, T, sum of V_k]."""
    streams, told = parts
    q = compiled.encode(params, cfg, streams, told)
    logits = compiled.decode_logits(params, cfg, q.mu + q.sigma * eps, streams, told)
    parts = zip(vae.heads_of(params, cfg), logits, streams, strict=True)
    reconstruction = sum(head.loss(block, values).sum(1) for head, block, values in parts)
    return q, vae.kl_divergence(q).sum(-1), reconstruction, jnp.concatenate(logits, -1)


def _loss(params, model, fixtures, tokens):
    """Magenta's loss over the batch at step 100."""
    t = model.config.training
    beta = (1 - t.beta_rate**100) * t.max_beta
    total = 0.0
    for rows, cfg, own in _groups(model, fixtures, tokens):
        _, kl, reconstruction, _ = _forward(params, cfg, own, fixtures['eps'][rows])
        total += (reconstruction + beta * kl_cost(kl, t.free_bits)).sum()
    return total / len(tokens)


def test_posterior_losses_and_logits(golden):
    model, fixtures, tokens = golden
    for rows, cfg, own in _groups(model, fixtures, tokens):
        q, kl, reconstruction, logits = _forward(model.params, cfg, own, fixtures['eps'][rows])
        np.testing.assert_allclose(q.mu, fixtures['mu'][rows], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(q.sigma, fixtures['sigma'][rows], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(kl, fixtures['kl_div'][rows], rtol=1e-5)
        np.testing.assert_allclose(reconstruction, fixtures['r_loss'][rows], rtol=1e-5)
        expected = fixtures['logits'][rows, : cfg.total_steps]
        heads = zip(cfg.heads, own[0], strict=True)
        there = np.logical_and.reduce([head.counts(values) for head, values in heads])
        assert np.abs((logits - expected)[there]).max() <= 2e-5 * np.abs(fixtures['logits']).max()
    np.testing.assert_allclose(
        _loss(model.params, model, fixtures, tokens), fixtures['loss'], rtol=1e-5
    )


def test_gradients_and_three_steps_of_adam(golden):
    model, fixtures, tokens = golden
    gradient_of = jax.jit(jax.value_and_grad(lambda params: _loss(params, model, fixtures, tokens)))
    params, t = jax.tree.map(jnp.asarray, model.params), model.config.training
    optimizer = make_optimizer(t)
    state = optimizer.init(params)
    assert int(fixtures['global_step']) == 100

    def is_schedule(x):
        return isinstance(x, optax.ScaleByScheduleState)

    state = jax.tree.map(
        lambda x: x._replace(count=x.count + 100) if is_schedule(x) else x,
        state,
        is_leaf=is_schedule,
    )
    for n in range(3):
        _, gradients = gradient_of(params)
        if n == 0:
            norm = optax.global_norm(gradients)
            np.testing.assert_allclose(norm, fixtures['grad_norm'], rtol=1e-4)
            for name, ours in names.to_magenta(gradients, model.architecture).items():
                expected = fixtures[f'grad/{name}']
                error = np.linalg.norm(ours * min(1.0, t.clip_norm / float(norm)) - expected)
                assert error <= 1e-4 * np.linalg.norm(expected), name
        updates, state = optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(
        _loss(params, model, fixtures, tokens), fixtures['after3/loss'], rtol=1e-4
    )
    for name, ours in names.to_magenta(
        params, model.architecture
    ).items():  # TensorFlow's Adam scales its epsilon with the bias correction
        np.testing.assert_allclose(
            (ours.astype(np.float64) ** 2).sum(),
            fixtures[f'after3_sumsq/{name}'],
            rtol=5e-4,
            err_msg=name,
        )


def test_greedy_decoding_token_for_token(golden):
    model, fixtures, _ = golden
    told = {
        condition.name: told_of(fixtures['dec_controls'], model.form)[0]
        for condition in model.form.conditions
    }
    drawn = np.concatenate(model.form.split(model.decode_tokens(fixtures['dec_z'], told=told)), -1)
    if is_groove(model.form):
        numbers, expected = numbers_of(drawn), fixtures['greedy_samples']
        np.testing.assert_array_equal(numbers[..., :9], expected[..., :9])
        np.testing.assert_allclose(numbers, expected, atol=1e-4)
        return
    if is_percussion(model.form):
        assert fixtures['greedy_gap'].min() > 1e-4  # no class may go either way
        expected = tokens_of(fixtures['greedy_samples'], model.form)
        np.testing.assert_array_equal(drawn, expected)
        return
    expected, start = tokens_of(fixtures['greedy_samples'], model.form), 0
    for k, size in enumerate(head.out_width for head in model.architecture.heads):
        top = np.sort(fixtures['greedy_logits'][..., start : start + size], -1)
        start += size
        for row, certain in enumerate((top[..., -1] - top[..., -2]) >= 1e-5):
            end = (
                len(certain) if certain.all() else int(certain.argmin())
            )  # a near tie may go either way, and all that follows with it
            np.testing.assert_array_equal(drawn[row, :end, k], expected[row, :end, k])
    assert drawn.shape == expected.shape


@needs_shared
def test_optimizer_slots_are_skipped_and_counted():
    """The sums of the weights after the three steps, when the checkpoint with slots was saved."""
    name = 'cat-drums_2bar_small'
    imported = magenta.load(SHARED / name / f'{name}-with-adam.ckpt')
    fixtures = np.load(folder(name) / 'fixtures.npz')
    assert imported.skipped == 35
    theirs = names.to_magenta(imported.model.params, imported.model.architecture)
    for name, values in theirs.items():
        np.testing.assert_allclose(
            values.astype(np.float64).sum(), fixtures[f'after3_sum/{name}'], rtol=1e-6, atol=1e-9
        )


def test_nade_is_recognised_written_and_read_again(tmp_path):
    """Of 9 and of 61 drums, by names and shapes alone."""
    for form, experiment in (('drums', 'nade2'), ('percussion', 'percussion2')):
        model = tiny_model(form, 2, 'flat', drums='nade')
        npz.write(model, tmp_path / f'{form}.npz')
        again = magenta.load(tmp_path / f'{form}.npz').model
        assert again.config.experiment == experiment and again.architecture.heads[0].hidden == 8
        for own, other in zip(*map(jax.tree.leaves, (model.params, again.params)), strict=True):
            np.testing.assert_array_equal(own, other)
    with pytest.raises(InputError, match='drums by NADE, not cat-drums_2bar_small, a flat'):
        magenta.load(tmp_path / 'drums.npz', 'cat-drums_2bar_small')
    specs = {'decoder/nade/w_enc': (12, 1, 8), 'decoder/output_projection/kernel': (4, 20)}
    specs = {name: Spec(shape, np.dtype('<f4')) for name, shape in specs.items()}
    with pytest.raises(InputError, match=r'shape \[12, 1, 8\]; NADE is of 9 or 61 drums'):
        magenta.describe(specs, 'x')
    together = tiny_model('trio', 2, 'flat', drums='nade')
    with pytest.raises(InputError, match='train one by --variant hierdec'):
        npz.write(together, tmp_path / 'trio.npz')


FULL_SIZE = {
    'cat-mel_2bar_small': 4_423_770,
    'cat-mel_2bar_big': 134_571_098,
    'cat-drums_2bar_small': 4_636_672,
    'cat-drums_2bar_big': 137_582_080,
    'nade-drums_2bar_reduced': 13_819_273,
    'nade-drums_2bar_full': 14_391_741,
    'flat-trio_16bar': 251_279_028,
    'flat-mel_16bar': 235_250_778,
    'hierdec-mel_16bar': 176_061_530,
    'hierdec-trio_16bar': 230_975_156,
    'hier-mel_16bar': 72_547_418,
    'hier-trio_16bar': 122_529_460,
    'hier-multiperf_vel_1bar_med': 55_638_506,
    'hier-multiperf_vel_1bar_big': 204_598_762,
    'hier-multiperf_vel_1bar_med_chords': 56_140_266,
    'hier-multiperf_vel_1bar_big_chords': 205_602_282,
    'groovae_4bar': 4_085_019,
    'groovae_2bar_humanize': 4_085_019,
    'groovae_2bar_tap_fixed_velocity': 4_085_019,
    'groovae_2bar_tap_fixed_velocity_note_dropout': 4_085_019,
    'groovae_2bar_add_closed_hh': 4_085_019,
    'groovae_2bar_hits_control_tfds': 4_131_099,
    'cat-mel_2bar_med_chords': 17_478_234,
}


def _full_size_shapes(name):
    shapes = {}
    for line in (SHARED / 'full-size-variables' / f'{name}.variables.txt').read_text().splitlines():
        if '\t' in line and not line.startswith(('#', 'global_step')):
            variable, shape = line.split('\t')[:2]
            shapes[variable] = tuple(int(n) for n in shape.strip('[] ').split(',') if n.strip())
    return shapes


@needs_shared
@pytest.mark.parametrize('name', sorted(FULL_SIZE))
def test_full_size_names_shapes_and_totals(name):
    """Abstractly: nothing of these hundreds of millions is allocated."""
    shapes = _full_size_shapes(name)
    found = magenta.describe(
        {variable: Spec(shape, np.dtype('<f4')) for variable, shape in shapes.items()}, name
    )
    assert found.magenta_shapes() == shapes
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == FULL_SIZE[name]
    assert (found.config.variant, found.config.form) == (CONFIGS[name].variant, CONFIGS[name].form)


@needs_shared
@pytest.mark.parametrize('file', ['hier-multiperf_vel_1bar_med', 'model.ckpt'])
def test_models_told_what_none_is_told_are_refused(file):
    """As a band of chords, but told 25 chords and 12 keys in place of 49 chords."""
    specs = {}
    for variable, shape in _full_size_shapes('hier-multiperf_vel_1bar_med_chords').items():
        told = variable.endswith('cell_0/lstm_cell/kernel') and shape[0] > 49 + 490
        shape = (shape[0] - 49 + 37, *shape[1:]) if told else shape
        specs[variable] = Spec(shape, np.dtype('<f4'))
    with pytest.raises(InputError, match='is told 37 numbers .* which mvae does not have'):
        magenta.describe(specs, file)


@pytest.mark.gpu
def test_gpu_and_cpu_agree(golden):
    """float32 throughout: a GPU would otherwise multiply with the 10 bits of TF32."""
    model, fixtures, tokens = golden
    logits = []
    with jax.default_matmul_precision('highest'):
        for device in (jax.devices('cpu')[0], jax.devices('gpu')[0]):
            parts = model.params, fixtures['z'], model.form.split(tokens), model.form.told(tokens)
            params, z, streams, told = jax.device_put(parts, device)
            blocks = compiled.decode_logits(params, model.architecture, z, streams, told)
            logits.append(np.concatenate(jax.device_get(blocks), -1))
    np.testing.assert_allclose(*logits, atol=1e-4)
