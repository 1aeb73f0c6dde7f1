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

from mvae.batch import Batch
from mvae.dataset.store import SPLITS, Store
from mvae.errors import InputError
from mvae.music.form import Form

_SHUFFLE_ROUNDS = 4
_PREFETCHED = 16
_THREADS = 2
# Added to a seed, of 64 bits: numbers that have nothing to do with the seed's own.
_LEFT_OUT = 2 << 64
_MIXED, _OTHER = 1 << 96, 1 << 112


class Loader:
    """Training and evaluation batches of one form.

    Every epoch goes through all windows once, in an order of its own, and the epochs run into each
    other: example i of the run (i = step * batch_size + row) is number i mod N of epoch i div N. No
    window is dropped.

    Args:
        store: the token store. form: in the store's notation.
        batch_size: examples per training step over all processes; None where the loader only
            evaluates, so that no training windows are needed.
        seed: of order, transposition and drum classes left out or exchanged.
        transpose: inclusive range of semitones, holding 0. Each example of each epoch is moved by a
            uniform integer, as far as all its pitches stay inside the notation; the tonal streams
            move together, drums never do.
        drop_drums: probability in [0, 1) of each drum class to be left out of an example of an
            epoch, whose drums are left as they are where none would remain.
        mix_drums: probability in [0, 1) of an example that each of its drum classes is, with an
            even chance, that of another training window, drawn anew for each epoch.
        process_index, process_count: which shard of the global batch: rows process_index * B_local
            to (process_index + 1) * B_local.

    Raises:
        InputError: with fewer windows in train than a batch, a batch that the processes cannot
            share evenly, or a store in another notation.
    """

    def __init__(
        self,
        store: Store,
        form: Form,
        batch_size: int | None,
        seed: int,
        transpose: tuple[int, int] = (0, 0),
        drop_drums: float = 0.0,
        mix_drums: float = 0.0,
        process_index: int = 0,
        process_count: int = 1,
    ):
        low, high = transpose
        if not low <= 0 <= high:
            raise InputError(f'transpose=({low}, {high}) must hold 0, such as (-5, 6)')
        for name, share in (('drop_drums', drop_drums), ('mix_drums', mix_drums)):
            if not 0 <= share < 1:
                raise InputError(f'{name}={share} must be a probability below 1, such as 0.1')
        _check_batch(
            process_count if batch_size is None else batch_size, process_index, process_count
        )
        if seed < 0:
            raise InputError(f'the seed must not be negative, but is {seed}')
        if any(not told.tonal for told in form.conditions) and (drop_drums or mix_drums):
            raise InputError(
                f'drum classes of {form.name} cannot be left out or exchanged: the model is told '
                'which are hit; set data.drop_drums and data.mix_drums to 0'
            )
        store.require(form)
        self.store, self.form = store, form
        self.batch_size = batch_size or 0
        self.local_batch_size = self.batch_size // process_count
        self.seed, self.transpose = seed, (low, high)
        self.drop_drums, self.mix_drums = drop_drums, mix_drums
        self.process_index, self.process_count = process_index, process_count
        self._windows = store.windows(form, 'train')
        if len(self._windows) < self.batch_size:
            raise InputError(_too_few(store, form, self.batch_size))

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every training window is seen once."""
        return len(self._windows) / self.batch_size

    def batch(self, step: int, varied: bool = True) -> Batch:
        """This process's shard of the batch of `step`; not varied, as the music is."""
        first = step * self.batch_size + self.process_index * self.local_batch_size
        rows = self._shuffled(first, self.local_batch_size)
        self.store.check_unchanged()
        parts = self.store.gather_parts(self._windows[rows], self.form)
        if varied and self.transpose != (0, 0):
            self._transpose(parts, first)
        if varied and self.mix_drums:
            self._mix_drums(parts, first)
        if varied and self.drop_drums:
            self._drop_drums(parts, first)
        streams, conditions = self._sorted(parts)
        return Batch.of(streams, first - step * self.batch_size, conditions)

    def _sorted(self, parts: list[np.ndarray]) -> tuple[tuple[np.ndarray, ...], ...]:
        """Streams and conditions, int32 [B, T, C] each."""
        columns, count = tuple(part.astype(np.int32) for part in parts), len(self.form.streams)
        return columns[:count], columns[count:]

    def iterate(self, start_step: int = 0) -> Iterator[Batch]:
        """The batches from `start_step` on without end, read ahead in threads of their own."""
        dataset = grain.MapDataset.source(_Steps(self, start_step))
        options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_PREFETCHED)
        return iter(dataset.to_iter_dataset(options))

    def evaluation_batches(
        self, split: str, batch_size: int, limit: int | None = None
    ) -> Iterator[Batch]:
        """One pass over a split, never transposed, the same at every call.

        Args:
            split: 'train', 'validation' or 'test'.
            batch_size: examples per batch over all processes; each process gets its rows, as in
                training.
            limit: at most so many windows, a fixed subset drawn by the seed; None takes all.

        The last batch is filled up with windows of mask 0. Raises InputError where the split has no
        windows.
        """
        _check_batch(batch_size, self.process_index, self.process_count)
        windows = self.store.windows(self.form, split)
        return self._evaluation_batches(windows, self._chosen(split, limit), batch_size)

    def evaluation_pieces(
        self, split: str, batch_size: int, limit: int | None = None
    ) -> Iterator[np.ndarray]:
        """The windows of `evaluation_batches` as pieces, int32 [B, T, K], without what fills up."""
        for batch in self.evaluation_batches(split, batch_size, limit):
            yield self.form.join(batch.parts)[np.asarray(batch.mask) > 0]

    def evaluation_songs(self, split: str, limit: int | None = None) -> np.ndarray:
        """The song of every window of `evaluation_batches`, in their order, uint32 [N].

        Over all processes. Raises as that does.
        """
        chosen = self._chosen(split, limit)
        return np.asarray(self.store.songs(self.form, split)[chosen])

    def _chosen(self, split: str, limit: int | None) -> np.ndarray:
        """Rows of a split's windows that an evaluation takes, rising."""
        count = self.store.count(self.form, split)
        if count == 0:
            raise InputError(
                f'{self.store.path} has no {self.form} windows in {split}: too few songs to split; '
                'add MIDI files and rebuild it'
            )
        if limit is None or limit >= count:
            return np.arange(count)
        rng = np.random.default_rng([self.seed, SPLITS.index(split)])
        return np.sort(rng.choice(count, limit, replace=False))

    def _evaluation_batches(
        self, windows: np.ndarray, chosen: np.ndarray, batch_size: int
    ) -> Iterator[Batch]:
        local = batch_size // self.process_count
        for start in range(0, len(chosen), batch_size):
            place = start + self.process_index * local + np.arange(local)
            rows = chosen[np.minimum(place, len(chosen) - 1)]
            parts = self.store.gather_parts(windows[rows], self.form)
            mask = (place < len(chosen)).astype(np.float32)
            streams, conditions = self._sorted(parts)
            yield Batch(streams, conditions, mask, place.astype(np.int32))

    def _shuffled(self, first: int, count: int) -> np.ndarray:
        """Window numbers of the examples first to first + count - 1 of the run."""
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

    def _transpose(self, parts: list[np.ndarray], first: int) -> None:
        """Moves the tonal ones of parts uint16 [B, T, C], all of an example by one shift."""
        tonal = [n for n, part in enumerate(self.form.parts) if part.tonal]
        if not tonal:
            return
        codecs = [self.form.parts[n].codec for n in tonal]
        rooms = [codec.room(parts[n]) for codec, n in zip(codecs, tonal, strict=True)]
        down, up = (np.min(room, axis=0) for room in zip(*rooms, strict=True))
        low, high = np.maximum(self.transpose[0], -down), np.minimum(self.transpose[1], up)
        uniform = _uniform(self.seed, first, self.local_batch_size)
        shift = low + np.floor(uniform * (high - low + 1)).astype(np.int64)
        for codec, n in zip(codecs, tonal, strict=True):
            parts[n] = codec.transpose(parts[n], shift)

    def _mix_drums(self, parts: list[np.ndarray], first: int) -> None:
        """Takes droppable pieces of some of parts uint16 [B, T, C] from other windows."""
        count = self.local_batch_size
        rows = (_uniform(self.seed + _OTHER, first, count) * len(self._windows)).astype(np.int64)
        others = self.store.gather_parts(self._windows[rows], self.form)
        mixed = _uniform(self.seed + _MIXED, first, count)[:, None] < self.mix_drums
        for n, part in enumerate(self.form.parts):
            if classes := part.codec.droppable:
                key = self.seed + _MIXED + (n + 1) * _LEFT_OUT
                uniform = _uniform(key, first * classes, count * classes).reshape(-1, classes)
                parts[n] = part.codec.mix(parts[n], others[n], mixed & (uniform < 0.5))

    def _drop_drums(self, parts: list[np.ndarray], first: int) -> None:
        """Leaves each droppable piece of parts uint16 [B, T, C] out with the probability set."""
        key = self.seed
        for n, part in enumerate(self.form.parts):
            if classes := part.codec.droppable:
                key += _LEFT_OUT
                uniform = _uniform(key, first * classes, self.local_batch_size * classes)
                kept = uniform.reshape(-1, classes) >= self.drop_drums
                parts[n] = part.codec.drop(parts[n], kept)


