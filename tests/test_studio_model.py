"""The studio's JavaScript against Python: codes, tokens, and what the learned prior draws."""

import dataclasses

import jax
import numpy as np
import pytest
from javascript import MODEL, needs_node, run
from run_maker import tiny_model, tiny_prior

from mvae.latent.infill import infill
from mvae.model import diffusion, interpolation
from mvae.model.denoiser import Outline
from mvae.model.prior import plans_of
from mvae.music import traits
from mvae.runs.load import load
from mvae.runs.released import released
from mvae.studio import page
from mvae.studio.contents import contents

pytestmark = needs_node
VOICE = """
const voice = new Voice(given.header,
  await unpack(given.text, given.manifest, given.hash));
"""


def _given(model, **more):
    made = contents('one', model)
    manifest, digest, text = page.pack(made.tensors)
    return {'header': made.header, 'manifest': manifest, 'hash': digest, 'text': text, **more}


def _rows(streams):
    """Tokens [B, T, C] of each stream -> for each piece of each stream one flat list."""
    return [[own.ravel().tolist() for own in piece] for piece in zip(*streams, strict=True)]


def _compare(model, pieces):
    """mu of tokens and greedy tokens of codes, by both; codes are the music's."""
    z = model.priors['fitted'].draw(pieces, 3)
    tokens = model.decode_tokens(z)
    rows = _rows(model.form.split(tokens))
    found = run(
        MODEL,
        VOICE
        + """
        const mu = given.tokens.map(piece =>
          Array.from(voice.model.encode(piece.map(own => Int32Array.from(own)))));
        const tokens = given.z.map(own =>
          voice.model.decode(Float32Array.from(own)).map(values => Array.from(values)));
        return { mu, tokens };
        """,
        _given(model, z=z.tolist(), tokens=rows),
    )
    mu = model.encode_tokens(tokens).mu
    np.testing.assert_allclose(found['mu'], mu, atol=1e-4 * np.abs(mu).max())
    assert found['tokens'] == rows


@pytest.mark.parametrize(
    'form, bars, variant, more',
    [
        ('melody', 2, 'flat', {}),
        ('trio', 2, 'flat', {'encoder_sizes': (9, 7)}),
        ('drums', 2, 'hierdec', {'drum_roll_input': False}),
        ('trio', 2, 'hierenc', {'drum_roll_input': True}),
        ('melody', 4, 'hier', {'conductor_sizes': (7, 5), 'decoder_sizes': (10,)}),
        ('trio', 4, 'hier', {'bar_codes': True}),
        ('trio', 4, 'hierenc', {'bar_codes': True}),
    ],
)
def test_a_page_reads_and_plays_as_python_does(form, bars, variant, more):
    _compare(tiny_model(form, bars, variant, **more), 3)


# Those that the page has no place for say so themselves: tests/test_studio_contents.py.
@pytest.mark.parametrize('name', [n for n in released() if n not in ('groove2', 'hits2', 'lead2')])
def test_released_models_read_and_play_as_in_python(name):
    _compare(load(name), 2)


@pytest.fixture(scope='module')
def band():
    model = tiny_model('trio', 4, 'hier', bar_codes=True)
    return dataclasses.replace(model, learned=tiny_prior(model))


def test_the_network_of_the_prior_says_the_same(band):
    learned, cfg = band.learned, band.learned.config
    outline = learned.outlines.take(slice(1, 2))
    outline = outline._replace(plan=outline.plan.astype(np.int32))
    plan = outline.plan
    shape = 1, cfg.bars, cfg.parts, cfg.size
    noise, given = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    noise, given = (np.asarray(diffusion.alike(x, plan)) for x in (noise, given))
    known = np.zeros(shape[:3], bool)
    known[:, ::2, 1] = True  # of a plan by which every second bar is the same
    for transposed, told in ((False, 1), (True, 0)):
        own = outline._replace(traits=told * outline.traits, transposed=np.array([transposed]))
        drawn = np.asarray(diffusion.draw(learned.params, cfg, noise, given, known, own))
        found = run(
            MODEL,
            VOICE
            + """
            const x = await voice.prior.denoise(Float32Array.from(given.noise),
              Float32Array.from(given.codes), given.known, given.outline,
              async () => {});
            return Array.from(x);
            """,
            _given(
                band,
                noise=noise.ravel().tolist(),
                codes=given.ravel().tolist(),
                known=known.ravel().tolist(),
                outline={
                    'plan': plan[0].tolist(),
                    'transposed': transposed,
                    'traits': own.traits[0].tolist(),
                },
            ),
        )
        np.testing.assert_allclose(found, drawn.ravel(), atol=2e-3 * np.abs(drawn).max())


