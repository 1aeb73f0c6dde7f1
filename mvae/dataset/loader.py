"""Batches of a store: a pure function of (seed, step, process).

Nothing is carried from step to step, so the state of a run's data is its step number: a resumed run
sees exactly what an unbroken one sees, and the processes of a pod share each global batch without
talking to each other.
"""

import sys
from collections.abc import Iterator

import grain
import numpy as np
from grain.experimental import index_shuffle

from mvae.dataset.store import SPLITS, TONAL_STREAMS, Store, batch_major
from mvae.errors import InputError
from mvae.music.pieces import STEPS_PER_BAR
from mvae.music.vocabulary import DRUM_CLASSES, FIRST_NOTE_ON, STREAMS

_SHUFFLE_ROUNDS = 4
_PREFETCHED = 16
_THREADS = 2
_LEFT_OUT = (
    2 << 64
)  # added to a seed, of 64 bits: numbers that have nothing to do with the seed's own


class Loader:
    """Training and evaluation batches of one kind and length of window.

    Every epoch goes through all windows once, in an order of its own, and the epochs run into each
    other: example i of the run (i = step * batch_size + row) is number i mod N of epoch i div N. No
    window is dropped.

    Args:
        store: the token store.
        kind: 'melody', 'bass', 'drums' or 'trio'.
        bars: length of the windows.
        batch_size: examples per step over all processes.
        seed: of order, transposition and drum classes left out.
        transpose: inclusive range of semitones, holding 0. Each example of each epoch is moved by a
            uniform integer, as far as all its pitches stay inside the vocabulary; melody and bass
            of a trio move together, drums never do.
        drop_drums: probability in [0, 1) of each drum class to be left out of an example of an
            epoch, whose drums are left as they are where none would remain.
        process_index, process_count: which shard of the global batch: rows process_index*B_local to
            (process_index+1)*B_local.

    Raises:
        InputError: with fewer windows in train than a batch, or a batch that the processes cannot
            share evenly.
    """

    def __init__(
        self,
        store: Store,
        kind: str,
        bars: int,
        batch_size: int,
        seed: int,
        transpose: tuple[int, int] = (0, 0),
        drop_drums: float = 0.0,
        process_index: int = 0,
        process_count: int = 1,
    ):
        low, high = transpose
        if not low <= 0 <= high:
            raise InputError(f'transpose=({low}, {high}) must hold 0, such as (-5, 6)')
        if not 0 <= drop_drums < 1:
            raise InputError(f'drop_drums={drop_drums} must be a probability below 1, such as 0.1')
        _check_batch(batch_size, process_index, process_count)
        if seed < 0:
            raise InputError(f'the seed must not be negative, but is {seed}')
        self.store, self.kind, self.bars = store, kind, bars
        self.batch_size, self.local_batch_size = batch_size, batch_size // process_count
        self.seed, self.transpose, self.drop_drums = seed, (low, high), drop_drums
        self.process_index, self.process_count = process_index, process_count
        self.steps = bars * STEPS_PER_BAR
        self._windows = store.windows(kind, bars, 'train')
        if len(self._windows) < batch_size:
            raise InputError(_too_few(store, kind, bars, batch_size))

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every training window is seen once."""
        return len(self._windows) / self.batch_size

    def batch(self, step: int) -> np.ndarray:
        """This process's shard of the batch of `step`: int32 [B_local, T, K]."""
        first = step * self.batch_size + self.process_index * self.local_batch_size
        rows = self._shuffled(first, self.local_batch_size)
        streams = self.store.gather_streams(self._windows[rows], self.steps, self.kind)
        if self.transpose != (0, 0) and TONAL_STREAMS[self.kind]:
            self._transpose(streams, _uniform(self.seed, first, self.local_batch_size))
        if self.drop_drums and 'drums' in STREAMS[self.kind]:
            uniform = _uniform(
                self.seed + _LEFT_OUT, first * DRUM_CLASSES, self.local_batch_size * DRUM_CLASSES
            )
            self._drop_drums(streams, uniform.reshape(-1, DRUM_CLASSES))
        return batch_major(streams)

    def iterate(self, start_step: int = 0) -> Iterator[np.ndarray]:
        """The batches from `start_step` on without end, read ahead in threads of their own."""
        dataset = grain.MapDataset.source(_Steps(self, start_step))
        return iter(
            dataset.to_iter_dataset(
                grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_PREFETCHED)
            )
        )

    def evaluation_batches(
        self, split: str, batch_size: int, limit: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """One pass over a split, never transposed, the same at every call.

        Args:
            split: 'train', 'validation' or 'test'.
            batch_size: examples per batch over all processes; each process gets its rows, as in
                training.
            limit: at most so many windows, a fixed subset drawn by the seed; None takes all.

        Yields:
            (tokens int32 [B_local, T, K], mask float32 [B_local]). The last batch is filled up with
            windows of mask 0.

        Raises:
            InputError: where the split has no windows.
        """
        _check_batch(batch_size, self.process_index, self.process_count)
        return self._evaluation_batches(
            self.store.windows(self.kind, self.bars, split), self._chosen(split, limit), batch_size
        )

    def evaluation_songs(self, split: str, limit: int | None = None) -> np.ndarray:
        """The song of every window of `evaluation_batches`, over all processes, in their order:
        uint32 [N]. Raises as that does.
        """
        chosen = self._chosen(split, limit)
        return np.asarray(self.store.songs(self.kind, self.bars, split)[chosen])

    def _chosen(self, split: str, limit: int | None) -> np.ndarray:
        """Rows of a split's windows that an evaluation takes, rising."""
        count = self.store.count(self.kind, self.bars, split)
        if count == 0:
            raise InputError(
                f'{self.store.path} has no {self.bars}-bar {self.kind} windows in {split}: too few songs to split; add MIDI files and rebuild it'
            )
        if limit is None or limit >= count:
            return np.arange(count)
        return np.sort(
            np.random.default_rng([self.seed, SPLITS.index(split)]).choice(
                count, limit, replace=False
            )
        )

    def _evaluation_batches(
        self, windows: np.ndarray, chosen: np.ndarray, batch_size: int
    ) -> Iterator[tuple]:
        local = batch_size // self.process_count
        for start in range(0, len(chosen), batch_size):
            place = start + self.process_index * local + np.arange(local)
            mask = (place < len(chosen)).astype(np.float32)
            rows = chosen[np.minimum(place, len(chosen) - 1)]
            yield self.store.gather(windows[rows], self.steps, self.kind), mask

    def _shuffled(self, first: int, count: int) -> np.ndarray:
        """Window numbers of the examples first .. first + count - 1 of the run."""
        total, rows = len(self._windows), np.empty(count, np.int64)
        epoch, place = divmod(first, total)
        done = 0
        while done < count:
            key = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0])
            size = min(count - done, total - place)
            rows[done : done + size] = [
                index_shuffle(index, total - 1, key, _SHUFFLE_ROUNDS)
                for index in range(place, place + size)
            ]
            done, epoch, place = done + size, epoch + 1, 0
        return rows

    def _transpose(self, streams: np.ndarray, uniform: np.ndarray) -> None:
        """Moves the tonal ones of streams uint16 [B, K, T] in place, by shifts from uniform [B] in
        [0, 1).
        """
        tonal = streams[:, : len(TONAL_STREAMS[self.kind])]  # they are the first ones in every kind
        pitches = self.store.vocabulary.sizes(self.kind)[0] - FIRST_NOTE_ON
        # Unsigned, so that hold and note-off wrap round to the top and are never the lowest note.
        lowest = (tonal - np.uint16(FIRST_NOTE_ON)).min(axis=(1, 2)).astype(np.int64)
        highest = tonal.max(axis=(1, 2)).astype(np.int64) - FIRST_NOTE_ON
        low = np.maximum(self.transpose[0], -np.minimum(lowest, pitches - 1))
        high = np.minimum(self.transpose[1], pitches - 1 - np.maximum(highest, 0))
        shift = low + np.floor(uniform * (high - low + 1)).astype(np.int64)
        tonal += (tonal >= FIRST_NOTE_ON) * shift.astype(np.uint16)[
            :, None, None
        ]  # modulo 2**16: down as well as up

    def _drop_drums(self, streams: np.ndarray, uniform: np.ndarray) -> None:
        """Leaves drum classes out of streams uint16 [B, K, T] in place, those whose uniform [B, 9]
        in [0, 1) lies below `drop_drums`.
        """
        drums = streams[:, STREAMS[self.kind].index('drums')]
        kept = (
            drums
            & ((uniform >= self.drop_drums) @ (1 << np.arange(DRUM_CLASSES))).astype(np.uint16)[
                :, None
            ]
        )
        np.copyto(drums, kept, where=kept.any(1, keepdims=True))


