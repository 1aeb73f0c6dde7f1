"""Runs the studio's JavaScript in node, where it is installed."""

import json
import shutil
import subprocess
from importlib import resources

import pytest

NODE = shutil.which('node')
needs_node = pytest.mark.skipif(not NODE, reason='node is not installed (apt install nodejs)')
MODEL = ('model.js', 'prior.js', 'unpack.js', 'pieces.js')
MUSIC = ('music.js', 'midi.js')


def run(sources, body, given=None):
    """What an async function's body returns, as JSON; it sees `given` and what sources define."""
    pages = resources.files('mvae.studio') / 'page'
    program = '\n'.join(
        [
            *((pages / name).read_text('utf-8') for name in sources),
            'const read = () => JSON.parse(require("fs").readFileSync(0, "utf8"));',
            f'(async (given) => {{ {body} }})(read())',
            '  .then(found => process.stdout.write(JSON.stringify(found)))',
            '  .catch(error => { console.error(error); process.exit(1); });',
        ]
    )
    done = subprocess.run(
        [NODE, '--input-type=commonjs', '-e', program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
