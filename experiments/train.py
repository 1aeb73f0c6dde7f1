"""Trains one experiment: python experiments/train.py --exp trio16 [--variant flat] [--scale small]
[--data data/mine] [--steps 500].

Any other setting of mvae/config.py: --config.training.batch_size=32. The same command goes on where
it stopped.
Exit codes: 0 done, 2 wrong input, 130 stopped and saved.
"""

import argparse
import ast
import importlib.util
import sys
from pathlib import Path

import command
from ml_collections import ConfigDict

from mvae.config import SCALES, VARIANTS
from mvae.errors import InputError

CONFIGS = Path(__file__).parent / 'configs'
EXPERIMENTS = tuple(sorted(path.stem for path in CONFIGS.glob('*.py')))
_BOOLEANS = {'true': True, 'false': False}


def override(config: ConfigDict, argument: str) -> None:
    """Applies '--config.training.batch_size=32' to a locked config.

    Raises InputError for unknown names (with the nearest) and wrong types.
    """
    if not argument.startswith('--config.') or '=' not in argument:
        raise InputError(
            f'unknown argument {argument!r}; settings are written --config.training.batch_size=32'
        )
    path, _, text = argument.removeprefix('--config.').partition('=')
    *parents, leaf = path.split('.')
    for parent in parents:
        config = config[command.choose('setting', parent, tuple(config.keys()))]
        if not isinstance(config, ConfigDict):
            raise InputError(f'{parent} has no settings inside, so {path} is none')
    old = config[command.choose('setting', leaf, tuple(config.keys()))]
    try:
        value = text if isinstance(old, str) else _BOOLEANS.get(text.lower(), None)
        value = ast.literal_eval(text) if value is None else value
        value = float(value) if isinstance(old, float) and not isinstance(value, bool) else value
        value = (value,) if isinstance(old, tuple) and isinstance(value, int) else value
        if isinstance(old, ConfigDict) or type(value) is not type(old):
            raise TypeError
    except (TypeError, ValueError, SyntaxError):
        raise InputError(
            f'{path} takes a {type(old).__name__} such as {old!r}, not {text!r}'
        ) from None
    config[leaf] = value


def experiment(name: str, variant: str | None, scale: str) -> ConfigDict:
    """The config of an experiment file, the file's own variant where none is named."""
    name = command.choose('experiment', name, EXPERIMENTS)
    spec = importlib.util.spec_from_file_location(name, CONFIGS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    choices = {'variant': command.choose('variant', variant, VARIANTS)} if variant else {}
    return module.get_config(scale=command.choose('scale', scale, SCALES), **choices)


def take_model(config: ConfigDict, run: str) -> None:
    """Sizes and vocabulary of the run that a new one starts from, so that nobody has to copy them.

    Raises InputError where its windows are of

    another kind. They may be of another length: weights know nothing of it, and what is learned on
    2 bars is a start for 16.
    """
    from mvae.training.saved import read_config

    old = read_config(run)
    if old.kind != config.kind:
        raise InputError(f'{run} is a model of {old.kind}, not of {config.kind}')
    config.update(variant=old.variant, model=old.model, music=old.music)


def main(options: argparse.Namespace) -> None:
    from mvae.training import processes

    experiment(
        options.exp, options.variant, options.scale or SCALES[0]
    )  # wrong names are said before the devices start
    processes.join(options.coordinator, options.processes, options.process)
    import jax

    platform = jax.default_backend()
    scale = options.scale or ('small' if platform == 'cpu' else 'paper')
    why = (
        'as asked'
        if options.scale
        else f'the default on {platform}; SCALE={"paper" if scale == "small" else "small"} takes the other'
    )
    config = experiment(options.exp, options.variant, scale)
    for argument in options.settings:
        override(config, argument)
    if config.checkpoint.init_from:
        take_model(config, config.checkpoint.init_from)
        for argument in options.settings:
            override(config, argument)
    if options.data:
        config.data.path = str(options.data)
    if options.steps is not None:
        config.training.steps = options.steps
    run = options.run or Path('runs') / options.exp
    if processes.is_first():
        print(
            f'{options.exp} {config.variant}, scale {scale} ({why}), data {config.data.path}',
            flush=True,
        )
    from mvae.training.loop import train_and_evaluate

    train_and_evaluate(config, run)
    if processes.is_first():
        summarise(run, scale)


def summarise(run: Path, scale: str) -> None:
    """The last lines: how well the best checkpoint reconstructs unseen music, beside doing nothing,
    and what to do next.
    """
    from mvae.evaluation.reconstruction import format_table
    from mvae.evaluation.runs import evaluate_run
    from mvae.render.gallery import render_missing, write_gallery
    from mvae.training.saved import read_config

    c = read_config(run)
    result = evaluate_run(
        run,
        split='validation',
        limit=c.evaluation.windows,
        seed=c.seed,
        batch_size=c.evaluation.batch_size,
    )
    print(
        f'Reconstruction of validation windows by the best checkpoint (step {result["step"]}), beside the most frequent token:'
    )
    print(format_table(result))
    if scale == 'small':
        decay = c.training.decay_rate**0.25
        print(
            'A small model lacks updates, and its learning rate has run down by now. For four times as long, in a folder of its own:'
        )
        command = f'make train EXP={c.experiment} VARIANT={c.variant} SCALE={scale} DATA={c.data.path} STEPS={4 * c.training.steps}'
        print(f"  {command} ARGS='--run {run}-long --config.training.decay_rate={decay:.6f}'")
        print('On a GPU or TPU SCALE=paper trains the sizes of the paper.')
    steps = sorted((run / 'samples').glob('step_*'))
    if steps:
        render_missing(steps[-1])
        print(f'Listen and look: {write_gallery(run)}')
    print(
        f'Music and pictures: {run}/samples. Next: make sample EXP={c.experiment}, make eval EXP={c.experiment}'
    )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Trains one experiment.')
    parser.add_argument('--exp', required=True, help=', '.join(EXPERIMENTS))
    parser.add_argument('--variant', help=' or '.join(VARIANTS))
    parser.add_argument(
        '--scale', help='tiny, small or paper (default: paper on an accelerator, small on a CPU)'
    )
    parser.add_argument('--data', type=Path, help='a store built by make data (default: data/demo)')
    parser.add_argument('--run', type=Path, help='run folder (default: runs/EXP)')
    parser.add_argument('--steps', type=command.positive, help='updates')
    parser.add_argument(
        '--coordinator',
        help='HOST:PORT of process 0, where peers are not found by themselves (or MVAE_COORDINATOR)',
    )
    parser.add_argument(
        '--processes', type=int, help='how many processes train together (or MVAE_PROCESSES)'
    )
    parser.add_argument('--process', type=int, help='which of them this is (or MVAE_PROCESS)')
    sys.exit(command.run(main, parser, settings='settings'))
