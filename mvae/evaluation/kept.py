"""What an evaluation that was kept as JSON must have: as much as the table asks for."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mvae.files import conform
from mvae.music.forms import FORMS

_Count = Annotated[int, Meta(ge=0, le=2**53)]
_Share = Annotated[float, Meta(ge=0, le=1)]


class _Mode(msgspec.Struct):
    accuracy: _Share
    interval: tuple[float, float] | None
    hits_of_songs: list[_Count] = []


class _Class(msgspec.Struct):
    share: _Share
    baseline: _Share
    teacher_forced: _Share
    sampled: _Share
    greedy: _Share


class _Curve(msgspec.Struct):
    mean: list[float]
    low: list[float]
    high: list[float]


class _Curves(msgspec.Struct):
    teacher_forced: _Curve | None
    sampled: _Curve | None
    greedy: _Curve | None


class _Stream(msgspec.Struct):
    baseline: _Share
    teacher_forced: _Mode
    sampled: _Mode
    greedy: _Mode
    classes: dict[str, _Class]
    onsets_by_bar: _Curves
    steps_of_songs: list[_Count] | None = None

    def __post_init__(self) -> None:
        if self.steps_of_songs is not None:
            for mode in (self.teacher_forced, self.sampled, self.greedy):
                if len(mode.hits_of_songs) != len(self.steps_of_songs):
                    raise ValueError('hits and steps of another number of songs')


class _Shared(msgspec.Struct):
    mean: _Share | None
    interval: tuple[float, float] | None


class _AtDistance(msgspec.Struct):
    same: _Shared


class _Novelty(msgspec.Struct):
    longest: float
    share: _Shared


class _Likeness(msgspec.Struct):
    features: dict[str, _Share]
    mean: _Share
    interval: tuple[float, float] | None
    worst: str

    def __post_init__(self) -> None:
        if self.worst not in self.features:
            raise ValueError(f'{self.worst[:80]} is no feature')


class _Pieces(msgspec.Struct):
    form: dict[str, dict[Annotated[str, Meta(pattern='^[1-9][0-9]{0,3}$')], _AtDistance]]
    likeness: _Likeness
    novelty: dict[str, _Novelty]
    temperature: float | None = None


class _Music(msgspec.Struct):
    pieces: _Count
    temperature: float
    of: dict[str, _Pieces]


class _Evaluation(msgspec.Struct):
    version: int
    run: str
    experiment: str
    form: str
    bars: Annotated[int, Meta(ge=1, le=4096)]
    variant: str
    scale: str
    notation: dict[str, Any]
    parameters: _Count
    step: _Count
    planned_steps: _Count
    training_batch_size: _Count
    training_seed: _Count
    data: str
    corpus: str
    split: str
    limit: _Count | None
    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    windows: _Count
    songs: _Count
    reconstruction: float
    kl_bits: float
    active_units: _Count
    latent_size: _Count
    streams: dict[str, _Stream]
    music: _Music | None = None

    def __post_init__(self) -> None:
        for pieces in self.music.of.values() if self.music else ():
            if not set(pieces.form) == set(pieces.novelty) == set(self.streams):
                raise ValueError('music of other streams')
        if set(self.streams) != set(FORMS.get(self.form, ())):
            raise ValueError(f'these are not the streams of {self.form}')
        for stream in self.streams.values():
            by_bar = stream.onsets_by_bar
            for curve in (by_bar.teacher_forced, by_bar.sampled, by_bar.greedy):
                if curve and {len(curve.mean), len(curve.low), len(curve.high)} != {self.bars}:
                    raise ValueError('onsets of another number of bars')


def check(kept: Any, where: object, remedy: str = '') -> None:
    """Raises InputError where JSON values are no evaluation."""
    conform(kept, _Evaluation, where, remedy)