def test_new_codes_keep_to_a_plan_of_music_and_filled_ones_to_what_is_known(band):
    cfg = band.learned.config
    tokens, z = band.sample_tokens(1, seed=1)
    known = [False, True, False] * cfg.bars
    new, filled, near = run(
        MODEL,
        VOICE
        + """
        const pause = async () => {};
        const z = Float32Array.from(given.z);
        const none = given.known.map(() => false);
        const found = [await voice.prior.draw(5, pause),
          await voice.prior.fill(z, given.known, 5, pause),
          await voice.prior.fill(z, none, 5, pause, 0.02)];
        return found.map(x => Array.from(x));
        """,
        _given(band, z=z[0].tolist(), known=known),
    )
    shape = 1, cfg.bars, cfg.parts, cfg.size
    plan = plans_of(np.reshape(new, shape).astype(np.float32))[0]
    assert any((plan == own).all() for own in band.learned.outlines.plan)
    code = np.reshape(z, shape)[0, :, 1]
    np.testing.assert_allclose(np.reshape(filled, shape)[0, :, 1], code, atol=1e-4)
    _, ours = infill(band, tokens[0], keep_parts=['bass'], seed=0)
    assert np.isfinite(filled).all() and np.shape(filled) == np.shape(ours[0])
    scale = np.tile(band.learned.scale, (cfg.bars, 1, 1)).ravel()
    assert np.abs((np.array(near) - z[0]) / scale).max() < 1, 'a little noise leads to its like'


def test_new_pieces_in_a_key_are_told_the_traits_that_python_tells(band):
    """Of music that lies in some key: here on white keys, and on black ones a semitone below.

    The first piece has all notes, and lies in none.
    """
    key, own = 9, band.learned.outlines
    chromatic = np.where(np.arange(own.traits.shape[1]) < 12, 1, own.traits[:1])
    plan = np.concatenate([0 * own.plan[:1], own.plan])
    told = Outline(plan, np.concatenate([chromatic, own.traits]), np.zeros(3, bool))
    model = dataclasses.replace(band, learned=dataclasses.replace(band.learned, outlines=told))
    *found, new, free = run(
        MODEL,
        VOICE
        + """
        const outlines = range(24).map(seed => voice.prior._inKey(seed, given.key));
        const pause = async () => {};
        const found = outlines.map(own => ({ ...own, traits: Array.from(own.traits) }));
        return [...found, Array.from(await voice.place({ fresh: 4, key: given.key }, {}, pause)),
          Array.from(await voice.place({ fresh: 4 }, {}, pause))];
        """,
        _given(model, key=key),
    )
    assert contents('one', model).header['keys']
    in_c, up = traits.into_c(told.traits)
    moved = traits.move(in_c, np.full(3, key))
    rows = [next(n for n in range(3) if plan[n].tolist() == one['plan']) for one in found]
    assert set(rows) == {1, 2} and up.tolist() == [-1, 0, 1]
    for n, one in zip(rows, found, strict=True):
        np.testing.assert_allclose(one['traits'], moved[n], atol=1e-6)
        assert one['transposed'] == ((up[n] + key) % 12 > 0)
    assert np.isfinite(new).all() and np.abs(np.array(new) - free).max() > 1e-3


def test_a_path_between_codes_is_pythons(band):
    a, b = np.random.default_rng(0).standard_normal((2, 7)).astype(np.float32)
    found = run(
        MODEL,
        """
        const [a, b] = given.map(x => Float32Array.from(x));
        return [0, 0.25, 0.5, 1].map(t => Array.from(slerp(a, b, t)));
        """,
        [a.tolist(), b.tolist()],
    )
    ours = interpolation.slerp(a, b, np.array([0, 0.25, 0.5, 1]))
    np.testing.assert_allclose(found, ours, atol=1e-6)


def test_specs_say_codes(band):
    z = contents('one', band).tensors['starters']
    found = run(
        MODEL,
        VOICE
        + """
        const pause = async () => {};
        const [a, b] = [{ starter: 0 }, { starter: 1 }];
        const specs = [a, { blend: [a, b, a, b], x: 1, y: 0.5 }, { morph: [a, b], t: 0.5 },
          { vary: a, far: 0, seed: 1 }, { tokens: given.header.starters[0].map(x => x.flat()) }];
        const found = [];
        for (const spec of specs) found.push(Array.from(await voice.place(spec, {}, pause)));
        return found;
        """,
        _given(band),
    )
    starter, blend, morph, same, read = np.array(found, np.float32)
    np.testing.assert_array_equal(starter, z[0])
    np.testing.assert_allclose(blend, z[1], atol=1e-6)
    np.testing.assert_allclose(morph, interpolation.slerp(z[0], z[1], 0.5), atol=1e-6)
    np.testing.assert_array_equal(same, z[0])
    tokens = band.sample_tokens(1)[0]
    np.testing.assert_allclose(read, band.encode_tokens(tokens).mu[0], atol=1e-4)


def test_attributes_move_a_code(band):
    vector = np.linspace(-1, 1, band.latent_size, dtype=np.float32)
    moving = dataclasses.replace(band, attributes={'busy': vector})
    found = run(
        MODEL,
        VOICE
        + """
        return Array.from(await voice.place({ starter: 0 }, { busy: -0.5 }, async () => {}));
        """,
        _given(moving),
    )
    z = contents('one', band).tensors['starters'][0]
    np.testing.assert_allclose(found, z - 0.5 * vector, atol=1e-6)


def test_drawn_noise_is_normal_and_of_its_seed():
    one, again, other = run(MODEL, 'return [1, 1, 2].map(seed => Array.from(normal(4000, seed)));')
    assert one == again and one != other
    assert abs(np.mean(one)) < 0.05 and abs(np.std(one) - 1) < 0.05
    assert jax.numpy.isfinite(jax.numpy.array(one)).all()
