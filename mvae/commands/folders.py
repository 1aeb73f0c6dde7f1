"""Names of run folders: where a training goes by default, and how it is found again."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands import experiments
from mvae.commands.options import choose
from mvae.errors import InputError

if TYPE_CHECKING:
    from ml_collections import ConfigDict

RUNS = Path('runs')
_RELEASED = Path(__file__).parents[1] / 'released'
DEMO = 'demo'  # name of the dataset that a folder's name does not mention


def folder_of(experiment: str, own: 'ConfigDict', config: 'ConfigDict') -> Path:
    """runs/EXP, and what differs from the experiment as it is: runs/trio16-flat-mine.

    own: the experiment's config; config: the one that is trained.
    """
    parts = [experiments.find(experiment)[0]]
    parts += [config.variant] if config.variant != own.variant else []
    parts += [config.form] if config.form != own.form else []
    parts += [f'{config.bars}bars'] if config.bars != own.bars else []
    parts += [name] if (name := _name(config.data.path)) != DEMO else []
    return RUNS / '-'.join(parts)


def find(experiment: str, variant: str | None = None, data: Path | None = None) -> Path:
    """The run folder of a training of one's own.

    That of this variant and these data, else of this variant, else the only one that there is.
    Raises InputError where there is none, or several could be meant.
    """
    name = Path(experiment).stem if experiment.endswith('.py') else experiment
    stems = _stems(experiment, name, variant)
    exact = [f'{stem}-{_name(data)}' for stem in stems] if data else []
    for folder in (RUNS / candidate for candidate in (*exact, *stems)):
        if is_run(folder):
            return folder
    others = [path for path in sorted(RUNS.glob(f'{stems[0]}-*')) if is_run(path)]
    if len(others) == 1:
        return others[0]
    if others:
        raise InputError(
            f'which training of {name}? {", ".join(map(str, others))}; name its folder'
        )
    experiments.find(experiment)  # a name that does not exist has another remedy
    what = f'mvae train --exp {experiment}' + (f' --variant {variant}' if variant else '')
    ours = f'; the released model is {name}, without --exp' if name in released() else ''
    raise InputError(f'there is no {RUNS / stems[0]} here; {what} trains one{ours}')


def released() -> list[str]:
    """Names of the models that come with mvae, without an import of what reads them."""
    return sorted(path.stem for path in _RELEASED.glob('*.npz'))


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a training."""
    return os.path.isdir(folder / 'checkpoints')


def _name(data: str | Path) -> str:
    return os.path.basename(os.path.abspath(data))


def _stems(experiment: str, name: str, variant: str | None) -> list[str]:
    """Names that a training of a variant may begin with: its own has no suffix."""
    if not variant:
        return [name]
    from mvae.config import SCALES, VARIANTS

    choose('variant', variant, VARIANTS)
    own = {experiments.load(experiment, None, scale).variant for scale in SCALES}
    return [f'{name}-{variant}'] + [name] * (variant in own)
