"""The sizes that are timed, and the arithmetic that each needs at least.

A to D are Magenta's published configurations and one of half their width, so that its own times can
stand beside; `mel2` and `trio16` are this project's `small` ones.
"""

import dataclasses
from typing import NamedTuple

from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical, Head, out_width

SAMPLES = 16  # pieces per call of sampling
_MELODY, _TRIO = (90,), (90, 90, 512)


class Work(NamedTuple):
    """A model, the examples of one training step, and what it is."""

    about: str
    model: ModelConfig
    batch_size: int


def _heads(sizes: tuple[int, ...]) -> tuple[Head, ...]:
    """Streams of tokens, so many values each."""
    return tuple(map(Categorical, sizes))


def _flat(
    sizes: tuple[int, ...],
    bars: int,
    encoder: tuple[int, ...],
    latent: int,
    decoder: tuple[int, ...],
) -> ModelConfig:
    return ModelConfig(_heads(sizes), 1, 16 * bars, encoder, latent, decoder)


def _hierarchical(
    sizes: tuple[int, ...],
    encoder: tuple[int, ...],
    latent: int,
    conductor: tuple[int, ...],
    decoder: tuple[int, ...],
) -> ModelConfig:
    return ModelConfig(_heads(sizes), 16, 16, encoder, latent, decoder, conductor_sizes=conductor)


WORKS = {
    'A': Work('cat-mel_2bar_big', _flat(_MELODY, 2, (2048,), 512, (2048,) * 3), 32),
    'B': Work(
        'hierdec-trio_16bar', _hierarchical(_TRIO, (2048,) * 2, 512, (1024,) * 2, (1024,) * 2), 8
    ),
    'C': Work(
        'hierdec-mel_16bar', _hierarchical(_MELODY, (2048,) * 2, 512, (1024,) * 2, (1024,) * 2), 8
    ),
    'D': Work(
        'hierdec-mel_16bar, 512 units',
        _hierarchical(_MELODY, (512,) * 2, 256, (512,) * 2, (512,) * 2),
        32,
    ),
    'mel2': Work('mel2 at small', _flat((130,), 2, (256,), 128, (256,)), 64),
    'trio16': Work(
        'trio16 at small', _hierarchical((130, 130, 512), (128,), 128, (256,), (160,)), 16
    ),
}


def _lstm(inputs: int, sizes: tuple[int, ...]) -> int:
    """Multiply-adds of one step of stacked layers."""
    return sum((i + h) * 4 * h for i, h in zip((inputs, *sizes[:-1]), sizes, strict=True))


def _encoder(cfg: ModelConfig) -> int:
    """Multiply-adds per step, both directions.

    Tokens are read by looking rows up, so that the first layer's input costs none. Each other layer
    reads both directions of the one below.
    """
    sizes = cfg.encoder_sizes
    return 2 * sum(
        (2 * below + h) * 4 * h for below, h in zip((0, *sizes[:-1]), sizes, strict=True)
    )


def _decoders(cfg: ModelConfig) -> tuple[int, int]:
    """Multiply-adds of all decoders per step, and once per bar (embedding and initial states)."""
    sizes, steps, bars = cfg.decoder_sizes, 0, 0
    for heads in cfg.decoder_heads:
        steps += _lstm(0, sizes) + sizes[-1] * out_width(heads)
        bars += cfg.embedding_size * (4 * sizes[0] + 2 * sum(sizes))
    return steps, bars


def _conductor(cfg: ModelConfig) -> int:
    """Multiply-adds per bar; without bar_codes the first layer's input is zero."""
    return _lstm(cfg.code_size * cfg.parts, cfg.conductor_sizes) if cfg.hierarchical else 0


def forward_flops(cfg: ModelConfig) -> tuple[float, float]:
    """Floating-point operations per example of (encoder, all that unfolds z).

    Matrix products alone are counted, two operations per multiply-add.
    """
    steps, bars = _decoders(cfg)
    once = 2 * cfg.latent_size * sum(cfg.conductor_sizes)
    bottleneck = 2 * 2 * cfg.encoder_sizes[-1] * cfg.latent_size
    encoders = cfg.parts if cfg.encoder_bars > 1 else 1  # with bar_codes one for each stream
    encoder = cfg.total_steps * encoders * _encoder(cfg) + bottleneck
    decoder = cfg.total_steps * steps + cfg.bars * (bars + _conductor(cfg)) + once
    return 2.0 * encoder, 2.0 * decoder


def training_flops(work: Work) -> float:
    """Of one step: forward, gradient of the inputs and gradient of the weights cost the same."""
    return 3 * work.batch_size * sum(forward_flops(work.model))


def training_bytes(work: Work, itemsize: int = 4) -> float:
    """Bytes of recurrent weights that the steps of one update read where no cache holds them.

    They are one matrix per layer and step, forward and back. The decoder's bars run side by side,
    so that its steps are those of a bar.
    """
    cfg = work.model
    encoder = 2 * cfg.total_steps * sum(4 * h * h for h in cfg.encoder_sizes)
    decoder = cfg.steps * sum(4 * h * h for h in cfg.decoder_sizes) * len(cfg.decoder_heads)
    return 2.0 * itemsize * (encoder + decoder)


def step_bytes(cfg: ModelConfig, itemsize: int = 4) -> float:
    """Bytes of weights that one step of sampling reads, of all decoders."""
    return float(itemsize * _decoders(cfg)[0])


def to_dict(name: str) -> dict:
    """What a program that is timed needs to know, as JSON values.

    work: the name in WORKS. model: for a peer, with the number of values of each stream's tokens.
    """
    work = WORKS[name]
    model = dataclasses.asdict(work.model)
    model['vocab_sizes'] = [head.out_width for head in work.model.heads]
    return {'work': name, 'model': model, 'batch_size': work.batch_size, 'samples': SAMPLES}
