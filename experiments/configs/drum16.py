"""drum16: 16-bar drums (make train EXP=drum16).

paper: the paper's 16-bar drum models, hierarchical and flat (reported .928 and .884 teacher-forced,
.879 and .549 sampled; recalled, unverified). Not run by us.
small: Groove (12,428 overlapping windows of few drummers), 24,000 updates of 16 (`STEPS=24000
ARGS='--config.training.decay_rate=0.9999 --config.data.drop_drums=0.3
--config.evaluation.every=500'`), seed 0, one CPU core: hier 53 minutes, hierenc 65. Validation loss
311 hier (21,500 updates), 337 hierenc (23,000), both level from 20,000. Test split (1,096 windows
of 64 songs), teacher-forced / sampled / greedy: hier .576 / .441 / .524, hierenc .549 / .348 /
.456, beside .206 for the most frequent token. With the usual probability of .15 hier 336 after
10,000 updates, level up to 18,000; .547 / .408 / .495. With no drum classes left out 6,000 updates
(decay .9996, 27 minutes) were all that helped: hier 362, .516 / .376 / .462; hierenc 376 (3,000
updates), .501 / .290 / .403. With spliced windows instead (docs/training.md): hier 355 (7,500),
.540 / .398 / .481, hierenc 350 (14,000), .533 / .341 / .436.
With LSTMs over bars that started as rotations: hier 419, .462 / .295 / .376; hierenc 383, .498 /
.280 / .377. Before encoders by bars: flat .499, hierdec .429 teacher-forced, both on the plateau
when sampled (.261, .263).
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(
        experiment_config('drum16', 'drums', 16, variant or decoder_variants(scale)[1]), scale
    )
