"""What holds for all tests."""

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER

# Programs compiled in one test serve the others, in their processes too.
_CACHE = tempfile.TemporaryDirectory(prefix='mvae-tests-')
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', _CACHE.name)
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0.1')
# Compiled in a third of the time, and a little slower to run. XLA ends where it does not know a
# flag: this one is of the version in constraints.txt.
os.environ.setdefault('JAX_DISABLE_MOST_OPTIMIZATIONS', '1')
_QUICK = '--xla_cpu_use_fusion_emitters=false'
if _QUICK not in (flags := os.environ.get('XLA_FLAGS', '')):
    os.environ['XLA_FLAGS'] = f'{_QUICK} {flags}'.strip()

_MANY = 20_000  # mappings; a module of tests adds as many at most

# A shell without job control starts what ends in & so that Ctrl-C is ignored, and children inherit
# it. Tests that stop programs by Ctrl-C need the usual answer.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope='module')
def forget_programs():
    """Compiled programs take memory and mappings, of which a process may have 65,530 on Linux."""
    yield
    maps = Path('/proc/self/maps')
    many = not maps.exists() or maps.read_bytes().count(b'\n') > _MANY
    if many and (jax := sys.modules.get('jax')) is not None:
        jax.clear_caches()


@pytest.fixture
def browser(tmp_path):
    """A driver of selenium with a profile of its own; its log has what the page complains of."""
    webdriver = pytest.importorskip(
        'selenium.webdriver', reason='selenium is not installed (pip install selenium)'
    )
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    arguments = (
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--autoplay-policy=no-user-gesture-required',
        '--window-size=1280,800',
        f'--user-data-dir={tmp_path / "profile"}',
    )
    for argument in arguments:
        options.add_argument(argument)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()
