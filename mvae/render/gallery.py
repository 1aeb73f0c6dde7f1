"""A page for a run folder: everything in it that can be seen and heard.

Browsers open it from the file system, without a network.
"""

import html
import os
from pathlib import Path
from urllib.parse import quote

from mvae.files import write_atomically
from mvae.music.sources import read_source
from mvae.render.audio import write_wav
from mvae.render.looks import style
from mvae.render.names import of_file

PAGE = 'index.html'
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
{style}</style></head><body><h1>{title}</h1>
"""
_SCRIPT = """<script>
const players = [...document.querySelectorAll('audio')];
players.forEach(p => p.addEventListener('play', () => players.forEach(q => q === p || q.pause())));
document.querySelectorAll('button').forEach(b => b.addEventListener('click', () => {
  const player = b.parentElement.querySelector('audio');
  player.loop = !player.loop;
  b.setAttribute('aria-pressed', player.loop);
}));
</script></body></html>
"""


def write_gallery(folder: str | Path) -> Path:
    """Writes index.html for the MIDI, WAV and PNG files anywhere below a folder.

    What was made last comes first. Returns the page's path. Raises InputError where it cannot be
    written.
    """
    folder = Path(folder)
    sections = {place: _section(folder, place) for place in _places(folder)}
    title = html.escape(folder.resolve().name)
    page = _HEAD.format(title=title, style=style('gallery')) + ''.join(sections.values()) + _SCRIPT
    write_atomically(folder / PAGE, page.encode(errors='replace'))
    return folder / PAGE


def render_missing(folder: str | Path) -> int:
    """Writes a WAV beside every MIDI file directly in a folder; returns how many.

    Files that have one as new are passed over. Raises InputError as `write_wav` does.
    """
    count = 0
    for midi in sorted(Path(folder).glob('*.mid')):
        wav = midi.with_suffix('.wav')
        if not wav.exists() or wav.stat().st_mtime < midi.stat().st_mtime:
            write_wav(wav, read_source(midi, lambda score: score.notes))
            count += 1
    return count


def _places(folder: Path) -> list[Path]:
    """Folders that hold something to show.

    The run's own comes first, then the others from the last that was made to the first, then the
    evaluations in training from the last to the first.
    """
    made: dict[Path, float] = {}
    for path in (path for pattern in ('*.mid', '*.png') for path in folder.rglob(pattern)):
        if not path.parent.name.startswith('.'):  # half written
            made[path.parent] = max(made.get(path.parent, 0.0), path.lstat().st_mtime)
    steps = sorted((p for p in made if p.name.startswith('step_')), reverse=True)
    others = sorted(set(made) - set(steps), key=lambda p: (p != folder, -made[p], p))
    return others + steps


def _section(folder: Path, place: Path) -> str:
    parts = []
    if place != folder:
        parts.append(f'<h2>{html.escape(place.relative_to(folder).as_posix())}</h2>\n')
    pieces = sorted(place.glob('*.mid'), key=_in_order)
    if pieces:
        steps = sum(midi.stem.startswith('step_') for midi in pieces)
        made = ''.join(_piece(folder, midi, of_file(midi.stem, steps)) for midi in pieces)
        parts.append(f'<ul>\n{made}</ul>\n')
    shared = set(place.glob('*.png')) - {midi.with_suffix('.png') for midi in pieces}
    parts += [_image(folder, path, path.stem.replace('_', ' ')) for path in sorted(shared)]
    return ''.join(parts)


def _in_order(path: Path) -> tuple[bool, str, int]:
    """What was given before what was made of it, and sample_2 before sample_10."""
    name = path.stem.rstrip('0123456789')
    number = path.stem[len(name) :][:18]
    return not name.startswith('given_'), name, int(number or 0)


def _link(folder: Path, path: Path) -> str:
    return quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))


def _piece(folder: Path, midi: Path, title: str) -> str:
    """A piece's name, its own picture and its player, where there are such."""
    name, wav, png = html.escape(title), midi.with_suffix('.wav'), midi.with_suffix('.png')
    picture = _image(folder, png, title) if png.exists() else '\n'
    player = _player(_link(folder, wav), name) if wav.exists() else ''
    download = f'<a href="{_link(folder, midi)}" download>MIDI</a>'
    return f'<li>{name}{picture}<div>{player}{download}</div></li>\n'


def _player(link: str, name: str) -> str:
    audio = f'<audio controls preload="none" src="{link}" aria-label="play {name}"></audio>'
    return (
        f'{audio}<button type="button" aria-pressed="false" aria-label="loop {name}">loop</button>'
    )


def _image(folder: Path, path: Path, title: str) -> str:
    """A picture, which opens by itself: wide ones do not fit on a phone."""
    link, name = _link(folder, path), html.escape(title)
    return f'<a href="{link}"><img loading="lazy" src="{link}" alt="{name}"></a>\n'
