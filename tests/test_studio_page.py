"""The page: one file that asks nothing of a network, whose arrays come out as they went in."""

import base64
import hashlib
import re

import numpy as np
import pytest
from javascript import MODEL, needs_node, run
from run_maker import tiny_model

from mvae.studio import page
from mvae.studio.contents import contents

TENSORS = {
    'whole': np.array([[0.5, -2.0, 1.5], [65504.0, -(2.0**-24), 0.0]], np.float32),
    'fine': np.array([1 / 3, 1e-8, 3e38], np.float32),
    'plans': np.array([[0, 65535]], np.uint16),
}


@pytest.fixture(scope='module')
def built():
    models = [('melody', 2, 'flat'), ('trio', 2, 'hier')]
    return page.build([contents(of[0], tiny_model(*of)) for of in models]).decode()


def test_float16_is_taken_where_nothing_is_lost():
    manifest, _, _ = page.pack(TENSORS)
    assert manifest == [['whole', [2, 3], 'f2'], ['fine', [3], 'f4'], ['plans', [1, 2], 'u2']]


@pytest.mark.parametrize('value', [-1, 2**16])
def test_integers_that_the_page_cannot_hold_are_a_bug(value):
    with pytest.raises(ValueError, match='0 to 65,535'):
        page.pack({'up': np.array([0, value])})


@needs_node
def test_arrays_come_out_as_they_went_in():
    manifest, digest, text = page.pack(TENSORS)
    found = run(
        MODEL,
        """
        const tensors = await unpack(given.text, given.manifest, given.hash);
        return Object.entries(tensors)
          .map(([name, own]) => [name, own.shape, Array.from(own.data)]);
        """,
        {'text': text, 'manifest': manifest, 'hash': digest},
    )
    for (name, shape, values), (own, array) in zip(found, TENSORS.items(), strict=True):
        assert name == own and shape == list(array.shape)
        np.testing.assert_array_equal(np.array(values, array.dtype).reshape(shape), array)


@needs_node
def test_damaged_arrays_are_refused():
    manifest, digest, text = page.pack(TENSORS)
    other = page.pack({**TENSORS, 'plans': TENSORS['plans'] - 1})[2]
    cut = base64.b64encode(base64.b64decode(text)[:-9]).decode()
    found = run(
        MODEL,
        """
        const words = [];
        for (const text of given.texts) {
          words.push(await unpack(text, given.manifest, given.hash).then(() => '', e => e.message));
        }
        return words;
        """,
        {'texts': [text, other, cut], 'manifest': manifest, 'hash': digest},
    )
    assert found[0] == '' and 'this page is damaged' in found[1] and found[2]


def test_all_is_inside_and_nothing_is_asked_for(built):
    assert not re.search(r'<!--(policy|styles|headers|weights|worker|script)-->', built)
    assert not re.search(r'(src|href)="(?!data:,")', built) and '@import' not in built
    assert 'http://' not in built and 'https://' not in built
    assert len(re.findall(r'id="weights-\d"', built)) == 2


def test_its_policy_names_its_own_script_and_styles_alone(built):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', built)[1]
    assert "default-src 'none'" in policy and 'unsafe' not in policy and 'connect' not in policy
    script = re.search(r'<script>(.*?)</script>', built, re.S)[1]
    styles = re.search(r'<style>(.*?)</style>', built, re.S)[1]
    for text in (script, styles):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_names_cannot_end_a_block():
    model = tiny_model('melody', 2, 'flat')
    made = page.build([contents('</script><b>', model)]).decode()
    assert '</script><b>' not in made and '<\\/script><b>' in made
