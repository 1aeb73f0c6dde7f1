"""Which model a checkpoint of Magenta's holds, told by its names and shapes; and what shapes cannot
say, by the names of Magenta's configs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_collections import ConfigDict

from mvae.config import experiment_config
from mvae.errors import InputError
from mvae.interop.tensors import Spec


@dataclass(frozen=True)
class MagentaConfig:
    """What a config of Magenta's says and shapes do not, and what Magenta trains it with
    (magenta.md 1.2).
    """

    kind: str
    bars: int
    variant: str
    batch_size: int
    free_bits: float
    max_beta: float
    beta_rate: float = 0.0
    scheduled: bool = False  # inverse sigmoid with rate 1000


CONFIGS = {
    'cat-mel_2bar_small': MagentaConfig(
        'melody', 2, 'flat', 512, 0.0, 0.2, 0.99999, scheduled=True
    ),
    'cat-mel_2bar_big': MagentaConfig('melody', 2, 'flat', 512, 0.0, 0.5, 0.99999, scheduled=True),
    'cat-drums_2bar_small': MagentaConfig('drums', 2, 'flat', 512, 48.0, 0.2, scheduled=True),
    'cat-drums_2bar_big': MagentaConfig('drums', 2, 'flat', 512, 48.0, 0.2, scheduled=True),
    'flat-mel_16bar': MagentaConfig('melody', 16, 'flat', 512, 256.0, 0.2),
    'flat-trio_16bar': MagentaConfig('trio', 16, 'flat', 256, 0.0, 1.0),
    'hierdec-mel_16bar': MagentaConfig('melody', 16, 'hierdec', 512, 256.0, 0.2),
    'hierdec-trio_16bar': MagentaConfig('trio', 16, 'hierdec', 256, 256.0, 0.2),
    'hier-mel_16bar': MagentaConfig('melody', 16, 'hier', 512, 256.0, 0.2),
    'hier-trio_16bar': MagentaConfig('trio', 16, 'hier', 256, 256.0, 0.2),
}
# Magenta's other families, by what is in the name of a checkpoint or its tensors; none of them is a
# model of ours.
_OTHERS = {
    'nade': 'a NADE drum model',
    'groovae': 'a GrooVAE model (drums with velocity and timing)',
    'chords': 'a model conditioned on chords',
    'multiperf': 'a multi-instrument performance model',
    'multitrack': 'a multi-instrument performance model',
}
_EXPERIMENTS = {
    ('melody', 2): 'mel2',
    ('drums', 2): 'drum2',
    ('melody', 16): 'mel16',
    ('trio', 16): 'trio16',
}
_PITCHES = {90: (21, 108), 130: (0, 127)}  # tokens of a melody -> lowest and highest pitch
_DRUMS, _DRUM_ROLL = 512, 10
_CORE = 'core_decoder/core_decoder'
_GROOVE, _MULTIPERF = 27, (482, 490)


def config_named(text: str) -> str | None:
    """The config of Magenta's whose name stands in a file's name; '-' and '_' alike, as its files
    mix them.
    """
    plain = text.lower().replace('-', '_')
    fits = [name for name in CONFIGS if name.replace('-', '_') in plain]
    return max(fits, key=len) if fits else None


def refuse_other_models(specs: Mapping[str, Spec], file: str, name: str | None = None) -> None:
    """Raises InputError for the families that we do not have; a config's name given beats what the
    file is called.
    """
    called = (name or re.split(r'[/:]', file)[-1]).lower()
    named = next((what for word, what in _OTHERS.items() if word in called), None)
    if any('/nade/' in name for name in specs):
        named = _OTHERS['nade']
    elif (width := _output_widths(specs)[:1]) == [_GROOVE]:
        named = _OTHERS['groovae']
    elif width and width[0] in _MULTIPERF:
        named = _OTHERS['multiperf']
    if named:
        raise InputError(
            f'{file} is {named}, which mvae does not have; it loads {", ".join(CONFIGS)}'
        )


def recognise(
    specs: Mapping[str, Spec],
    file: str,
    name: str | None = None,
    drum_map: str = 'old',
    decoder_only: bool = False,
) -> ConfigDict:
    """The config of a checkpoint's model.

    Args:
        specs: names and shapes of its tensors. file: its name, for messages, and because it mostly
            names Magenta's config.
        name: Magenta's config, where file does not say it.
        drum_map: of the drums' pitches; models of before April 2019, and so all that Google
            released, have the old one.
        decoder_only: leave the encoder out.

    Raises InputError for other families of models, and where the shapes do not fit together.
    """
    refuse_other_models(specs, file, name)
    if name is not None and name not in CONFIGS:
        raise InputError(
            f'{name!r} is no config of Magenta that mvae has; give one of {", ".join(CONFIGS)}'
        )
    if not _output_widths(specs):
        raise InputError(
            f'{file} has no decoder of MusicVAE: no tensor is named .../output_projection/kernel'
        )
    hierarchical = any(tensor.startswith('decoder/hierarchical_level_0/') for tensor in specs)
    hierarchical_encoder = any(
        tensor.startswith('encoder/hierarchical_level_0/') for tensor in specs
    )
    variant = {(0, 0): 'flat', (1, 0): 'hierdec', (0, 1): 'hierenc', (1, 1): 'hier'}[
        hierarchical, hierarchical_encoder
    ]
    kind, pitches = _streams(_output_widths(specs), file)
    level = 'hierarchical_level_0/' if hierarchical_encoder else ''
    cell = 'encoder/' + level + 'cell_{}/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/'
    drum_roll = _reads_drum_roll(specs, cell, kind, file)
    name = name or config_named(Path(file).name) or _only_fit(kind, variant, file)
    magenta = CONFIGS[name]
    if (magenta.kind, magenta.variant) != (kind, variant) and not (
        decoder_only and magenta.variant != 'flat' and hierarchical
    ):
        raise InputError(
            f'{file} holds a {variant} model of {kind}, not {name}, a {magenta.variant} model of {magenta.kind}'
        )
    c = experiment_config(_EXPERIMENTS[kind, magenta.bars], kind, magenta.bars, magenta.variant)
    if pitches:
        c.music.min_pitch, c.music.max_pitch = pitches
    c.music.drum_map = drum_map
    decoder = (
        'core_decoder/core_decoder_0/'
        if f'{_CORE}_0/decoder/output_projection/kernel' in specs
        else 'core_decoder/'
        if hierarchical
        else ''
    )
    c.model.decoder_sizes = _sizes(specs, decoder + 'decoder/multi_rnn_cell/cell_{}/lstm_cell/')
    if hierarchical:
        c.model.conductor_sizes = _sizes(specs, 'decoder/hierarchical_level_0/cell_{}/lstm_cell/')
    c.model.encoder_sizes = (
        () if decoder_only else _sizes(specs, cell, cell.replace('/fw/', '/bw/'))
    )
    if not (decoder_only or c.model.encoder_sizes):
        raise InputError(f'{file} has no encoder; --decoder-only loads what can be decoded')
    state = specs.get(
        'decoder/hierarchical_level_0/initial_state/kernel'
        if hierarchical
        else 'decoder/z_to_initial_state/kernel'
    )
    c.model.latent_size = state.shape[0] if state and len(state.shape) == 2 else 0
    c.model.drum_roll_input = drum_roll
    c.training.update(
        batch_size=magenta.batch_size,
        free_bits=magenta.free_bits,
        max_beta=magenta.max_beta,
        beta_rate=magenta.beta_rate,
    )
    if magenta.scheduled:
        c.training.update(sampling_schedule='inverse_sigmoid', sampling_rate=1000.0)
    else:
        c.training.update(sampling_schedule='constant', sampling_rate=0.0)
    return c


def _output_widths(specs: Mapping[str, Spec]) -> list[int]:
    """Logits of each output layer, in the order of the streams."""
    names = sorted(
        name
        for name in specs
        if re.fullmatch(
            r'(core_decoder/)?(core_decoder_\d/)?decoder/output_projection/kernel', name
        )
    )
    return [specs[name].shape[-1] for name in names if specs[name].shape]


def _streams(widths: list[int], file: str) -> tuple[str, tuple[int, int] | None]:
    """(kind, pitches of melody and bass) of output layers."""
    for tokens, pitches in _PITCHES.items():
        if widths in ([tokens, tokens, _DRUMS], [2 * tokens + _DRUMS]):
            return 'trio', pitches
        if widths == [tokens]:
            return 'melody', pitches
    if widths == [_DRUMS]:
        return 'drums', None
    raise InputError(
        f'{file} puts out {" + ".join(map(str, widths))} numbers per step; melodies have 90 or 130, drums 512, trios one of each'
    )


def _only_fit(kind: str, variant: str, file: str) -> str:
    fits = [name for name, c in CONFIGS.items() if (c.kind, c.variant) == (kind, variant)]
    if not fits:
        raise InputError(
            f'{file} holds a {variant} model of {kind}, as no config of Magenta is; it loads {", ".join(CONFIGS)}'
        )
    lengths = {CONFIGS[name].bars for name in fits}
    if len(lengths) != 1:
        raise InputError(
            f'the shapes in {file} do not say how long its windows are: name its config with --config, one of {", ".join(fits)}'
        )
    return fits[0]


def _sizes(specs: Mapping[str, Spec], *patterns: str) -> tuple[int, ...]:
    """Units of the layers of a stack, from whichever of its biases and kernels are there."""
    sizes = []
    while True:
        names = [
            pattern.format(len(sizes)) + what for pattern in patterns for what in ('bias', 'kernel')
        ]
        found = next((specs[name] for name in names if name in specs and specs[name].shape), None)
        if found is None:
            return tuple(sizes)
        sizes.append(found.shape[-1] // 4)


def _reads_drum_roll(specs: Mapping[str, Spec], cell: str, kind: str, file: str) -> bool:
    """Whether the encoder reads drums as 9 classes and 'no hit'; from the rows of its first kernel,
    as Magenta does where it is missing.
    """
    kernel = specs.get(cell.format(0) + 'kernel')
    if kernel is None or len(kernel.shape) != 2:
        return kind == 'drums'
    width, tokens = kernel.shape[0] - kernel.shape[1] // 4, sum(_output_widths(specs))
    if width > tokens:
        raise InputError(
            f'{file} reads {width - tokens} numbers per step beside its tokens: {_OTHERS["chords"]}, which mvae does not have'
        )
    return kind == 'drums' and width == _DRUM_ROLL
