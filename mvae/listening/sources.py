"""What is compared: runs whose models play, and stores whose test split is played."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mvae.dataset.store import META_FILE, Store
from mvae.errors import InputError
from mvae.music.pieces import STEPS_PER_BAR
from mvae.training.saved import read_config

DATA = 'data'  # the name under which a run stands for the store that it was trained on


class Place(NamedTuple):
    """Where the pieces of a source come from."""

    path: Path
    is_store: bool


def locate(
    specs: Sequence[str], kind: str | None, bars: int | None, checkpoint: str = 'best'
) -> tuple[dict[str, Place], str, int]:
    """Reads 'name=path' each -> ({name: place} in their order, kind, bars of all of them).

    A path is a store, or a run; of the run named `data` the store is taken that it was trained on.
    kind, bars: None where the runs tell.

    Raises InputError where a spec cannot be read, a run is missing, or runs are of different kinds
    or lengths.
    """
    places: dict[str, Place] = {}
    found: dict[str, tuple[str, int]] = {}
    for spec in specs:
        name, _, path = spec.partition('=')
        if not (name and path):
            raise InputError(
                f'{spec!r} is no source; write name=path, such as flat=runs/mel16-flat'
            )
        if name in places:
            raise InputError(f'two sources are called {name!r}; give each a name of its own')
        places[name] = Place(Path(path), True)
        if not (Path(path) / META_FILE).exists():
            config = read_config(path, checkpoint)
            found[name] = config.kind, config.bars
            is_data = name == DATA
            places[name] = Place(Path(config.data.path if is_data else path), is_data)
    if len(places) < 2:
        raise InputError(
            'a comparison takes at least two sources; '
            'give --runs data=data/mine flat=runs/mel16-flat'
        )
    if len(set(found.values())) > 1:
        each = ', '.join(f'{name} {bars}-bar {kind}' for name, (kind, bars) in found.items())
        raise InputError(
            f'the sources are not of one kind and length: {each}; compare runs of one experiment'
        )
    runs = next(iter(found.values()), (None, None))
    for name, asked, is_ in (('kind', kind, runs[0]), ('bars', bars, runs[1])):
        if asked is None and is_ is None:
            raise InputError(f'stores alone do not say what to play; give --{name}')
        if None not in (asked, is_) and asked != is_:
            raise InputError(f'--{name} {asked} was asked for, but the runs have {is_}')
    return places, kind or runs[0], bars or runs[1]


def draw_windows(store: Store, kind: str, bars: int, pieces: int, seed: int) -> np.ndarray:
    """Windows of the test split, drawn by the seed: int32 [pieces, T, K].

    They come from as many songs as there are. Raises InputError where there are too few windows.
    """
    windows, songs = store.windows(kind, bars, 'test'), store.songs(kind, bars, 'test')
    if len(windows) < pieces:
        raise InputError(
            f'{store.path} has {len(windows)} test windows of {bars}-bar {kind}, '
            f'fewer than {pieces}; ask for fewer --pieces'
        )
    order = np.random.default_rng(seed).permutation(len(windows))
    by_song = np.argsort(songs[order], kind='stable')
    _, first, counts = np.unique(songs[order][by_song], return_index=True, return_counts=True)
    turn = np.empty(len(order), np.int64)  # how many windows of its song come before
    turn[by_song] = np.arange(len(order)) - np.repeat(first, counts)
    chosen = order[np.argsort(turn, kind='stable')][:pieces]
    return store.gather(windows[chosen], bars * STEPS_PER_BAR, kind)
