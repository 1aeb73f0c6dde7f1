"""Which values the settings of mvae/config.py may have: those of a training, and those read."""

from typing import Annotated, Any, Literal

import msgspec
from ml_collections import ConfigDict
from msgspec import Meta

from mvae.config import VARIANTS
from mvae.errors import InputError

_MOST_BARS = 4096
_MOST_UNITS, _MOST_LAYERS = 2**15, 16

_Positive = Annotated[int, Meta(ge=1, le=2**53)]
_Count = Annotated[int, Meta(ge=0, le=2**53)]
_Rate = Annotated[float, Meta(ge=0, le=1e30)]
_Share = Annotated[float, Meta(ge=0, lt=1)]
_Units = Annotated[int, Meta(ge=1, le=_MOST_UNITS)]
_Layers = Annotated[tuple[_Units, ...], Meta(max_length=_MOST_LAYERS)]
_Semitones = Annotated[int, Meta(ge=-127, le=127)]


# Of earlier versions: how training began and went on, nothing that a trained model needs.
_GONE = {'model': ('delay_lines',), 'training': ('bars_rate', 'bars_recurrence_rate')}


class _Music(msgspec.Struct):
    min_pitch: int  # within which range, says mvae.music.notation
    max_pitch: int
    drum_map: str
    steps_per_quarter: int
    meter: str


class _Data(msgspec.Struct):
    path: str
    transpose: tuple[_Semitones, _Semitones]
    drop_drums: _Share
    mix_drums: _Share


class _Model(msgspec.Struct):
    encoder_sizes: _Layers
    latent_size: _Units
    conductor_sizes: _Layers
    decoder_sizes: Annotated[_Layers, Meta(min_length=1)]
    drum_roll_input: bool
    drums: Literal['softmax', 'nade']
    nade_hidden: _Units
    reads: str  # which, says mvae.model.groove
    errors_at_hits: bool
    dtype: Literal['float32', 'bfloat16']
    bottleneck_stddev: _Rate
    initial_sigma: _Rate
    bar_codes: bool
    chrono_init: bool


class _Training(msgspec.Struct):
    steps: _Count
    batch_size: _Positive
    accumulation: _Positive
    learning_rate: _Rate
    min_learning_rate: _Rate
    decay_rate: _Rate
    clip_norm: _Rate
    max_beta: _Rate
    beta_rate: _Rate
    free_bits: _Rate
    sampling_schedule: str  # which, and of which rate: mvae.training.schedules
    sampling_rate: _Rate
    token_dropout: _Share
    told_dropout: _Share
    input_dropout: _Share
    note_dropout: _Share
    check_replicas_every: _Count


class _Prior(msgspec.Struct):
    steps: _Count
    windows: _Positive
    batch_size: _Positive
    learning_rate: _Rate
    width: _Units  # a multiple of heads, says check
    layers: Annotated[int, Meta(ge=1, le=_MOST_LAYERS)]
    heads: _Units


class _Evaluation(msgspec.Struct):
    every: _Positive
    windows: _Positive
    batch_size: _Positive
    samples: _Count
    temperature: _Rate


class _Logging(msgspec.Struct):
    every: _Positive


class _Checkpoint(msgspec.Struct):
    every: _Positive
    init_from: str


class _Settings(msgspec.Struct):
    experiment: str
    form: str  # which are known, says mvae.music.forms
    bars: Annotated[int, Meta(ge=1, le=_MOST_BARS)]
    variant: Annotated[str, Meta(pattern=f'^({"|".join(VARIANTS)})$')]
    scale: str
    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    music: _Music
    data: _Data
    model: _Model
    training: _Training
    prior: _Prior
    evaluation: _Evaluation
    logging: _Logging
    checkpoint: _Checkpoint


def without_gone(config: dict[str, Any]) -> dict[str, Any]:
    """A kept config without the settings that are no more."""
    return {
        name: {key: x for key, x in values.items() if key not in _GONE.get(name, ())}
        if isinstance(values, dict)
        else values
        for name, values in config.items()
    }


def check(config: ConfigDict) -> None:
    """Raises InputError that names the setting whose value cannot be."""
    try:
        msgspec.convert(config.to_dict(), _Settings)
    except (ValueError, OverflowError) as error:
        why = str(error).replace('`', '').replace('$.', '--config.')
        raise InputError(f'a setting is of a wrong kind or out of its range: {why}') from None
    if (width := config.prior.width) % (heads := config.prior.heads):
        raise InputError(f'--config.prior.width {width} is no multiple of prior.heads {heads}')
