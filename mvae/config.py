"""Every setting of mvae with its default, the three scales, and the frozen `ModelConfig` that the
model sees.

`base_config` is the one list of settings. An experiment (`experiments/configs/`) names what it
changes; a scale (`apply_scale`) sets sizes and the length of training. Values quoted from the paper
(Roberts et al., 2018) are as reported, recalled and unverified.
"""

import dataclasses

import ml_collections

STEPS_PER_BAR = 16
VARIANTS = ('flat', 'hierdec', 'hierenc', 'hier')
HIERARCHICAL_DECODERS, HIERARCHICAL_ENCODERS = ('hierdec', 'hier'), ('hierenc', 'hier')
SCALES = ('tiny', 'small', 'paper')


def base_config() -> ml_collections.ConfigDict:
    """All settings with defaults: the paper's objective on a flat 2-bar melody model."""
    c = ml_collections.ConfigDict()
    c.experiment = 'mel2'
    c.kind = 'melody'  # melody | drums | trio: which windows of the store
    c.bars = 2  # bars per window; 16 sixteenth steps each
    # flat | hierdec (hierarchical decoder: conductor and a decoder restarted at every bar) |
    # hierenc (hierarchical encoder, which reads every bar on its own and then their sequence, and a
    # flat decoder) | hier (both)
    c.variant = 'flat'
    c.scale = 'small'  # tiny | small | paper; see `apply_scale`
    c.seed = 0  # decides everything: initial weights, batches, noise, samples

    c.music = ml_collections.ConfigDict()
    # lowest and highest MIDI pitch of melody and bass tokens: 0..127 gives the paper's 130 tokens,
    c.music.min_pitch = 0
    c.music.max_pitch = 127  # 21..108 Magenta's 90
    # current | old: pitches of the 9 drum classes (Magenta changed its map in April 2019)
    c.music.drum_map = 'current'

    c.data = ml_collections.ConfigDict()
    c.data.path = 'data/demo'  # store built by `make data`
    c.data.transpose = (
        0,
        0,
    )  # semitones, inclusive range drawn anew per example and epoch; drums never
    # probability that a drum class is left out of an example, drawn anew per example and epoch
    c.data.drop_drums = 0.0

    c.model = ml_collections.ConfigDict()
    c.model.encoder_sizes = (
        2048,
        2048,
        # LSTM units of each bidirectional layer, per direction; (): a decoder alone, as one may import
        # it
    )
    c.model.latent_size = 512  # Z
    c.model.conductor_sizes = (1024, 1024)  # hierarchical decoders only
    c.model.decoder_sizes = (
        2048,
        2048,
        2048,
    )  # units of each decoder layer (of every stream's decoder in hierarchical ones)
    # the encoder reads drums as 9 classes + 'no hit' instead of one of 512 tokens (Magenta: not in
    # trios)
    c.model.drum_roll_input = True
    # float32 | bfloat16: matrix products; parameters, cell state, logits and KL stay float32
    c.model.dtype = 'float32'
    # How weights start. The paper's (Magenta's) values are the defaults; `small` changes them to
    # leave the plateau early.
    c.model.bottleneck_stddev = (
        0.001  # kernels of mu, sigma and of the initial states; 0: Glorot uniform
    )
    c.model.initial_sigma = 0.0  # posterior standard deviation at the start; 0: softplus(0) = 0.693
    # LSTMs over bars start as delay lines, so that they tell bars apart and forget none; see
    # `lstm.init_delay_line`
    c.model.delay_lines = False
    # forget biases of the encoder's LSTMs over steps log-uniform over their length (Tallec &
    # Ollivier, 2018)
    c.model.chrono_init = False

    t = c.training = ml_collections.ConfigDict()
    t.steps = 50_000  # updates
    t.batch_size = 512  # examples per update, over all devices and processes
    t.accumulation = 1  # micro-batches per update on each device: saves memory, same result
    t.learning_rate = (
        1e-3  # lr(t) = (learning_rate - min_learning_rate) * decay_rate^t + min_learning_rate
    )
    t.min_learning_rate = 1e-5
    t.decay_rate = 0.9999
    # factor of the learning rate for LSTMs over bars: the conductor, and the upper part of a
    # hierarchical encoder
    t.bars_rate = 1.0
    t.bars_recurrence_rate = (
        1.0  # another such, for what is recurrent in these: recurrent kernels and biases
    )
    t.clip_norm = 1.0  # of the global gradient norm
    t.max_beta = 0.2  # weight of the KL term: beta(t) = (1 - beta_rate^t) * max_beta
    t.beta_rate = 0.99999
    t.free_bits = 48.0  # bits of total KL per example that cost nothing
    # constant | inverse_sigmoid | exponential: probability that the decoder reads its own sample
    t.sampling_schedule = 'constant'
    # constant: the probability; inverse_sigmoid: k in 1 - k/(k + exp(t/k)); exponential: k in 1 -
    # k^t
    t.sampling_rate = 0.0
    # share of the decoder's input tokens hidden in training (Bowman et al., 2016); 0 in the paper
    t.token_dropout = 0.0
    t.check_replicas_every = 1000  # compare the parameters of all devices; 0: never

    e = c.evaluation = ml_collections.ConfigDict()
    e.every = 1000  # updates between evaluations (validation loss, checkpoint, samples, pictures)
    e.windows = 4096  # windows of the validation split used in training, at most
    e.batch_size = 256
    e.samples = 4  # pieces sampled and reconstructed at every evaluation
    e.temperature = 1.0  # of those samples

    c.logging = ml_collections.ConfigDict()
    c.logging.every = 20  # updates between lines of metrics.jsonl
    c.checkpoint = ml_collections.ConfigDict()
    c.checkpoint.every = (
        500  # updates between checkpoints of the latest state (evaluations write one too)
    )
    c.checkpoint.init_from = ''  # run folder or checkpoint whose weights a new run starts from
    return c


