"""What is compared: runs whose models play, and stores whose test split is played."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mvae.dataset.store import META_FILE, Store
from mvae.errors import InputError
from mvae.music.form import Form
from mvae.musicvae import form_of
from mvae.runs.load import load_config

DATA = 'data'  # the name under which a run stands for the store that it was trained on


class Place(NamedTuple):
    """Where the pieces of a source come from."""

    path: Path
    is_store: bool


def locate(
    specs: Sequence[str], form: str | None, bars: int | None, checkpoint: str = 'best'
) -> tuple[dict[str, Place], Form]:
    """Reads 'name=path' each -> ({name: place} in their order, the form of all of them).

    A path is a store, or a run; of the run named `data` the store is taken that it was trained on.
    form, bars: None where the runs tell.

    Raises InputError where a spec cannot be read, a run is missing, or runs are of different forms.
    """
    places: dict[str, Place] = {}
    found: dict[str, Form] = {}
    for spec in specs:
        name, _, path = spec.partition('=')
        if not (name and path):
            raise InputError(
                f'{spec!r} is no source; write name=path, such as flat=runs/mel16-flat'
            )
        if name in places:
            raise InputError(f'two sources are called {name!r}; give each a name of its own')
        places[name] = Place(Path(path), True)
        if not os.path.exists(Path(path) / META_FILE):
            config = load_config(path, checkpoint)
            found[name] = form_of(config)
            is_data = name == DATA
            places[name] = Place(Path(config.data.path if is_data else path), is_data)
    if len(places) < 2:
        raise InputError(
            'a comparison takes at least two sources; '
            'give --runs data=data/mine flat=runs/mel16-flat'
        )
    return places, _common_form(places, found, form, bars)


def _common_form(
    places: dict[str, Place], found: dict[str, Form], name: str | None, bars: int | None
) -> Form:
    """The form of all sources; found: what the runs play; name, bars: what was asked for."""
    if len(set(found.values())) > 1:
        each = ', '.join(f'{source} {form}' for source, form in found.items())
        raise InputError(
            f'the sources are not of one form and length: {each}; compare runs of one experiment'
        )
    played = next(iter(found.values()), None)
    if played is None:
        for option, asked in (('form', name), ('bars', bars)):
            if asked is None:
                raise InputError(f'stores alone do not say what to play; give --{option}')
        return Store.open(next(iter(places.values())).path).form(str(name), int(bars or 0))
    for option, asked, is_ in (('form', name, played.name), ('bars', bars, played.bars)):
        if asked not in (None, is_):
            raise InputError(f'--{option} {asked} was asked for, but the runs have {is_}')
    return played


def draw_windows(store: Store, form: Form, pieces: int, seed: int) -> np.ndarray:
    """Windows of the test split, drawn by the seed: int32 [pieces, T, K].

    They come from as many songs as there are. Raises InputError where there are too few windows, or
    the store is written in another notation.
    """
    store.require(form)
    windows, songs = store.windows(form, 'test'), store.songs(form, 'test')
    if len(windows) < pieces:
        raise InputError(
            f'{store.path} has {len(windows)} test windows of {form}, '
            f'fewer than {pieces}; ask for fewer --pieces'
        )
    order = np.random.default_rng(seed).permutation(len(windows))
    by_song = np.argsort(songs[order], kind='stable')
    _, first, counts = np.unique(songs[order][by_song], return_index=True, return_counts=True)
    turn = np.empty(len(order), np.int64)  # how many windows of its song come before
    turn[by_song] = np.arange(len(order)) - np.repeat(first, counts)
    chosen = order[np.argsort(turn, kind='stable')][:pieces]
    return store.gather(windows[chosen], form)
