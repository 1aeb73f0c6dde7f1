"""Magenta's configs: what they say and the shapes of a checkpoint do not.

docs/magenta.md, "Configurations", lists them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class MagentaConfig:
    """What a config of Magenta's says and shapes do not, and what Magenta trains it with.

    drum_map: by which Magenta plays it. reads: what the encoder is told of a groove, see
    `mvae.model.groove`. drums: how they are written.
    """

    form: str
    bars: int
    variant: str
    batch_size: int
    free_bits: float
    max_beta: float
    beta_rate: float = 0.0
    scheduled: bool = False  # inverse sigmoid with rate 1000
    drum_map: str = 'old'
    reads: str = 'all'
    drums: str = 'softmax'
    input_dropout: float = 0.0
    note_dropout: float = 0.0


def _groove(
    bars: int, reads: str, note_dropout: float = 0.0, form: str = 'groove'
) -> MagentaConfig:
    return MagentaConfig(
        *(form, bars, 'flat', 512, 48.0, 0.2),
        drum_map='current',
        reads=reads,
        input_dropout=0.7,
        note_dropout=note_dropout,
    )


def _nade(form: str) -> MagentaConfig:
    return MagentaConfig(form, 2, 'flat', 512, 48.0, 0.2, scheduled=True, drums='nade')


_BAND = MagentaConfig('band', 1, 'hier', 256, 0.0, 1.0)
_BAND_OF_CHORDS = MagentaConfig('band_of_chords', 1, 'hier', 256, 0.0, 1.0)

CONFIGS = {
    'cat-mel_2bar_small': MagentaConfig(
        'melody', 2, 'flat', 512, 0.0, 0.2, 0.99999, scheduled=True
    ),
    'cat-mel_2bar_big': MagentaConfig('melody', 2, 'flat', 512, 0.0, 0.5, 0.99999, scheduled=True),
    'cat-mel_2bar_med_chords': MagentaConfig('lead', 2, 'flat', 512, 0.0, 1.0),
    'cat-drums_2bar_small': MagentaConfig('drums', 2, 'flat', 512, 48.0, 0.2, scheduled=True),
    'cat-drums_2bar_big': MagentaConfig('drums', 2, 'flat', 512, 48.0, 0.2, scheduled=True),
    'nade-drums_2bar_reduced': _nade('drums'),
    'nade-drums_2bar_full': _nade('percussion'),
    'flat-mel_16bar': MagentaConfig('melody', 16, 'flat', 512, 256.0, 0.2),
    'flat-trio_16bar': MagentaConfig('trio', 16, 'flat', 256, 0.0, 1.0),
    'hierdec-mel_16bar': MagentaConfig('melody', 16, 'hierdec', 512, 256.0, 0.2),
    'hierdec-trio_16bar': MagentaConfig('trio', 16, 'hierdec', 256, 256.0, 0.2),
    'hier-mel_16bar': MagentaConfig('melody', 16, 'hier', 512, 256.0, 0.2),
    'hier-trio_16bar': MagentaConfig('trio', 16, 'hier', 256, 256.0, 0.2),
    'hier-multiperf_vel_1bar_med': _BAND,
    'hier-multiperf_vel_1bar_big': _BAND,
    'hier-multiperf_vel_1bar_med_chords': _BAND_OF_CHORDS,
    'hier-multiperf_vel_1bar_big_chords': _BAND_OF_CHORDS,
    'groovae_4bar': _groove(4, 'all'),
    'groovae_2bar_humanize': _groove(2, 'hits'),
    'groovae_2bar_tap_fixed_velocity': _groove(2, 'taps'),
    'groovae_2bar_tap_fixed_velocity_note_dropout': _groove(2, 'taps', 0.8),
    'groovae_2bar_add_closed_hh': _groove(2, 'no_hat'),
    'groovae_2bar_hits_control_tfds': _groove(2, 'all', form='groove_of_hits'),
}


def config_named(text: str) -> str | None:
    """The config of Magenta's whose name stands in a file's name, None where none does.

    '-' and '_' are alike, as the files mix them.
    """
    plain = text.lower().replace('-', '_')
    fits = [name for name in CONFIGS if name.replace('-', '_') in plain]
    return max(fits, key=len) if fits else None
