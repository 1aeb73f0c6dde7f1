"""The benchmarks count right and their programs answer; how fast anything is, no test says."""

import json
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / 'benchmarks'))
import program
import works

from mvae.model import vae
from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical

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
