"""Encoder and decoder as ONNX give in onnxruntime what they give here, token for token."""

import json
import os
from types import SimpleNamespace

import compiled
import jax
import numpy as np
import pytest
from run_maker import lively, tiny_model

import mvae
from mvae.errors import InputError
from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical, Columns
from mvae.music.notation import Notation

onnx = pytest.importorskip('onnx', reason='no onnx')
runtime = pytest.importorskip('onnxruntime', reason='no onnxruntime')
onnx_model = pytest.importorskip('mvae.interop.onnx_model')

DEEP = {'encoder_sizes': (12, 10), 'conductor_sizes': (16, 12)}
MODELS = {
    'flat melody': ('melody', 2, 'flat', {}),
    'flat drums': ('drums', 2, 'flat', {}),
    'flat drums without a roll': ('drums', 2, 'flat', {'drum_roll_input': False}),
    'flat trio': ('trio', 2, 'flat', DEEP),
    'a decoder by bars': ('trio', 4, 'hierdec', DEEP | {'bar_codes': False}),
    'an encoder by bars': ('melody', 4, 'hierenc', DEEP | {'bar_codes': False}),
    'both': ('trio', 4, 'hier', DEEP | {'bar_codes': False}),
    'codes of bars': ('trio', 4, 'hier', DEEP),
    'codes of bars, read alone': ('melody', 4, 'hierenc', {}),
    'codes of bars, written alone': ('melody', 4, 'hierdec', {}),
}


@pytest.fixture(params=MODELS)
def model(request):
    form, bars, variant, settings = MODELS[request.param]
    return lively(tiny_model(form, bars, variant, **settings))


def _run(graph, **inputs):
    onnx.checker.check_model(graph, full_check=True)
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(graph.SerializeToString(), options).run(None, inputs)


def _compare(model, z):
    """Returns how many greedy tokens differ, of how many."""
    ours = model.decode_tokens(z)
    (tokens,) = _run(onnx_model.decoder(model), z=z)
    assert tokens.shape == ours.shape and tokens.dtype == np.int32
    mu, sigma = _run(onnx_model.encoder(model), tokens=ours)
    for found, own in zip((mu, sigma), model.posterior(ours), strict=True):
        np.testing.assert_allclose(found, own, atol=2e-5, rtol=2e-5)
    print(f'{model.form}: {(tokens != ours).sum()} of {ours.size} greedy tokens differ')
    return int((tokens != ours).sum()), ours.size


def _codes(model, n=6):
    return np.random.default_rng(0).standard_normal((n, model.latent_size)).astype(np.float32)


def test_tokens_mu_and_sigma_are_those_of_jax(model):
    z = _codes(model)
    assert len(np.unique(model.decode_tokens(z), axis=0)) == len(z), 'z decides the music'
    assert _compare(model, z)[0] == 0
    assert _compare(model, z[:1])[0] == 0, 'of any batch'


def test_bars_with_the_same_code_are_played_alike():
    model = lively(tiny_model('trio', 4, 'hier', **DEEP))
    z = _codes(model).reshape(6, 4, 3, -1)
    z[:3, 3] = z[:3, 1]
    z[1:, 2, 0] = z[1:, 0, 0]
    z[2, 1] = z[2, 0] + 0.0008  # equal to the bar before but for rounding, and so on
    z[2, 2] = z[2, 1] + 0.0008
    z = z.reshape(6, -1)
    ours = model.decode_tokens(z).reshape(6, 4, 16, 3)
    np.testing.assert_array_equal(ours[:2, 3], ours[:2, 1])
    assert _compare(model, z)[0] == 0


@pytest.mark.parametrize('name', ['mel2', 'drum2', 'mel16', 'drum16', 'trio16'])
def test_released_models_give_the_same_tokens(name):
    model = mvae.load(name)
    z = model.priors['fitted'].draw(8, 0)
    differ, of = _compare(model, z)
    assert differ <= of / 1000, 'a near tie may turn, and greedy decoding goes on from there'


def test_streams_of_several_columns():
    head, sizes = Columns((Categorical(5), Categorical(3))), (5, 3)
    cfg = ModelConfig((head,), 2, 4, (6,), 4, (7, 5), (6,), encoder_bars=2)
    form = SimpleNamespace(
        name='pair', bars=2, steps_per_bar=4, steps=8, sizes=sizes, streams=[],
        layout=(('columns', sizes),),
    )  # fmt: skip
    config = SimpleNamespace(music=Notation())
    params = compiled.init(jax.random.key(0), cfg)
    params = jax.tree.map(lambda x: 2 * np.asarray(x) + 0.1, params)
    model = SimpleNamespace(architecture=cfg, form=form, config=config, params=params)
    z = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    (ours,) = compiled.generate(params, cfg, z, jax.random.key(0), 0.0)
    np.testing.assert_array_equal(_run(onnx_model.decoder(model), z=z)[0], ours)
    found = _run(onnx_model.encoder(model), tokens=np.asarray(ours))
    for a, b in zip(found, compiled.encode(params, cfg, [ours]), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_folder(tmp_path):
    model = lively(tiny_model('melody', 2, 'hier'))
    said = onnx_model.write(model, tmp_path / 'onnx')
    assert said.startswith('decoder.onnx and encoder.onnx')
    assert sorted(os.listdir(tmp_path / 'onnx')) == ['decoder.onnx', 'encoder.onnx', 'prior.json']
    graph = onnx.load(tmp_path / 'onnx/decoder.onnx')
    about = {one.key: one.value for one in graph.metadata_props}
    assert (about['form'], about['bars'], about['steps_per_bar']) == ('melody', '2', '16')
    assert json.loads(about['streams']) == [{'name': 'melody', 'sizes': [130]}]
    del model.params['encoder']
    onnx_model.write(model, tmp_path / 'part')
    assert not (tmp_path / 'part/encoder.onnx').exists()
    with pytest.raises(InputError, match='exists and is not empty'):
        onnx_model.write(model, tmp_path / 'onnx')
