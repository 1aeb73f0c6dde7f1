"""Which model a checkpoint of Magenta's holds, told by its names and shapes.

What shapes cannot say, the names of Magenta's configs do (`configs`).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from ml_collections import ConfigDict

from mvae.config import base_config
from mvae.errors import InputError
from mvae.interop.configs import CONFIGS, MagentaConfig, config_named
from mvae.interop.tensors import Spec

_EXPERIMENTS = {
    ('melody', 2): 'mel2',
    ('drums', 2): 'drum2',
    ('percussion', 2): 'percussion2',
    ('melody', 16): 'mel16',
    ('trio', 16): 'trio16',
    ('groove', 2): 'groove2',
    ('groove', 4): 'groove4',
    ('lead', 2): 'lead2',
    ('groove_of_hits', 2): 'hits2',
    ('band', 1): 'band1',
    ('band_of_chords', 1): 'chords1',
}
_BY = {'softmax': '', 'nade': ' by NADE'}
_BY_NADE = {'drum2': 'nade2'}  # where NADE writes what softmaxes write, too
# (decoder, encoder) hierarchical or not -> our name of it.
_VARIANTS = {
    (False, False): 'flat',
    (True, False): 'hierdec',
    (False, True): 'hierenc',
    (True, True): 'hier',
}
_PITCHES = {90: (21, 108), 130: (0, 127)}  # tokens of a melody -> lowest and highest pitch
_DRUMS = 512
_ROLLS = {'drums': 10}  # forms that encoders read as rolls, and how many numbers these have
# (form, numbers that its decoder is told at every step) -> the form that is told them.
_TOLD = {
    ('melody', 49): 'lead',
    ('groove', 9): 'groove_of_hits',
    ('band', 49): 'band_of_chords',
}
_NADE, _CLASSES = 'decoder/nade/w_enc', {9: 'drums', 61: 'percussion'}
_CORE = 'core_decoder/core_decoder'
_OUTPUT = re.compile(r'(core_decoder/)?(core_decoder_\d/)?decoder/output_projection/kernel')
_GROOVE, _BAND = 27, 490
_UNVOICED = 482  # of bands whose notes have no velocity
_CELL = 'multi_rnn_cell/cell_0/lstm_cell/kernel'


def _with_conditions(form: str, specs: Mapping[str, Spec], file: str) -> str:
    """The form, or the one like it whose models are told what these shapes have room for."""
    told = max(0, _read(specs) - sum(_output_widths(specs)))
    if not told:
        return form
    if (form, told) not in _TOLD:
        raise InputError(
            f'{file} holds a model of {form} that is told {told} numbers at every step, '
            'which mvae does not have; it has melodies and bands told 49 chords and grooves told '
            '9 hits'
        )
    return _TOLD[form, told]


def _read(specs: Mapping[str, Spec]) -> int:
    """How many numbers a decoder reads at each step beside its code; 0 where it has none."""
    scope = _decoder_scope(specs, _levels(specs)[0])
    cell = specs.get(f'{scope}decoder/{_CELL}')
    state = specs.get(f'{scope}decoder/z_to_initial_state/kernel')
    if cell is None or state is None or len(cell.shape) != 2 or len(state.shape) != 2:
        return 0
    return cell.shape[0] - cell.shape[1] // 4 - state.shape[0]


def recognise(
    specs: Mapping[str, Spec],
    file: str,
    name: str | None = None,
    drum_map: str | None = None,
    decoder_only: bool = False,
) -> ConfigDict:
    """The config of a checkpoint's model.

    Args:
        specs: names and shapes of its tensors.
        file: its name, for messages, and because it mostly names Magenta's config.
        name: Magenta's config, where file does not say it.
        drum_map: of the drums' pitches; None takes that of the config. Models of before April 2019
            have the 'old' one, later ones, such as GrooVAE, the 'current' one.
        decoder_only: leave the encoder out.

    Raises InputError for other families of models, and where the shapes do not fit together.
    """
    if name is not None and name not in CONFIGS:
        raise InputError(
            f'{name!r} is no config of Magenta that mvae has; give one of {", ".join(CONFIGS)}'
        )
    if not _output_widths(specs):
        raise InputError(
            f'{file} has no decoder of MusicVAE: no tensor is named .../output_projection/kernel'
        )
    hierarchical, hierarchical_encoder = _levels(specs)
    variant = _VARIANTS[hierarchical, hierarchical_encoder]
    form, pitches = _streams(specs, file)
    form = _with_conditions(form, specs, file)
    drums = 'nade' if _NADE in specs else 'softmax'
    drum_roll = _reads_drum_roll(specs, form, file)
    name = name or config_named(Path(file).name) or _only_fit(form, variant, drums, file)
    magenta = CONFIGS[name]
    fits = (magenta.form, magenta.variant, magenta.drums) == (form, variant, drums)
    if not fits and not (decoder_only and magenta.variant != 'flat' and hierarchical):
        raise InputError(
            f'{file} holds a {variant} model of {form}{_BY[drums]}, not {name}, '
            f'a {magenta.variant} model of {magenta.form}{_BY[magenta.drums]}'
        )
    c = base_config()
    experiment = _EXPERIMENTS[form, magenta.bars]
    experiment = _BY_NADE.get(experiment, experiment) if drums == 'nade' else experiment
    c.update(experiment=experiment, form=form, bars=magenta.bars, variant=magenta.variant)
    c.scale = 'paper'
    if pitches:
        c.music.min_pitch, c.music.max_pitch = pitches
    c.music.drum_map = drum_map or magenta.drum_map
    c.model.update(drum_roll_input=drum_roll, reads=magenta.reads, drums=magenta.drums)
    _set_model(c, specs, file, decoder_only)
    _set_training(c, magenta)
    return c


def _levels(specs: Mapping[str, Spec]) -> tuple[bool, bool]:
    """Whether decoder and encoder are hierarchical."""
    decoder = any(name.startswith('decoder/hierarchical_level_0/') for name in specs)
    encoder = any(name.startswith('encoder/hierarchical_level_0/') for name in specs)
    return decoder, encoder


def _set_model(c: ConfigDict, specs: Mapping[str, Spec], file: str, decoder_only: bool) -> None:
    """Sizes of the layers, from the shapes."""
    hierarchical, _ = _levels(specs)
    decoder = _decoder_scope(specs, hierarchical)
    c.model.decoder_sizes = _sizes(specs, decoder + 'decoder/multi_rnn_cell/cell_{}/lstm_cell/')
    state = 'decoder/z_to_initial_state/kernel'
    if hierarchical:
        c.model.conductor_sizes = _sizes(specs, 'decoder/hierarchical_level_0/cell_{}/lstm_cell/')
        state = 'decoder/hierarchical_level_0/initial_state/kernel'
    cell = _encoder_cell(specs)
    both_ways = _sizes(specs, cell, cell.replace('/fw/', '/bw/'))
    c.model.encoder_sizes = () if decoder_only else both_ways
    if not (decoder_only or c.model.encoder_sizes):
        raise InputError(f'{file} has no encoder; --decoder-only loads what can be decoded')
    shape = specs[state].shape if state in specs else ()
    c.model.latent_size = shape[0] if len(shape) == 2 else 0
    if _NADE in specs:
        c.model.nade_hidden = specs[_NADE].shape[-1]


def _encoder_cell(specs: Mapping[str, Spec]) -> str:
    """Where a layer of the encoder's forward direction stands; {} is its number."""
    level = 'hierarchical_level_0/' if _levels(specs)[1] else ''
    return f'encoder/{level}cell_{{}}/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/'


