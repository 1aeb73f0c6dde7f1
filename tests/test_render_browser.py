"""The page of a run folder in headless Chromium, as wide as a phone."""

import numpy as np
from browser import needs_browser

from mvae.music.forms import make_form
from mvae.render.gallery import write_gallery
from mvae.render.pieces import write_piece

pytestmark = needs_browser
TUNE = np.array([[60], [0], [0], [1]] * 8, np.int32)


def test_nothing_is_wider_than_a_phone_and_loops_are_switched(browser, tmp_path, monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    long = 'a_' + 'very' * 20 + '_long_name'
    for n, name in enumerate(('step_01', 'step_02', long)):
        path = tmp_path / 'page' / long / f'{name}.mid'
        write_piece(path, TUNE, make_form('melody', 2), wav=True, png=n < 2)
    page = write_gallery(tmp_path / 'page')
    size = {'width': 360, 'height': 740, 'deviceScaleFactor': 1, 'mobile': True}
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
    browser.get(page.as_uri())
    assert browser.execute_script('return document.documentElement.scrollWidth') == 360
    button = browser.find_elements('css selector', 'button')[1]
    for expected in (True, False):
        button.click()
        script = 'return [...document.querySelectorAll("audio")].map(a => a.loop)'
        assert browser.execute_script(script) == [False, expected, False]
        assert button.get_attribute('aria-pressed') == str(expected).lower()
