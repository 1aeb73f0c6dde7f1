"""Every setting of mvae with its default, and how an experiment sets its own.

`base_config` is the one list of settings. An experiment (experiments/configs) shows as blocks what
it changes at each scale. Values quoted from the paper (Roberts et al., 2018) are as reported,
recalled and unverified.
"""

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

VARIANTS = ('flat', 'hierdec', 'hierenc', 'hier')
HIERARCHICAL_DECODERS, HIERARCHICAL_ENCODERS = ('hierdec', 'hier'), ('hierenc', 'hier')
SCALES = ('tiny', 'small', 'paper')

Block = Mapping[str, Mapping[str, Any]]  # {'training': {'steps': 4000}, ...}


def base_config() -> ConfigDict:
    """All settings with defaults: the paper's objective on a flat 2-bar melody model."""
    c = ConfigDict()
    c.experiment = 'mel2'
    c.form = 'melody'  # what is read and written: a name of FORMS in mvae.music.forms
    c.bars = 2  # per window
    # flat: one encoder and one decoder over the whole window. hierdec: a hierarchical decoder, that
    # is a conductor, and a decoder restarted at every bar. hierenc: a hierarchical encoder, which
    # reads every bar on its own and then their sequence (not with model.bar_codes), and a flat
    # decoder. hier: both.
    c.variant = 'flat'
    c.scale = 'small'  # tiny | small | paper: which sizes the experiment's file gave
    c.seed = 0  # decides everything: initial weights, batches, noise, samples
    c.music = _music()
    c.data = _data()
    c.model = _model()
    c.training = _training()
    c.prior = _prior()
    c.evaluation = _evaluation()
    c.logging = ConfigDict()
    c.logging.every = 20  # updates between lines of metrics.jsonl
    c.checkpoint = ConfigDict()
    # Updates between checkpoints of the latest state; evaluations write one too.
    c.checkpoint.every = 500
    c.checkpoint.init_from = ''  # run folder or checkpoint whose weights a new run starts from
    return c


def _music() -> ConfigDict:
    c = ConfigDict()
    # Lowest and highest MIDI pitch of melody and bass: 0..127 gives the paper's 130 tokens, 21..108
    # Magenta's 90.
    c.min_pitch = 0
    c.max_pitch = 127
    # current | old | roland: pitches of the 9 drum classes; Magenta changed its map in April 2019,
    # and roland is that of the Groove MIDI Dataset.
    c.drum_map = 'current'
    c.steps_per_quarter = 4  # 4: sixteenths
    c.meter = '4/4'  # such as 3/4 or 6/8: of all the music
    return c


def _data() -> ConfigDict:
    c = ConfigDict()
    c.path = 'data/demo'  # store built by `make data`
    # Semitones, an inclusive range, drawn anew per example and epoch; drums never.
    c.transpose = (0, 0)
    # Probability that a drum class is left out of an example, drawn anew per example and epoch.
    c.drop_drums = 0.0
    # Probability that of an example each drum class is, with an even chance, that of another
    # window: drums are exchanged before any are left out.
    c.mix_drums = 0.0
    return c


def _model() -> ConfigDict:
    c = ConfigDict()
    # LSTM units of each bidirectional layer, per direction; (): a decoder alone, as one may import.
    c.encoder_sizes = (2048, 2048)
    c.latent_size = 512  # Z; with bar_codes rounded up to as many for every code
    c.conductor_sizes = (1024, 1024)  # hierarchical decoders only
    # Units of each decoder layer; in hierarchical models of every stream's decoder.
    c.decoder_sizes = (2048, 2048, 2048)
    # The encoder reads drums as 9 classes and silence instead of one of 512 tokens (Magenta: not in
    # trios).
    c.drum_roll_input = True
    # How the decoder writes drums: softmax | nade. One of 512 tokens, or class by class, each told
    # the ones before (mvae.model.nade), where the encoder reads classes too.
    c.drums = 'softmax'
    c.nade_hidden = 128  # hidden units of nade, by which percussion is always written
    # What the encoder is told of a groove: all | hits (neither velocity nor timing) | taps (the
    # loudest hit of each step, as one drum) | no_hat (all but the closed hi-hat). The decoder plays
    # it whole.
    c.reads = 'all'
    # Velocity and timing of a groove count in the loss only where a hit is. If not, they count as 0
    # elsewhere (Magenta), and a hit that is not sure is said too quietly.
    c.errors_at_hits = False
    # z is a row of codes, one for each stream of each bar. A hierarchical encoder writes each from
    # that alone, and so has encoder_sizes for each stream; a conductor and the decoders read it.
    c.bar_codes = False
    # float32 | bfloat16: matrix products; parameters, cell state, logits and KL stay float32.
    c.dtype = 'float32'
    # How weights start. The defaults are the paper's (Magenta's).
    c.bottleneck_stddev = 0.001  # kernels of mu, sigma and initial states; 0: Glorot uniform
    c.initial_sigma = 0.0  # posterior standard deviation at the start; 0: softplus(0) = 0.693
    # Forget biases of the encoder's LSTMs over steps are log-uniform over their length (Tallec &
    # Ollivier, 2018).
    c.chrono_init = False
    return c