# What the paper trained each kind of model with, as reported. Two-bar models are flat only.
_PAPER_OBJECTIVE = {
    2: {
        'steps': 50_000,
        'beta_rate': 0.99999,
        'free_bits': 48.0,
        'sampling_schedule': 'inverse_sigmoid',
        'sampling_rate': 2000.0,
    },
    16: {
        'steps': 100_000,
        'beta_rate': 0.0,
        'free_bits': 256.0,
        'sampling_schedule': 'constant',
        'sampling_rate': 0.0,
    },
}


def experiment_config(
    experiment: str, kind: str, bars: int, variant: str
) -> ml_collections.ConfigDict:
    """The paper's settings for one data set and variant, at `paper` scale."""
    c = base_config()
    c.update(experiment=experiment, kind=kind, bars=bars, variant=variant, scale='paper')
    c.training.update(_PAPER_OBJECTIVE[bars])
    c.model.drum_roll_input = kind != 'trio'
    if variant in HIERARCHICAL_DECODERS:
        c.model.decoder_sizes = (1024, 1024)
    if variant in HIERARCHICAL_ENCODERS:  # no models of the paper: Magenta's sizes
        c.model.encoder_sizes = (1024,)
    return c


def decoder_variants(scale: str) -> tuple[str, str]:
    """A flat and a hierarchical decoder of 16 bars behind one encoder, which `make study` compares;
    the second is what `make train` trains.

    At the paper's sizes the paper's encoder; below, one by bars, since one over 256 steps takes
    more updates than there are.
    """
    return ('flat', 'hierdec') if scale == 'paper' else ('hierenc', 'hier')


