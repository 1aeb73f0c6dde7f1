"""Whether a headless Chromium is here for tests; the fixture `browser` is in conftest."""

import shutil

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)
DRIVER = shutil.which('chromedriver')
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason='chromium or chromedriver is not installed (apt install chromium chromium-driver)',
    ),
]
