"""The benchmarks count right and their programs answer; how fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / 'benchmarks'))
import gpu
import program
import works
from midi_maker import song

from mvae.dataset.build import BuildSettings, build_store
from mvae.model import vae
from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical
from mvae.music.extract import ExtractSettings

TINY = ModelConfig((Categorical(5), Categorical(3)), 2, 4, (6, 6), 3, (7,), conductor_sizes=(2,))


def _weights_used(tree, name: str = '') -> int:
    """Multiply-adds if every kernel of the tree were used once."""
    if isinstance(tree, dict):
        return sum(_weights_used(v, k) for k, v in tree.items())
    return (
        sum(map(_weights_used, tree))
        if isinstance(tree, list)
        else (tree.size if name == 'kernel' else 0)
    )


def test_operations_are_those_of_the_kernels():
    """Each kernel is used once per step, bar or window.

    Rows that tokens look up cost nothing, and the conductor reads zeros.
    """
    params = vae.init(jax.random.key(0), TINY)
    enc, steps, bars = params['encoder'], 8, 2
    lookups = 2 * (5 + 3) * 4 * 6
    encoder = (
        steps * (_weights_used(enc['layers']) - lookups)
        + _weights_used(enc['mu'])
        + _weights_used(enc['sigma'])
    )
    conductor = _weights_used(params['conductor']['initial_state']) + bars * (
        _weights_used(params['conductor']['layers']) - 4 * 2
    )
    decoders = 0
    for p, vocab in zip(params['decoders'], (5, 3), strict=True):
        embedding = 2 * 4 * 7  # the rows of the first layer that read the bar's embedding
        decoders += bars * (_weights_used(p['initial_state']) + embedding)
        decoders += steps * (
            _weights_used(p['layers']) - vocab * 4 * 7 - embedding + _weights_used(p['output'])
        )
    assert works.forward_flops(TINY) == (2 * encoder, 2 * (conductor + decoders))
    work = works.Work('', TINY, 5)
    assert works.training_flops(work) == 3 * 5 * 2 * (encoder + conductor + decoders)


def test_sizes_are_those_of_the_published_checkpoints():
    """A is cat-mel_2bar_big, B hierdec-trio_16bar, C hierdec-mel_16bar; D is C with fewer units."""

    def parameters(work):
        return sum(
            x.size
            for x in jax.tree.leaves(
                jax.eval_shape(lambda: vae.init(jax.random.key(0), work.model))
            )
        )

    count = {name: parameters(work) for name, work in works.WORKS.items()}
    assert (
        count['A'] == 134_571_098
        and count['C'] == 176_061_530
        and count['B'] > count['C'] > count['A'] > count['D']
    )


def test_a_timed_program_answers_with_seconds():
    running = program.Program('mvae_model.py', json.dumps(works.to_dict('mel2')))
    params = jax.eval_shape(lambda: vae.init(jax.random.key(0), works.WORKS['mel2'].model))
    expected = sum(x.size for x in jax.tree.leaves(params))
    assert running.about['parameters'] == expected
    times = np.array([running.seconds(word) for word in ('train', 'sample', 'sample1')])
    running.close()
    assert (times > 0).all()
    with pytest.raises(program.Failed, match='exit code'):
        program.Program('mvae_model.py', '{}')


def test_peaks_of_devices_are_known_by_name_or_given():
    assert gpu.peak('NVIDIA H100 80GB HBM3', 'bfloat16', {}) == 989e12
    assert gpu.peak('NVIDIA H100 PCIe', 'float32', {}) == 378e12
    assert gpu.peak('a device of tomorrow', 'bfloat16', {}) is None
    assert gpu.peak('NVIDIA H100 PCIe', 'float32', {'float32': 2.0}) == 2e12
    row = {'exp': 'mel2', 'scale': 'paper', 'dtype': 'bfloat16', 'batch_size': 512}
    row |= {'accumulation': 1, 'flops': 5e12, 'seconds': [9.0, 0.5, 0.1], 'devices': 2}
    assert gpu.update_line(row | {'peak': 50e12}).endswith('| 2.00 | 10.00 | 10.0% |')
    assert 'unknown' in gpu.update_line(row | {'peak': None})


@pytest.mark.slow
def test_all_is_measured_on_one_device_past_a_part_that_fails(tmp_path):
    (tmp_path / 'midi').mkdir()
    for n in range(40):
        name = f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid'
        (tmp_path / 'midi' / name).write_bytes(song(seed=n))
    build_store(tmp_path / 'midi', tmp_path / 'store', BuildSettings(ExtractSettings()), 1)
    script = [sys.executable, program.HERE / 'gpu.py', '--tiny', '--out', tmp_path / 'out/gpu']
    done = subprocess.run([*script, '--data', tmp_path / 'store'], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'out/gpu.json').read_text())
    assert list(result) == ['tests', 'updates', 'bench', 'train']
    assert [row['dtype'] for row in result['updates']['rows']] == ['bfloat16', 'float32']
    assert result['train']['step'] == 10 and len(result['bench']['models']) == 3
    table = (tmp_path / 'out/gpu.md').read_text()
    assert '| train |' in table and 'mel2 tiny | bfloat16 | 8 | 1 |' in table
    nowhere = ['--data', tmp_path / 'nowhere', '--parts', 'train', 'tests']
    done = subprocess.run([*script, *nowhere], capture_output=True, text=True)
    result = json.loads((tmp_path / 'out/gpu.json').read_text())
    assert done.returncode == 1 and 'nowhere' in result['train']['failed']
    assert 'failed' not in result['tests']