def apply_scale(c: ml_collections.ConfigDict, scale: str) -> ml_collections.ConfigDict:
    """Changes sizes and the length of training in place; `paper` leaves the paper's.

    small: for 2 CPU cores in 15-20 minutes. Its objective differs from the paper's where few
    updates need it: initial weights that let the latent code carry the music from the first update,
    a higher learning rate, hidden decoder inputs, drum classes left out. tiny: seconds, for tests.
    """
    c.scale = scale
    if scale == 'paper':
        return c
    c.model.bottleneck_stddev = 0.0
    c.model.initial_sigma = 0.1
    c.model.delay_lines = True
    c.model.chrono_init = True
    c.model.drum_roll_input = True
    c.training.update(bars_rate=0.1, bars_recurrence_rate=0.1)
    if c.kind == 'drums':
        c.data.drop_drums = 0.15  # few drummers give many patterns (docs/training.md)
    if scale == 'small' and c.bars == 2:
        c.model.update(
            encoder_sizes=(256,), latent_size=128, conductor_sizes=(128,), decoder_sizes=(256,)
        )
        c.training.update(
            steps=10_000,
            batch_size=64,
            learning_rate=8e-3,
            decay_rate=0.9998,
            beta_rate=0.999,
            free_bits=128.0,
        )
        c.training.update(sampling_schedule='constant', sampling_rate=0.0, token_dropout=0.25)
        c.evaluation.update(every=1000, windows=1024, batch_size=128)
    elif (
        scale == 'small'
        # many small updates: on 2 cores they leave the plateau after some 200, large ones not in the
        # same time
    ):
        # A flat decoder as large as the conductor and decoders of the hierarchical one: parameters
        # within 10% (`make study` compares the two).
        flat = {'melody': 300, 'drums': 256, 'trio': 320}[c.kind]
        decoder = 160 if c.variant in HIERARCHICAL_DECODERS else flat
        c.model.update(
            encoder_sizes=(128,), latent_size=128, conductor_sizes=(256,), decoder_sizes=(decoder,)
        )
        c.training.update(
            steps=4000, batch_size=16, learning_rate=3e-3, decay_rate=0.9997, token_dropout=0.25
        )
        c.evaluation.update(every=500, windows=512, batch_size=64)
    else:
        c.model.update(
            encoder_sizes=(24,), latent_size=8, conductor_sizes=(16,), decoder_sizes=(24, 16)
        )
        c.training.update(
            steps=20,
            batch_size=8,
            learning_rate=1e-2,
            sampling_rate=min(c.training.sampling_rate, 10.0),
        )
        c.evaluation.update(every=10, windows=16, batch_size=8, samples=2)
        c.logging.every = 5
        c.checkpoint.every = 5
    return c


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """What the model needs to know: hashable, so that it can be a static argument of `jax.jit`.

    vocab_sizes: tokens of each stream (K entries). bars: U, 1 for a flat decoder. steps: S per bar
    (T for a flat decoder).
    drum_roll: for each stream, whether the encoder reads it as a drum roll.
    encoder_bars: above 1 so many bars are encoded each on its own, and then their sequence.
    """

    vocab_sizes: tuple[int, ...]
    bars: int
    steps: int
    encoder_sizes: tuple[int, ...]
    latent_size: int
    decoder_sizes: tuple[int, ...]
    conductor_sizes: tuple[int, ...] = ()
    drum_roll: tuple[bool, ...] = ()
    encoder_bars: int = 1
    dtype: str = 'float32'
    bottleneck_stddev: float = 0.001
    initial_sigma: float = 0.0
    delay_lines: bool = False
    chrono_init: bool = False

    @property
    def hierarchical(self) -> bool:
        return bool(self.conductor_sizes)

    @property
    def decoder_vocab_sizes(self) -> list[tuple[int, ...]]:
        """Vocabularies of each decoder's streams: all in one for the flat decoder, one each for the
        hierarchical.
        """
        return [(v,) for v in self.vocab_sizes] if self.hierarchical else [self.vocab_sizes]

    @property
    def total_steps(self) -> int:
        """T, sixteenth steps per window."""
        return self.bars * self.steps


def model_config(c: ml_collections.ConfigDict, vocab_sizes: tuple[int, ...]) -> ModelConfig:
    """The frozen model part of an experiment's config; vocab_sizes come from the music vocabulary."""
    hierarchical = c.variant in HIERARCHICAL_DECODERS
    m = c.model
    streams = ('melody', 'bass', 'drums') if c.kind == 'trio' else (c.kind,)
    return ModelConfig(
        vocab_sizes=tuple(vocab_sizes),
        bars=c.bars if hierarchical else 1,
        steps=STEPS_PER_BAR if hierarchical else STEPS_PER_BAR * c.bars,
        encoder_sizes=tuple(m.encoder_sizes),
        latent_size=m.latent_size,
        decoder_sizes=tuple(m.decoder_sizes),
        conductor_sizes=tuple(m.conductor_sizes) if hierarchical else (),
        drum_roll=tuple(m.drum_roll_input and s == 'drums' for s in streams),
        encoder_bars=c.bars if c.variant in HIERARCHICAL_ENCODERS else 1,
        dtype=m.dtype,
        bottleneck_stddev=m.bottleneck_stddev,
        initial_sigma=m.initial_sigma,
        delay_lines=m.delay_lines,
        chrono_init=m.chrono_init,
    )
