"""What a run tells: metrics.jsonl and TensorBoard in its folder, a progress bar and sentences."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from tensorboardX import SummaryWriter

from mvae.errors import InputError
from mvae.progress import progress


class RunLog:
    """Metrics of one run; a resumed run goes on without a gap or a repeated step.

    In processes that do not write, everything is silent.
    """

    def __init__(self, run: Path, start: int, steps: int, batch_size: int, writes: bool):
        """start: updates done before. Raises InputError where the folder cannot be written."""
        self._batch_size, self._writes = batch_size, writes
        self._bar = progress(total=steps, initial=start, unit='step', disable=not writes)
        if writes:
            purge = start + 1 if start else None
            try:
                self._file = _reopen(run / 'metrics.jsonl', start)
                self._board = SummaryWriter(str(run / 'tensorboard'), purge_step=purge)
            except OSError as error:
                raise InputError(f'cannot write to {run}: {error.strerror}') from None

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Writes a line; names without '/' are of training. Raises InputError where it cannot."""
        if not self._writes:
            return
        try:
            self._file.write(json.dumps({'step': step, **values}) + '\n')
            for name, value in values.items():
                self._board.add_scalar(name if '/' in name else f'train/{name}', value, step)
        except OSError as error:
            raise InputError(
                f'cannot write metrics: {error.strerror}; the last checkpoint is whole'
            ) from None

    def step_done(self) -> None:
        """Moves the bar by one update."""
        self._bar.update()

    def show(self, line: dict[str, float]) -> None:
        """Shows what `training_line` gave beside the bar."""
        rate = (self._bar.format_dict['rate'] or 0) * self._batch_size
        self._bar.set_postfix(
            loss=f'{line["loss"]:.1f}',
            kl=f'{line["kl_bits"]:.0f} bits',
            accuracy=f'{line["accuracy"]:.3f}',
            examples=f'{rate:.0f}/s',
        )

    def say(self, text: str) -> None:
        """Prints a sentence above the bar."""
        if self._writes:
            self._bar.write(text)

    def __enter__(self) -> 'RunLog':
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        if self._writes:
            self._file.close()
            self._board.close()


def training_line(sums: dict[str, float]) -> dict[str, float]:
    """Means per example and per token, KL in bits, from the sums of `step.train_step`."""
    n = sums['examples']
    return {
        'loss': sums['loss'] / n,
        'reconstruction': sums['reconstruction'] / n,
        'kl_bits': sums['kl'] / n / np.log(2),
        'accuracy': sums['correct'] / sums['tokens'],
        **{name: sums[name] for name in ('gradient_norm', 'parameter_norm', 'update_norm')},
    }


def evaluation_sentence(step: int, results: dict[str, float], streams: Sequence[str]) -> str:
    """An evaluation in words; streams: their names, in order."""
    loss, kl = f'{results["loss"]:.2f}', f'{results["kl_bits"]:.0f}'
    parts = [
        f'{name} {results[f"accuracy_{k}"]:.1%} (an empty piece {results[f"baseline_{k}"]:.1%}; '
        f'where notes begin {results[f"onset_accuracy_{k}"]:.1%})'
        for k, name in enumerate(streams)
    ]
    return (
        f'step {step}, music of the validation split: loss {loss}, codes of {kl} bits; '
        f'right, knowing all before: {"; ".join(parts)}'
    )


def _reopen(path: Path, start: int) -> TextIO:
    """Opens the file to append after the lines of the first `start` updates.

    Later updates will be done again. What is kept is written beside, then renamed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text().splitlines() if path.exists() else []
    beside = path.with_suffix('.partial')
    beside.write_text(''.join(line + '\n' for line in lines if _step_of(line) <= start))
    os.replace(beside, path)
    return path.open('a', buffering=1)


def _step_of(line: str) -> float:
    """The step of a line; infinity for one that a kill cut short."""
    try:
        return json.loads(line)['step']
    except (ValueError, KeyError):
        return float('inf')
