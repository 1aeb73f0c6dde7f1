"""Settings that cannot be are said by their names, before anything is built from them."""

import pytest
from run_maker import tiny_config

from mvae.commands import experiments
from mvae.config import SCALES
from mvae.errors import InputError
from mvae.runs import settings


@pytest.mark.parametrize('name', experiments.files())
def test_all_our_experiments_have_settings_that_can_be(name):
    for scale in SCALES:
        config = experiments.load(name, None, scale)
        assert settings.check(config) is None, 'or it says what cannot be'


@pytest.mark.parametrize('path, value', [
    ('bars', 0), ('bars', 10**9), ('variant', 'hierarchical'), ('seed', -1), ('seed', 2**32),
    ('model.encoder_sizes', (24, 0)), ('model.encoder_sizes', (10**6,)),
    ('model.decoder_sizes', ()), ('model.latent_size', 0), ('model.dtype', 'float64'),
    ('model.initial_sigma', float('nan')), ('data.drop_drums', 1.0), ('data.transpose', (0,)),
    ('training.batch_size', 0), ('training.learning_rate', float('inf')), ('logging.every', 0),
    ('prior.windows', 0), ('prior.width', 0), ('prior.layers', 0), ('prior.heads', 0),
])  # fmt: skip
def test_what_cannot_be_is_named(path, value):
    config = tiny_config('melody', 2, 'flat')
    settings.check(config)
    config.update_from_flattened_dict({path: value})
    with pytest.raises(InputError, match=f'out of its range: .*--config.{path}') as error:
        settings.check(config)
    assert '\n' not in str(error.value)


def test_heads_share_the_width_of_the_prior():
    config = tiny_config('melody', 2, 'flat')
    config.prior.width, config.prior.heads = 48, 3
    settings.check(config)
    config.prior.heads = 5
    with pytest.raises(InputError, match='--config.prior.width 48 is no multiple of prior.heads 5'):
        settings.check(config)


def test_settings_that_are_gone_are_left_out_and_no_others():
    config = tiny_config('melody', 2, 'flat').to_dict()
    gone = {'model': {'delay_lines': True}, 'training': {'bars_rate': 0.1, 'unknown': 1}}
    old = {name: values | gone[name] if name in gone else values for name, values in config.items()}
    found = settings.without_gone(old)
    assert found['training'].pop('unknown') == 1 and found == config
    assert settings.without_gone({'model': 3}) == {'model': 3}


@pytest.mark.parametrize('text, why', [
    ('def get_config(', 'SyntaxError'),
    ('x = 1', "KeyError: 'get_config'"),
    ('def get_config(scale):\n    return 3', 'gives int, not a ConfigDict'),
    ('def get_config(scale):\n    return 1 / 0', 'line 2 does not run: ZeroDivisionError'),
    ('from mvae.config import base_config\n\ndef get_config(scale):\n    c = base_config()\n'
     '    c.bars = -1\n    return c', 'out of its range: .*--config.bars'),
])  # fmt: skip
def test_an_experiment_of_ones_own_that_does_not_run_is_one_line(tmp_path, text, why):
    (tmp_path / 'mine.py').write_text(text)
    with pytest.raises(InputError, match=why):
        experiments.load(str(tmp_path / 'mine.py'), None, 'tiny')
