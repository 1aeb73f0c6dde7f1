"""Folders of MIDI, and stores built from them."""

from pathlib import Path

from midi_maker import song

from mvae.dataset.build import build_store
from mvae.dataset.store import Store


def make(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def songs(count: int) -> dict[str, bytes]:
    return {f'melody {number} of the test.mid': song(number) for number in range(count)}


def build(folder: Path, out: Path, workers: int = 1, **options) -> Store:
    return build_store(folder, out, workers=workers, quiet=True, **options)


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
