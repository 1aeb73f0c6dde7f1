"""Trains one experiment: python experiments/train.py --exp trio16 [--variant flat] [--scale small] [--data data/mine] [--steps 500].

Any other setting: --set training.batch_size=32 (see mvae/config.py). Exit codes: 0 done, 2 wrong input, 130 stopped and saved.
"""

import argparse
import ast
import difflib
import importlib.util
import os
import sys
from pathlib import Path

CONFIGS = Path(__file__).parent / 'configs'
EXPERIMENTS = tuple(sorted(path.stem for path in CONFIGS.glob('*.py')))


def choose(what: str, name: str, known: tuple[str, ...]) -> str:
    """The name if it is known; else InputError with the nearest."""
    from mvae.errors import InputError

    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1, 0.3)
    raise InputError(f'unknown {what} {name!r}; ' + (f'did you mean {near[0]}? ' if near else '') + f'known: {", ".join(known)}')


def override(config, setting: str) -> None:
    """Applies 'training.batch_size=32' to a locked config."""
    from mvae.errors import InputError

    path, _, text = setting.partition('=')
    *parents, leaf = path.split('.')
    for parent in parents:
        config = config[choose('setting', parent, tuple(config.keys()))]
    choose('setting', leaf, tuple(config.keys()))
    try:
        value = text if isinstance(config[leaf], str) else ast.literal_eval(text)
        config[leaf] = float(value) if isinstance(config[leaf], float) else value
    except (TypeError, ValueError, SyntaxError):
        raise InputError(f'{path} takes a {type(config[leaf]).__name__}, not {text!r}') from None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description='Trains one experiment.')
    parser.add_argument('--exp', required=True, help=', '.join(EXPERIMENTS))
    parser.add_argument('--variant', help='flat or hierdec')
    parser.add_argument('--scale', help='tiny, small or paper (default: paper on an accelerator, small on a CPU)')
    parser.add_argument('--data', type=Path, help='a store built by make data (default: data/demo)')
    parser.add_argument('--run', type=Path, help='run folder (default: runs/EXP)')
    parser.add_argument('--steps', type=int, help='updates')
    parser.add_argument('--set', action='append', default=[], metavar='SETTING=VALUE', help='any setting of mvae/config.py')
    options = parser.parse_args(arguments)
    from mvae.config import SCALES, VARIANTS
    from mvae.errors import InputError

    try:
        name = choose('experiment', options.exp, EXPERIMENTS)
        spec = importlib.util.spec_from_file_location(name, CONFIGS / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        import jax

        cache = os.environ.get('XDG_CACHE_HOME', str(Path.home() / '.cache'))
        jax.config.update('jax_compilation_cache_dir', str(Path(cache) / 'mvae'))
        platform = jax.default_backend()
        scale = choose('scale', options.scale or ('small' if platform == 'cpu' else 'paper'), SCALES)
        why = 'as asked' if options.scale else f'the default on {platform}'
        choices = {'variant': choose('variant', options.variant, VARIANTS)} if options.variant else {}
        config = module.get_config(scale=scale, **choices)
        for setting in options.set:
            override(config, setting)
        if options.data:
            config.data.path = str(options.data)
        if options.steps is not None:
            config.training.steps = options.steps
        run = options.run or Path('runs') / name
        print(f'{name} {config.variant}, scale {scale} ({why}), data {config.data.path}', flush=True)
        from mvae.training.loop import Interrupted, train_and_evaluate

        train_and_evaluate(config, run)
    except InputError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
