"""What the model needs to know: the frozen part of an experiment's config."""

import dataclasses
import math
from typing import Protocol

from ml_collections import ConfigDict

from mvae.config import HIERARCHICAL_DECODERS, HIERARCHICAL_ENCODERS
from mvae.model.heads import HEADS, READERS, Head, Reader, in_width


class Layout(Protocol):
    """What is asked of a form (mvae.music.form.Form, which this floor does not know)."""

    @property
    def segments(self) -> int:
        """What a hierarchical model unfolds one after the other: bars, or the players of a band."""

    @property
    def steps_per_segment(self) -> int:
        """Rows of columns in a segment."""

    @property
    def layout(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Of each stream the name of its head in HEADS, and the sizes of its columns."""

    @property
    def told_layout(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Of each condition the name of its reader in READERS, and the sizes of its columns."""


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Sizes and switches: hashable, so that it can be a static argument of `jax.jit`.

    Attributes:
        heads: how each of the K streams is read and written.
        bars: U, the segments of a form, 1 for a flat decoder. steps: S of each (T for a flat
            decoder).
        encoder_sizes, conductor_sizes, decoder_sizes: units of each layer. latent_size: Z.
        encoder_bars: above 1 so many bars are encoded each on its own, and then their sequence.
        told: how each condition is read, at every step, by the encoder and the decoders.
        dtype and the rest: see `model` in mvae.config.
    """

    heads: tuple[Head, ...]
    bars: int
    steps: int
    encoder_sizes: tuple[int, ...]
    latent_size: int
    decoder_sizes: tuple[int, ...]
    conductor_sizes: tuple[int, ...] = ()
    encoder_bars: int = 1
    dtype: str = 'float32'
    bottleneck_stddev: float = 0.001
    initial_sigma: float = 0.0
    bar_codes: bool = False
    chrono_init: bool = False
    told: tuple[Reader, ...] = ()

    @property
    def hierarchical(self) -> bool:
        """Whether a conductor unfolds z into bars."""
        return bool(self.conductor_sizes)

    @property
    def codes(self) -> int:
        """Of how many codes z is the row: K for each bar with bar_codes, otherwise one."""
        return max(self.bars, self.encoder_bars) * self.parts if self.bar_codes else 1

    @property
    def parts(self) -> int:
        """Codes of a bar: K with bar_codes, otherwise one."""
        return len(self.heads) if self.bar_codes else 1

    @property
    def code_size(self) -> int:
        """Numbers of z for each stream of a bar; 0 where z is of the whole alone."""
        return self.latent_size // self.codes if self.bar_codes else 0

    @property
    def embedding_size(self) -> int:
        """E, of what a decoder unfolds: of a bar's embedding, or of z itself."""
        return self.conductor_sizes[-1] + self.code_size if self.hierarchical else self.latent_size

    @property
    def told_width(self) -> int:
        """Rows of a kernel that read all conditions."""
        return in_width(self.told)

    @property
    def decoder_heads(self) -> list[tuple[Head, ...]]:
        """The streams of each decoder: all in one for the flat decoder, one each otherwise."""
        return [(head,) for head in self.heads] if self.hierarchical else [self.heads]

    @property
    def total_steps(self) -> int:
        """T, steps per window."""
        return self.bars * self.steps


def model_config(c: ConfigDict, form: Layout) -> ModelConfig:
    """The model of an experiment's config for a form."""
    m, hierarchical = c.model, c.variant in HIERARCHICAL_DECODERS
    bar_codes = m.bar_codes and (hierarchical or c.variant in HIERARCHICAL_ENCODERS)
    codes = form.segments * len(form.layout) if bar_codes else 1
    return ModelConfig(
        heads=tuple(HEADS[name].make(sizes, m) for name, sizes in form.layout),
        bars=form.segments if hierarchical else 1,
        steps=form.steps_per_segment * (1 if hierarchical else form.segments),
        encoder_sizes=tuple(m.encoder_sizes),
        latent_size=codes * math.ceil(m.latent_size / codes),
        decoder_sizes=tuple(m.decoder_sizes),
        conductor_sizes=tuple(m.conductor_sizes) if hierarchical else (),
        encoder_bars=form.segments if c.variant in HIERARCHICAL_ENCODERS else 1,
        dtype=m.dtype,
        bottleneck_stddev=m.bottleneck_stddev,
        initial_sigma=m.initial_sigma,
        bar_codes=bar_codes,
        chrono_init=m.chrono_init,
        told=tuple(READERS[name].make(sizes, m) for name, sizes in form.told_layout),
    )
