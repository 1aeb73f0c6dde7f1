"""The studio in headless Chromium, from a file: hands, sound, files, and its address."""

import base64
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from browser import needs_browser
from midi_maker import song
from run_maker import save_tiny, tiny_model, tiny_prior

from mvae.model import interpolation
from mvae.music.sources import read_source
from mvae.studio import page
from mvae.studio.contents import contents

pytestmark = needs_browser
TOKENS = 'return shown.tokens && shown.key && shown.tokens.map(values => Array.from(values))'
_MODULES = filter(None, os.environ.get('NODE_PATH', '').split(os.pathsep))
AXE = [file for folder in _MODULES if (file := Path(folder) / 'axe-core/axe.min.js').is_file()]
FEWEST_PIXELS = 44  # of what a finger hits
PARTS = ('button', 'a[draggable]', 'select', 'input[type=range]', 'input[type=number]', 'summary')


@pytest.fixture(scope='module')
def band():
    model = tiny_model('trio', 4, 'hier', bar_codes=True)
    return dataclasses.replace(model, learned=tiny_prior(model))


@pytest.fixture(scope='module')
def tune():
    return tiny_model('melody', 2, 'flat')


class _Studio:
    """A page that is open, as a listener uses it."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address
        driver.get(address)

    def __call__(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def part(self, name):
        return self.driver.find_element('id', name)

    def until(self, condition):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 30, 0.05).until(lambda _: condition())

    def said(self, words):
        self.until(lambda: words in self.part('said').text)
        return self.part('said').text

    def tokens(self):
        """Of what stands in the roll, int [T, K], when nothing more is on its way."""
        self.until(lambda: self('return waiting.size === 0 || !idle'))
        return np.array(self.until(lambda: self(TOKENS))).T

    def mode(self, name):
        self(f'document.querySelector("[name=mode][value={name}]").click()')

    def sets(self, slider, value):
        self(
            """
            const slider = document.getElementById(arguments[0]);
            slider.value = arguments[1];
            slider.dispatchEvent(new Event('input'));
            slider.dispatchEvent(new Event('change'));
            """,
            slider,
            value,
        )

    def opens(self, data, place, folder):
        path = folder / 'a tune.mid'
        path.write_bytes(data)
        self(f'openPlace = {place!r}; document.getElementById("file").value = ""')
        self.part('file').send_keys(str(path))

    def is_content(self):
        """Nothing was asked of a network, and nothing went wrong."""
        assert self('return performance.getEntriesByType("resource").length') == 0
        assert self.part('problem').text == '' and self.driver.get_log('browser') == []


@pytest.fixture
def studio(browser, tmp_path, band, tune):
    file = tmp_path / 'page.html'
    file.write_bytes(page.build([contents('band', band), contents('tune', tune)]))
    return _Studio(browser, file.as_uri())


def test_pieces_are_pythons_and_the_puck_is_moved_by_mouse_keys_and_touch(studio, band):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    first, z = band.sample_tokens(4)
    np.testing.assert_array_equal(studio.tokens(), first[0])
    studio.part('pad').send_keys(Keys.ARROW_RIGHT * 5)
    studio.said('A 50%, B 50%')
    assert studio.part('pad').get_attribute('aria-valuetext') == 'A 50%, B 50%, C 0%, D 0%'
    half = interpolation.slerp(z[0], z[1], 0.5)
    np.testing.assert_array_equal(studio.tokens(), band.decode_tokens(half[None])[0])
    pad = studio.part('pad')
    size = pad.size
    corner = ActionChains(studio.driver).move_to_element_with_offset(
        pad, int(0.46 * size['width']), -int(0.46 * size['height'])
    )
    corner.click().perform()
    studio.said('B 9')
    studio('arguments[0].scrollIntoView()', pad)
    box = studio('const b = arguments[0].getBoundingClientRect(); return [b.left, b.top]', pad)
    for kind, points in (('touchStart', [{'x': box[0] + 5, 'y': box[1] + 5}]), ('touchEnd', [])):
        touch = {'type': kind, 'touchPoints': points}
        studio.driver.execute_cdp_cmd('Input.dispatchTouchEvent', touch)
    studio.said('A 9')
    studio.part('undo').click()
    studio.said('B 9')
    studio.is_content()


def test_it_sounds_and_its_files_hold_what_is_heard(studio, band):
    heard = """
    const wave = new Float32Array(2048);
    if (player.meter) player.meter.getFloatTimeDomainData(wave);
    return Math.max(...wave.map(Math.abs));
    """
    tokens = studio.tokens()
    studio.part('play').click()
    studio.until(lambda: studio(heard) > 0.01)
    assert studio.part('play').text == 'Stop'
    before = studio('return player.position()')
    studio.until(lambda: studio('return player.position()') != before)
    studio.part('play').click()
    assert studio('return player.playing') is False
    data = studio.part('midi').get_attribute('data-data')
    assert data.startswith('data:audio/midi;base64,')
    written = base64.b64decode(data.partition(',')[2])
    piece = read_source(written, band.form.read)[0]
    np.testing.assert_array_equal(piece, band.form.canonical(tokens))
    wav = studio(
        """
        let found;
        save = bytes => { found = [bytes.length, ...bytes.slice(0, 4)]; };
        saveWav();
        return found;
        """
    )
    seconds = 4 * 2 + 1.5
    assert wav == [44 + 4 * int(seconds * 44100), *b'RIFF']
    studio.is_content()


def test_a_file_is_taken_and_how_well_it_is_kept_is_said(studio, band, tmp_path):
    data = song(1, 6)
    studio.opens(data, 1, tmp_path)
    said = studio.said('The model keeps a tune at')
    tokens, _ = read_source(data, band.form.read)
    back = band.reconstruct(data)[0]
    assert 'the first 4 of 6 bars taken' in said and 'B 100%' in said
    assert len(back.notes) == int(said.split()[0])
    mu = band.encode_tokens(tokens[None]).mu
    np.testing.assert_array_equal(studio.tokens(), band.decode_tokens(mu)[0])
    studio.opens(b'GIF89a', 0, tmp_path)
    studio.until(lambda: 'a tune.mid: this is no MIDI file' in studio.part('problem').text)


def test_a_file_that_is_dropped_on_a_corner_stands_there(studio, band):
    data = song(2, 4)
    studio.said('A 100%')
    studio(
        """
        const bytes = Uint8Array.from(atob(arguments[0]), char => char.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([bytes], 'dropped.mid'));
        const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
        byId('corners').children[2].dispatchEvent(drop);
        """,
        base64.b64encode(data).decode(),
    )
    studio.said('The model keeps dropped at')
    tokens, _ = read_source(data, band.form.read)
    kept = studio('return state.work[state.model].corners[2]')
    assert kept['name'] == 'dropped' and kept['spec']['tokens'] == tokens.T.tolist()
    assert 'C 100%' in studio.part('said').text
    studio.is_content()


def test_a_path_that_is_drawn_plays_itself_a_stretch_in_each_round(studio):
    from selenium.webdriver.common.keys import Keys

    studio.said('A 100%')
    studio.part('drawing').click()
    studio.part('pad').send_keys(Keys.ARROW_RIGHT * 3)
    studio.said('A 70%, B 30%')
    studio.part('drawing').click()
    studio('change(next => { next.qpm = 300; })')
    studio('player.steps = () => 8')  # short rounds
    path = studio('return work().path')
    assert path == [[0.1, 0], [0.2, 0], [0.3, 0]]
    studio.part('play').click()
    seen = set()

    def all_seen():
        seen.add(studio('return work().x'))
        return {0.1, 0.2, 0.3} <= seen

    studio.until(all_seen)
    studio.part('play').click()
    studio.part('forget').click()
    assert studio('return work().path') == []
    studio.is_content()


def test_all_that_is_heard_stands_in_the_address(studio, tmp_path):
    studio.opens(song(1, 4), 0, tmp_path)
    studio.said('The model keeps')
    studio.mode('morph')
    studio.sets('t', 40)
    studio.said('40% of the way')
    tokens = studio.tokens()
    studio('byId("qpm").value = 90; byId("qpm").dispatchEvent(new Event("change"))')
    studio.until(lambda: studio('return (fromHash(location.hash.slice(1)) || {}).qpm') == 90)
    address = studio.driver.current_url
    studio.driver.get('about:blank')
    studio.driver.get(address)
    studio.said('40% of the way')
    np.testing.assert_array_equal(studio.tokens(), tokens)
    assert studio.part('qpm').get_attribute('value') == '90'
    studio.driver.get('about:blank')
    studio.driver.get(f'{studio.address}#nonsense')
    studio.said('A 100%')
    studio.is_content()


def test_parts_stay_variations_differ_and_new_pieces_are_new(studio, band):
    first = studio.tokens()
    studio.mode('fill')
    studio.said('Kept of what played, note for note: melody.')
    filled = studio.tokens()
    np.testing.assert_array_equal(filled[:, 0], first[:, 0])
    studio.mode('vary')
    studio.sets('far', 0)
    studio.said('As what played')
    np.testing.assert_array_equal(studio.tokens(), first)
    studio.mode('fresh')
    studio.said('New piece number 1')
    new = studio.tokens()
    studio.part('dice').click()
    studio.said('New piece number 2')
    assert (studio.tokens() != new).any()
    studio.part('undo').click()
    studio.said('New piece number 1')
    np.testing.assert_array_equal(studio.tokens(), new)
    studio.is_content()


def test_a_served_page_is_the_same(browser, tmp_path):
    run = save_tiny(tmp_path / 'mine', 'drums', 2, 'hier')
    arguments = [str(run), '--port', '0', '--no-open']
    command = [sys.executable, '-m', 'mvae', 'studio', *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout.readline, '')
            address = next(line for line in lines if 'http://' in line).split()[1]
            studio = _Studio(browser, address)
            studio.mode('fresh')
            studio.said('New piece number 1')
            studio.is_content()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def test_a_model_without_codes_of_bars_says_that_it_cannot_fill(studio):
    studio.part('tab-1').click()
    studio.said('A 100%')
    studio.mode('fill')
    assert 'has one code for a whole piece' in studio.part('cannot-fill').text
    assert not studio.part('refill').is_enabled()


@pytest.mark.skipif(not AXE, reason='axe-core is not in a folder of NODE_PATH (npm install)')
@pytest.mark.parametrize('mode', ['blend', 'morph', 'vary', 'fill', 'fresh'])
def test_axe_finds_no_fault(studio, mode):
    studio.said('A 100%')
    studio.mode(mode)
    studio.tokens()
    studio(AXE[0].read_text('utf-8'))
    found = studio.driver.execute_async_script(
        """
        const done = arguments[0];
        axe.run().then(({ violations }) => done(violations.map(one => [one.impact, one.id])));
        """
    )
    assert found == []


def test_on_a_phone_nothing_overflows_and_fingers_hit_everything(studio):
    metrics = {'width': 360, 'height': 740, 'deviceScaleFactor': 2, 'mobile': True}
    studio.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', metrics)
    studio.driver.get(f'{studio.address}#')
    studio.said('A 100%')
    for mode in ('blend', 'morph', 'vary', 'fill', 'fresh'):
        studio.mode(mode)
        assert studio('return document.documentElement.scrollWidth') <= 360, mode
        small = studio(
            """
            return [...document.querySelectorAll(arguments[0])]
              .filter(one => one.offsetParent && one.getBoundingClientRect().height < arguments[1])
              .map(one => one.id || one.textContent);
            """,
            ', '.join(PARTS),
            FEWEST_PIXELS,
        )
        assert small == [], mode