def _decoder_scope(specs: Mapping[str, Spec], hierarchical: bool) -> str:
    if f'{_CORE}_0/decoder/output_projection/kernel' in specs:
        return f'{_CORE}_0/'
    return 'core_decoder/' if hierarchical else ''


def _set_training(c: ConfigDict, magenta: MagentaConfig) -> None:
    c.training.update(
        batch_size=magenta.batch_size,
        free_bits=magenta.free_bits,
        max_beta=magenta.max_beta,
        beta_rate=magenta.beta_rate,
        input_dropout=magenta.input_dropout,
        note_dropout=magenta.note_dropout,
    )
    if magenta.scheduled:
        c.training.update(sampling_schedule='inverse_sigmoid', sampling_rate=1000.0)
    else:
        c.training.update(sampling_schedule='constant', sampling_rate=0.0)


def _output_widths(specs: Mapping[str, Spec]) -> list[int]:
    """Logits of each output layer, in the order of the streams."""
    names = sorted(filter(_OUTPUT.fullmatch, specs))
    return [specs[name].shape[-1] for name in names if specs[name].shape]


def _streams(specs: Mapping[str, Spec], file: str) -> tuple[str, tuple[int, int] | None]:
    """(form, pitches of melody and bass) of output layers."""
    if _NADE in specs:
        return _drums_by_nade(specs[_NADE].shape, file), None
    widths = _output_widths(specs)
    if widths == [_UNVOICED]:
        raise InputError(
            f'{file} is a band whose notes have no velocity, which mvae does not have; '
            f'it loads {", ".join(CONFIGS)}'
        )
    for tokens, pitches in _PITCHES.items():
        if widths in ([tokens, tokens, _DRUMS], [2 * tokens + _DRUMS]):
            return 'trio', pitches
        if widths == [tokens]:
            return 'melody', pitches
    if widths == [_DRUMS]:
        return 'drums', None
    if widths == [_GROOVE]:
        return 'groove', None
    if widths == [_BAND]:
        return 'band', None
    raise InputError(
        f'{file} puts out {" + ".join(map(str, widths))} numbers per step; '
        'melodies have 90 or 130, drums 512, trios one of each, grooves 27, bands 490'
    )


