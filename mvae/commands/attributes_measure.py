"""`mvae attributes measure`: how much every vector changes every attribute."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvae.commands import vectors
from mvae.commands.models import load_model
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.latent.attribute_vectors import Fitted
    from mvae.latent.attributes import Attribute


def measure(options: argparse.Namespace) -> None:
    if not 0 < options.amount < math.inf:
        raise InputError(
            f'the amount that is added and subtracted is above 0, such as 1, not {options.amount}'
        )
    path, model = load_model(options)
    from mvae.files import write_json
    from mvae.latent import attribute_vectors
    from mvae.render.gallery import write_gallery
    from mvae.runs.released import home

    fitted, about = vectors.fitted(path, model)
    attributes = vectors.attributes(model.form, options.attribute)
    if lacking := [name for name in fitted.vectors if name not in attributes]:
        raise InputError(
            f'{", ".join(lacking)} is an attribute of your own: give it again, '
            f'--attribute {" ".join(about["own"])}'
        )
    settings = {
        'n': options.n,
        'amount': options.amount,
        'temperature': options.temperature,
        'seed': options.seed,
    }
    effects = attribute_vectors.measure(model, fitted, attributes, **settings)
    print(attribute_vectors.format_effects(effects))
    out = options.out or home(path) / 'attributes'
    made = {'run': str(path), 'step': model.step, 'data': about['data']}
    write_json(out / 'effects.json', {**made, **settings, **effects})
    _draw_effects(effects, fitted, attributes, options, out / 'effects.png')
    write_gallery(options.out or home(path))
    print(f'\neffects.png and effects.json in {out}')


def _draw_effects(
    effects: dict[str, Any],
    fitted: 'Fitted',
    attributes: 'dict[str, Attribute]',
    options: argparse.Namespace,
    file: Path,
) -> None:
    import numpy as np

    from mvae.latent import attribute_vectors
    from mvae.render.heatmap import draw_heat_maps

    panels = []
    for word in attribute_vectors.SIGNS:
        rows = effects[word]['change'].values()
        cells = [[np.nan if x is None else x for x in row.values()] for row in rows]
        panels.append((f'{word} the vector', np.array(cells)))
    how = f'temperature {options.temperature:g}' if options.temperature else 'greedy'
    note = (
        f'change of the mean in per cent; {options.n} samples of N(0, I), {how}, '
        f'amount {options.amount:g}; vectors of {fitted.pieces:,} windows'
    )
    axes = 'vector of', 'attribute measured'
    draw_heat_maps(file, panels, list(fitted.vectors), list(attributes), axes, note)
