"""One HTML file with everything inside: models, the program that runs them, and its looks."""

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from mvae.render.looks import style
from mvae.studio.contents import Contents

_WORKER = ('model.js', 'prior.js', 'unpack.js', 'pieces.js', 'worker.js')
_PAGE = (
    *('music.js', 'midi.js', 'sound.js', 'roll.js', 'state.js', 'orders.js', 'compose.js'),
    *('files.js', 'play.js', 'controls.js', 'hands.js'),
)


def build(models: Sequence[Contents]) -> bytes:
    """The page of some models, a tab for each.

    It asks nothing of any network: its policy forbids it (Content-Security-Policy), and names its
    own scripts and styles by their hashes.
    """
    packed = [pack(model.tensors) for model in models]
    headers = [
        {**model.header, 'manifest': manifest, 'hash': digest}
        for model, (manifest, digest, _) in zip(models, packed, strict=True)
    ]
    script, worker = (_joined(names) for names in (_PAGE, _WORKER))
    styles = style() + _read('studio.css')
    blocks = {
        'policy': _policy(styles, script, worker),
        'styles': styles,
        'headers': _harmless(json.dumps(headers, separators=(',', ':'))),
        'weights': ''.join(
            f'<script type="text/plain" id="weights-{n}">{text}</script>\n'
            for n, (_, _, text) in enumerate(packed)
        ),
        'worker': worker,
        'script': script,
    }
    page = _read('index.html')
    for name, text in blocks.items():
        page = page.replace(f'<!--{name}-->', text)
    return page.encode()


def pack(tensors: dict[str, np.ndarray]) -> tuple[list[list[Any]], str, str]:
    """Arrays as text: a manifest [[name, shape, kind], ...], their SHA-256, base64 of zlib.

    Kinds are of the little endian: f2 float16 where nothing is lost by it, f4 float32, u2 uint16.
    """
    manifest, parts = [], []
    for name, values in tensors.items():
        kind = _kind(values)
        manifest.append([name, list(values.shape), kind])
        parts.append(np.ascontiguousarray(values, f'<{kind}').tobytes())
    content = b''.join(parts)
    text = base64.b64encode(zlib.compress(content, 6)).decode()
    return manifest, hashlib.sha256(content).hexdigest(), text


def _kind(values: np.ndarray) -> str:
    if values.dtype.kind in 'iu':
        if values.size and not 0 <= values.min() <= values.max() < 2**16:
            raise ValueError('integers of a page are 0 to 65,535')
        return 'u2'
    with np.errstate(over='ignore'):
        return 'f2' if (values.astype(np.float16) == values).all() else 'f4'


def _policy(styles: str, script: str, worker: str) -> str:
    def named(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return '; '.join(
        (
            "default-src 'none'",
            f'script-src {named(script)} blob:',
            f'style-src {named(styles)}',
            'worker-src blob:',
            'img-src data:',
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _joined(names: Sequence[str]) -> str:
    return _harmless('\n'.join(_read(name) for name in names))


def _harmless(text: str) -> str:
    """Text that ends no block of HTML."""
    return text.replace('</', '<\\/')


def _read(name: str) -> str:
    return (resources.files('mvae.studio') / 'page' / name).read_text('utf-8')