def _drums_by_nade(shape: tuple[int, ...], file: str) -> str:
    """The form of NADE's weights, of shape [classes, 1, hidden]."""
    if len(shape) != 3 or shape[0] not in _CLASSES:
        raise InputError(
            f'{file}: {_NADE} has the shape {list(shape)}; NADE is of '
            f'{" or ".join(map(str, _CLASSES))} drums, [drums, 1, hidden units]'
        )
    return _CLASSES[shape[0]]


def _only_fit(form: str, variant: str, drums: str, file: str) -> str:
    wanted = form, variant, drums
    fits = [name for name, c in CONFIGS.items() if (c.form, c.variant, c.drums) == wanted]
    if not fits:
        raise InputError(
            f'{file} holds a {variant} model of {form}, as no config of Magenta is; '
            f'it loads {", ".join(CONFIGS)}'
        )
    lengths = {CONFIGS[name].bars for name in fits}
    if len(lengths) != 1:
        raise InputError(
            f'the shapes in {file} do not say how long its windows are: '
            f'name its config with --config, one of {", ".join(fits)}'
        )
    return fits[0]


def _sizes(specs: Mapping[str, Spec], *patterns: str) -> tuple[int, ...]:
    """Units of the layers of a stack, from whichever of its biases and kernels are there."""
    sizes: list[int] = []
    while True:
        names = [
            pattern.format(len(sizes)) + what for pattern in patterns for what in ('bias', 'kernel')
        ]
        found = next((specs[name] for name in names if name in specs and specs[name].shape), None)
        if found is None:
            return tuple(sizes)
        sizes.append(found.shape[-1] // 4)


def _reads_drum_roll(specs: Mapping[str, Spec], form: str, file: str) -> bool:
    """Whether the encoder reads drums as 9 classes and 'no hit' (docs/magenta.md, "Drum rolls").

    The rows of its first kernel say it. Where there is none, drums are read as Magenta reads them.
    """
    kernel = specs.get(_encoder_cell(specs).format(0) + 'kernel')
    if kernel is None or len(kernel.shape) != 2:
        return form in _ROLLS
    tokens = sum(_output_widths(specs))
    width = kernel.shape[0] - kernel.shape[1] // 4 - max(0, _read(specs) - tokens)
    if width > tokens:
        raise InputError(
            f'the encoder of {file} reads {width - tokens} numbers per step beside its tokens, '
            'which its decoder does not: no model of Magenta does'
        )
    return width == _ROLLS.get(form)