def _training() -> ConfigDict:
    c = ConfigDict()
    c.steps = 50_000  # updates
    c.batch_size = 512  # examples per update, over all devices and processes
    c.accumulation = 1  # micro-batches per update on each device: saves memory, same result
    # lr(t) = (learning_rate - min_learning_rate) * decay_rate^t + min_learning_rate
    c.learning_rate = 1e-3
    c.min_learning_rate = 1e-5
    c.decay_rate = 0.9999
    c.clip_norm = 1.0  # of the global gradient norm
    c.max_beta = 0.2  # weight of the KL term: beta(t) = (1 - beta_rate^t) * max_beta
    c.beta_rate = 0.99999
    c.free_bits = 48.0  # bits of total KL per example that cost nothing
    # Probability that the decoder reads its own sample: constant | inverse_sigmoid | exponential.
    c.sampling_schedule = 'constant'
    # constant: the probability; inverse_sigmoid: k in 1 - k / (k + exp(t / k)); exponential: k in
    # 1 - k^t.
    c.sampling_rate = 0.0
    # Share of the decoder's inputs hidden in training (Bowman et al., 2016); 0 in the paper.
    c.token_dropout = 0.0
    # Share of examples of which the model is told nothing in training, such as no chords, so that
    # it can play without (Ho & Salimans, 2022).
    c.told_dropout = 0.0
    # Share of the numbers that a layer of encoder or decoder reads at a step, dropped in training
    # (0.7 in GrooVAE); what is drawn or evaluated never.
    c.input_dropout = 0.0
    # Of each example of a groove a probability up to this one is drawn, by which its hits are left
    # out of what the encoder reads, the quiet ones rather (0.8 in one of GrooVAE's models).
    c.note_dropout = 0.0
    c.check_replicas_every = 1000  # compare the parameters of all devices; 0: never
    return c


def _prior() -> ConfigDict:
    """Of the learned prior, which is fitted to a trained model's codes."""
    c = ConfigDict()
    c.steps = 0  # updates; 0: none is fitted, as in the paper
    c.windows = 8_192  # training windows whose codes it learns from, at most
    c.batch_size = 64
    c.learning_rate = 2e-3
    # Its network: numbers that a bar has inside, a multiple of heads; blocks; heads of attention.
    c.width = 128
    c.layers = 4
    c.heads = 4
    return c


def _evaluation() -> ConfigDict:
    c = ConfigDict()
    c.every = 1000  # updates between evaluations: validation loss, checkpoint, samples, pictures
    c.windows = 4096  # windows of the validation split used in training, at most
    c.batch_size = 256
    c.samples = 4  # pieces sampled and reconstructed at every evaluation
    c.temperature = 1.0  # of those samples
    return c


# Seconds instead of minutes, for tests: any experiment, with these sizes.
TINY: Block = {
    'model': {
        'encoder_sizes': (24,),
        'latent_size': 8,
        'conductor_sizes': (16,),
        'decoder_sizes': (24, 16),
        'drum_roll_input': True,
        'nade_hidden': 8,
        'bottleneck_stddev': 0.0,
        'initial_sigma': 0.1,
        'bar_codes': True,
        'chrono_init': True,
    },
    'training': {
        'steps': 20,
        'batch_size': 8,
        'learning_rate': 1e-2,
        'input_dropout': 0.0,
    },
    'prior': {'steps': 0, 'windows': 32, 'batch_size': 8, 'width': 16, 'layers': 2, 'heads': 2},
    'evaluation': {'every': 10, 'windows': 16, 'batch_size': 8, 'samples': 2},
    'logging': {'every': 5},
    'checkpoint': {'every': 5},
}
_TINY_SAMPLING_RATE = 10.0  # at most: a schedule that is over after a few updates


def experiment_config(
    experiment: str,
    form: str,
    bars: int,
    variant: str,
    scale: str,
    *,
    paper: Block,
    small: Block,
    flat: Mapping[str, Block] | None = None,
    by_bars: Mapping[str, Block] | None = None,
) -> ConfigDict:
    """The settings of an experiment at a scale, from the blocks that its file shows.

    paper, small: what each scale sets. flat, by_bars: what a flat decoder, and an encoder by bars,
    change there, {scale: block}. tiny is `paper` with the sizes of `TINY`.
    """
    c = base_config()
    c.update(experiment=experiment, form=form, bars=bars, variant=variant, scale=scale)
    base = 'small' if scale == 'small' else 'paper'
    apply(c, {'paper': paper, 'small': small}[base])
    if flat and variant not in HIERARCHICAL_DECODERS:
        apply(c, flat.get(base, {}))
    if by_bars and variant in HIERARCHICAL_ENCODERS:
        apply(c, by_bars.get(base, {}))
    if scale == 'tiny':
        apply(c, TINY)
        c.training.sampling_rate = min(c.training.sampling_rate, _TINY_SAMPLING_RATE)
    return c


def apply(c: ConfigDict, block: Block) -> None:
    """Changes settings in place."""
    for part, values in block.items():
        c[part].update(values)


def decoder_variants(scale: str) -> tuple[str, str]:
    """A flat and a hierarchical decoder behind one encoder, which `make study` compares.

    The second is what `make train` trains at 16 bars. At the paper's sizes the encoder is the
    paper's; below, one by bars, since one over 256 steps takes more updates than there are.
    """
    return ('flat', 'hierdec') if scale == 'paper' else ('hierenc', 'hier')
