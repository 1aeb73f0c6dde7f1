"""The listening test from end to end, with a listener in headless Chromium.

A server plays two tiny sources; the answers are read from the file.
"""

import contextlib
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from browser import needs_browser
from midi_maker import song
from run_maker import save_tiny

from mvae.dataset.build import BuildSettings, build_store
from mvae.listening.answers import Answers
from mvae.music.extract import ExtractSettings

pytestmark = needs_browser


@pytest.fixture(scope='module')
def arguments(tmp_path_factory):
    """Of serve: a store and an untrained run of 2-bar melodies; a piece lasts one second."""
    folder = tmp_path_factory.mktemp('listening')
    (folder / 'midi').mkdir()
    for n in range(20):
        (folder / f'midi/song number {chr(97 + n)}.mid').write_bytes(song(seed=n))
    build_store(folder / 'midi', folder / 'store', BuildSettings(ExtractSettings()), 1)
    run = save_tiny(folder / 'run', 'melody', 2, 'flat')
    sizes = ['--trials', '3', '--pieces', '2', '--qpm', '480', '--port', '0']
    return [
        '--runs',
        f'data={folder / "store"}',
        f'flat={run}',
        *sizes,
        '--answers',
        str(folder / 'answers.sqlite'),
    ]


@contextlib.contextmanager
def serving(arguments, monkeypatch):
    """The address of a server that is ended by Ctrl-C."""
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    command = [sys.executable, 'experiments/listen.py', 'serve', *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            assert 'http://' in line, process.stderr.read()
            yield 'http' + line.strip().rpartition('http')[2]
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 0 and 'Traceback' not in said


def test_a_listener_with_a_keyboard_reloads_in_the_middle_and_finishes(
    browser, arguments, monkeypatch
):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    answers = Answers(arguments[-1], create=True)

    def shown(name):
        return browser.find_element(By.ID, name).is_displayed()

    def text(name):
        return browser.find_element(By.ID, name).text

    def until(condition):
        WebDriverWait(browser, 30, 0.05).until(lambda _: condition())

    def press(*keys):
        browser.switch_to.active_element.send_keys(*keys)

    def enabled():
        return browser.find_element(By.ID, 'next').is_enabled()

    def listen():
        for key in 'ab':
            press(key)
            until(lambda key=key: 'heard ✓' in text(f'heard-{key}'))

    with serving(arguments, monkeypatch) as address:
        browser.get(address)
        until(lambda: shown('consent'))
        assert not shown('trial') and '3 pairs' in text('consent')
        browser.find_element(By.ID, 'begin').click()
        until(lambda: shown('trial'))
        assert text('heading') == 'Comparison 1 of 3'
        press('1')
        assert not enabled(), 'an answer alone is not enough'
        press(Keys.ENTER)
        listen()
        assert enabled()
        browser.execute_script(
            'const next = document.getElementById("next"); next.click(); next.click()'
        )
        until(lambda: text('heading') == 'Comparison 2 of 3')
        assert [(a.trial, a.score) for a in answers.all()] == [(0, 2)], (
            'the double click answered once'
        )

        listen()
        browser.refresh()
        until(lambda: shown('trial'))
        assert text('heading') == 'Comparison 2 of 3' and not enabled(), (
            'a reload goes on where the listener was, and answers nothing'
        )
        listen()
        assert not enabled(), 'listening alone is not enough'
        press(Keys.ARROW_RIGHT)
        press(Keys.ARROW_RIGHT)
        press(Keys.ENTER)
        until(lambda: text('heading') == 'Comparison 3 of 3')

    listen()
    press('5', Keys.ENTER)
    until(lambda: shown('problem'))
    assert 'cannot be reached' in text('problem') and len(answers.all()) == 2, (
        'without its server the page waits'
    )

    # The same address again, as where a server has been started anew.
    with serving([*arguments, '--port', address.rpartition(':')[2]], monkeypatch):
        press(Keys.ENTER)
        until(lambda: shown('end'))
        kept = answers.all()
        assert [(a.listener, a.trial, a.score) for a in kept] == [(0, 0, 2), (0, 1, -1), (0, 2, -2)]
        assert all({a.left_source, a.right_source} == {'data', 'flat'} for a in kept)
        assert browser.execute_script('return document.cookie') == '', 'no script reads the cookie'
        wrong = [
            entry
            for entry in browser.get_log('browser')
            if entry['level'] == 'SEVERE' and 'ERR_CONNECTION' not in entry['message']
        ]
        assert not wrong

        browser.find_element(By.ID, 'withdraw').click()
        until(lambda: shown('sure'))
        browser.find_element(By.ID, 'delete').click()
        until(lambda: shown('withdrawn'))
        assert answers.all() == [] and answers.listeners() == 0
        with pytest.raises(urllib.error.HTTPError, match='404'):
            urllib.request.urlopen(f'{address}/nothing')