class _Steps:
    """The endless row of batches as a random-access source for grain."""

    def __init__(self, loader: Loader, start: int):
        self._loader, self._start = loader, start

    def __len__(self) -> int:
        return sys.maxsize - self._start

    def __getitem__(self, index: int) -> Batch:
        return self._loader.batch(self._start + int(index))


def _uniform(seed: int, first: int, count: int) -> np.ndarray:
    """Numbers first to first + count - 1 of a seed's uniform float64 in [0, 1).

    A jump to the first of them, not a walk.
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
            f'use a multiple of {process_count}, such as '
            f'{max(1, round(batch_size / process_count)) * process_count}'
        )


def _too_few(store: Store, form: Form, batch_size: int) -> str:
    """Why there are too few windows, from the store's funnel, and what to do."""
    count = store.count(form, 'train')
    funnel = store.meta.get('funnel', {})
    own = funnel.get('forms', {}).get(f'{form.name}-{form.bars}', {})
    reasons = dict(own.get('rejected', {}))
    for reason, files in funnel.get('files', {}).get('rejected', {}).items():
        reasons[reason] = reasons.get(reason, 0) + files
    reasons.pop('duplicate', None)  # repetitions within a song: always many, never the cause
    main = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    words = ', '.join(f'{reason} {number}' for reason, number in main)
    why = f' (lost on the way: {words})' if main else ''
    size = 1 << (count.bit_length() - 1) if count else 0
    smaller = f'use --config.training.batch_size={size} or ' if count else ''
    return (
        f'{store.path} has {count} training windows of {form}, '
        f'fewer than a batch of {batch_size}{why}; {smaller}add MIDI files and rebuild it'
    )
