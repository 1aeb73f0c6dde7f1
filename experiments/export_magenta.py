"""A run's weights under Magenta's names and shapes: python experiments/export_magenta.py --run
runs/mel2 --output mel2.npz.
"""

import argparse
import io
import sys
from pathlib import Path

import command


def main(options: argparse.Namespace) -> None:
    import numpy as np

    from mvae.files import write_atomically
    from mvae.interop import names
    from mvae.training.saved import read_run

    folder = command.run_folder(options)
    saved = read_run(folder, options.checkpoint)
    tensors = names.to_magenta(saved.params, saved.model) | {'global_step': np.int64(saved.step)}
    archive = io.BytesIO()
    np.savez(archive, **tensors)
    write_atomically(options.output, archive.getvalue())
    print(f'{options.output}: {len(tensors)} tensors of step {saved.step} of {folder}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description="A run's weights under Magenta's names and shapes."
    )
    command.add_run_options(parser)
    parser.add_argument('--output', type=Path, required=True, help='the .npz to write')
    sys.exit(command.run(main, parser))
