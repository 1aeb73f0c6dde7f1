"""How well a model reconstructs: python experiments/evaluate.py --run runs/trio16 [--data STORE] [--split test] [--limit N] [--json PATH].

Teacher-forced, sampled (temperature 1) and greedy accuracy per stream, overall and on onsets, beside the most frequent token; loss, KL, active units.
"""

import argparse
import sys
from pathlib import Path

import command


def main(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from mvae.dataset.loader import Loader
    from mvae.dataset.store import SPLITS, Store
    from mvae.evaluation.reconstruction import evaluate_reconstruction, format_table
    from mvae.render.files import write_json
    from mvae.training.checkpoint import read_run

    folder = command.run_folder(options)
    saved = read_run(folder, options.checkpoint)
    split = command.choose('split', options.split, SPLITS)
    store = Store.open(options.data or saved.config.data.path)
    store.require(saved.vocabulary)
    loader = Loader(store, saved.config.kind, saved.config.bars, 1, options.seed)
    batches = loader.evaluation_batches(split, options.batch_size, options.limit)
    count = min(store.count(saved.config.kind, saved.config.bars, split), options.limit or 10**12)
    batches = tqdm(batches, total=-(-count // options.batch_size), unit='batch', dynamic_ncols=True)
    result = evaluate_reconstruction(saved.params, saved.model, batches, saved.config.kind, options.seed)
    result = {'run': str(folder), 'step': saved.step, 'data': str(store.path), 'split': split, 'seed': options.seed, **result}
    print(format_table(result))
    target = options.json or folder / f'evaluation-{split}.json'
    write_json(target, result)
    print(f'{target} (checkpoint of step {saved.step}, data {store.path}, split {split}, seed {options.seed})')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='How well a model reconstructs.')
    command.add_run_options(parser)
    parser.add_argument('--data', type=Path, help='store (default: the one that the run was trained on)')
    parser.add_argument('--split', default='test')
    parser.add_argument('--limit', type=command.positive, help='at most so many windows, drawn by the seed')
    parser.add_argument('--batch-size', type=command.positive, default=128)
    parser.add_argument('--json', type=Path, help='default: evaluation-SPLIT.json in the run folder')
    sys.exit(command.run(main, parser))
