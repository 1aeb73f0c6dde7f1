"""StableHLO that was written and read again computes what the model does."""

import os

import jax
import numpy as np
import pytest
from run_maker import lively, tiny_model

pytest.importorskip('flatbuffers', reason='no flatbuffers, by which jax.export writes')
stablehlo = pytest.importorskip('mvae.interop.stablehlo')


@pytest.mark.parametrize(
    ('form', 'bars', 'variant', 'bar_codes'),
    [('melody', 2, 'flat', False), ('trio', 4, 'hier', False), ('trio', 4, 'hier', True)],
)
def test_a_round_trip_gives_the_same_numbers(form, bars, variant, bar_codes, tmp_path):
    model = lively(tiny_model(form, bars, variant, bar_codes=bar_codes))
    stablehlo.write(model, tmp_path / 'xla')
    generate, encode = (
        jax.export.deserialize(bytearray((tmp_path / 'xla' / f'{name}.stablehlo').read_bytes()))
        for name in ('generate', 'encode')
    )
    z = np.random.default_rng(0).standard_normal((5, model.latent_size)).astype(np.float32)
    if bar_codes:
        codes = z.reshape(5, bars, -1)
        codes[:, 3] = codes[:, 1]
    for heat, seed in ((0.0, 0), (1.0, 7), (0.5, 2**32 - 1)):
        tokens = np.asarray(generate.call(z, np.uint32(seed), np.float32(heat)))
        np.testing.assert_array_equal(tokens, model.decode_tokens(z, heat, seed))
    for found, own in zip(encode.call(tokens), model.posterior(tokens), strict=True):
        np.testing.assert_allclose(found, own, atol=1e-5)


def test_a_decoder_alone_has_no_encode(tmp_path):
    model = tiny_model('melody', 2, 'flat')
    del model.params['encoder']
    said = stablehlo.write(model, tmp_path / 'xla')
    assert said.startswith('generate.stablehlo, ')
    assert sorted(os.listdir(tmp_path / 'xla')) == ['generate.stablehlo', 'prior.json']
