"""mel16: 16-bar melodies (make train EXP=mel16).

paper: the paper's 16-bar melody models, hierarchical and flat (reported .919 and .883
teacher-forced, .812 and .620 sampled; recalled, unverified). Not run by us.
small: folk tunes (13,132 windows), 15,000 updates of 16 (`STEPS=15000
ARGS='--config.data.transpose=(-5,6) --config.training.decay_rate=0.9998'`), 67 minutes hier, 99
hierenc (no conductor), on one CPU core each, seed 0. Validation loss 174 hier, 228 hierenc, both
falling to the end; test and
what it means: README. With 6,000 updates (decay .9995) 214 and 247; test, teacher-forced / sampled
/ greedy: hier .737 / .603 / .671, hierenc .699 / .533 (plateau) / .595 (plateau). Demo corpus, the
usual 4,000 updates (decay .9997), 8 minutes: 172; .792 / .657 / .713. With LSTMs over bars that
started as rotations, 17,000 updates: 218 and 215; hier .733 / .598 / .648, hierenc .741 / .548
(plateau) / .602. With one encoder over 256 steps and a conductor of kernels of five times Glorot's
scale: hierdec 277, flat 262 after 4,000. What was narrow (500 to 1,000 updates; nats that a window
costs more under the code of its own bars moved on by one, greedy onsets right beside .138 for the
most frequent): a weight matrix per bar in encoder and conductor +82 and .194; that encoder with an
LSTM as conductor +0.8 and .114, with one that starts as a rotation (orthogonal recurrence) at the
full learning rate +0.1, at a tenth of it +19; rotations on both sides, a tenth, +25 and .146 at
750; delay lines of small signals on both sides +75 and .184 at 500; a per-bar conductor behind one
encoder over 256 steps +5 at 750.
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(
        experiment_config('mel16', 'melody', 16, variant or decoder_variants(scale)[1]), scale
    )
