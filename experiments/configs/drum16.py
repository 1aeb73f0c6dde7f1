"""drum16: 16-bar drums (make train EXP=drum16).

paper: the paper's 16-bar drum models, hierarchical and flat (reported .928 and .884 teacher-forced, .879 and .549 sampled; recalled, unverified).
Not run by us.
small: `make study EXP=drum16 SCALE=small DATA=data/groove STEPS=8000 ARGS='--config.training.decay_rate=0.99965'`, stopped when the validation loss
had risen for 1,000 updates (flat at 5,065, hierdec at 5,961; best at 4,000 and 3,000), seed 0, 19 minutes each on a shared CPU core. Test split
(1,096 windows of 64 songs), flat / hierdec: teacher-forced .499 / .429, greedy .342 / .336, sampled .261 / .263, onsets then no better than the
most frequent one. On the training split (256 windows, last checkpoint) hierdec is ahead: teacher-forced .702 / .720, greedy .550 / .624, sampled
.411 / .478. So 12,428 overlapping windows of few drummers are learned by heart: more data is what 16 bars lack here, not a better decoder. A quarter
of the inputs hidden (`--config.training.token_dropout=0.25`) is no help: best at 1,500 updates, teacher-forced .414, greedy .333, sampled .249.
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(experiment_config('drum16', 'drums', 16, variant or decoder_variants(scale)[1]), scale)