class _Steps:
    """The endless row of batches as a random-access source for grain."""

    def __init__(self, loader: Loader, start: int):
        self._loader, self._start = loader, start

    def __len__(self) -> int:
        return sys.maxsize - self._start

    def __getitem__(self, index: int) -> np.ndarray:
        return self._loader.batch(self._start + int(index))


def _uniform(seed: int, first: int, count: int) -> np.ndarray:
    """Numbers first ..

    first + count - 1 of the seed's stream of uniform float64 in [0, 1): a jump, not a walk.
    """
    skip = first % 4  # Philox makes four words at a time
    words = np.random.Philox(key=seed).advance(first // 4).random_raw(skip + count)[skip:]
    return (words >> np.uint64(11)) * 2.0**-53


def _check_batch(batch_size: int, process_index: int, process_count: int) -> None:
    if not 0 <= process_index < process_count:
        raise InputError(f'process {process_index} of {process_count} does not exist')
    if batch_size < 1 or batch_size % process_count:
        raise InputError(
            f'a batch of {batch_size} cannot be shared evenly by {process_count} processes; '
            f'use a multiple of {process_count}, such as {max(1, round(batch_size / process_count)) * process_count}'
        )


def _too_few(store: Store, kind: str, bars: int, batch_size: int) -> str:
    """Why there are too few windows, from the store's funnel, and what to do."""
    count = store.count(kind, bars, 'train')
    funnel = store.meta.get('funnel', {})
    reasons = dict(funnel.get('kinds', {}).get(f'{kind}-{bars}', {}).get('rejected', {}))
    for reason, files in funnel.get('files', {}).get('rejected', {}).items():
        reasons[reason] = reasons.get(reason, 0) + files
    reasons.pop('duplicate', None)  # repetitions within a song: always many, never the cause
    main = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    why = (
        f' (lost on the way: {", ".join(f"{reason} {number}" for reason, number in main)})'
        if main
        else ''
    )
    smaller = (
        f'use --config.training.batch_size={1 << (count.bit_length() - 1)} or ' if count else ''
    )
    return (
        f'{store.path} has {count} training windows of {bars}-bar {kind}, fewer than a batch of {batch_size}{why}; '
        f'{smaller}add MIDI files and rebuild it'
    )
