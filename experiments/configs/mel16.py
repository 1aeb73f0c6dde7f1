"""mel16: 16-bar melodies (make train EXP=mel16).

paper: the paper's 16-bar melody models, hierarchical and flat (reported .919 and .883 teacher-forced, .812 and .620 sampled; recalled, unverified).
Not run by us.
small: folk tunes (13,183 windows), 4,000 updates of 16 with `--config.data.transpose=(-5,6) --config.training.token_dropout=0.25
--config.training.decay_rate=0.9995`: validation loss 277 hierdec, 262 flat, both still falling; without transposition it rises after some 3,000.
Sampled, both are on the plateau: codes say how a tune goes in all, not which bar is which (README, `experiments/misplaced.py`).
Tried without that changing: 1,024 free bits, a hierarchical encoder, a quarter or nine tenths of the inputs hidden, 2-bar pre-training. What did
help: conductor_gain 5, see `mvae/model/conductor.py` (validation loss 292 instead of 424 after 1,000 updates, conductor 256, latent 256).
Growing a model (encoder 256, latent 256, decoder 256, 512 free bits, hidden inputs; batches of 64 to 32): after 1,200 updates of 2 bars .290 of the
onsets are right greedily, in both bars (validation); 800 of 4 bars leave .30 in bar 1, .20 and .17 in bars 3 and 4, 800 of 8 bars .34 in bar 1 and
.14 in bar 8, 400 of 16 bars .31 in bar 1 and .12 in bars 9 and 16, as the most frequent onset (and a loss of 258 before KL): bars that come in later
are not taken into the code in such budgets. With a hierarchical encoder, straight from 4 bars, .20, .16, .16 after 1,200 updates.
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(experiment_config('mel16', 'melody', 16, variant or decoder_variants(scale)[1]), scale)
