"""mel16: 16-bar melodies (make train EXP=mel16).

paper: the paper's 16-bar melody models, hierarchical and flat (reported .919 and .883 teacher-forced, .812 and .620 sampled; recalled, unverified).
Not run by us.
small: folk tunes (13,183 windows), 17,000 updates of 16 (`STEPS=14000 ARGS='--config.data.transpose=(-5,6) --config.training.decay_rate=0.99993'`,
then `STEPS=17000` with `--config.training.decay_rate=0.9998`), 40 to 47 minutes each on a shared CPU core, seed 0. Validation loss 218 hier,
215 hierenc (no conductor), both still falling slowly; test and what it means: README. One encoder over 256 steps with the
conductor of then (kernels of five times Glorot's scale): hierdec 277, flat 262 after 4,000 updates.
What was narrow (500 to 1,000 updates; nats that a window costs more under the code of its own bars moved on by one, greedy onsets right beside .138
for the most frequent): a weight matrix per bar in encoder and conductor +82 and .194; that encoder with an LSTM as conductor +0.8 and .114, with a
rotation at the full learning rate +0.1, at a tenth of it +19, at three hundredths +15; a rotation over bars on both sides, a tenth, +25 and .146 at
750; a per-bar conductor behind one encoder over 256 steps +5 at 750, a rotation there +0.2.
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(experiment_config('mel16', 'melody', 16, variant or decoder_variants(scale)[1]), scale)
