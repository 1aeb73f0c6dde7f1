"""mel2: 2-bar melodies, flat (make train EXP=mel2).

paper: the paper's 2-bar melody model (section 5.1; reported .986 teacher-forced, .951 sampled,
recalled, unverified). Not run by us.
small: `make train EXP=mel2 SCALE=small DATA=data/folk44 STEPS=16000
ARGS=--config.training.decay_rate=0.9997` on 35,115 windows of traditional tunes, 16,000 updates of
64, seed 0, 72 minutes on one CPU core. Test split: .935 teacher-forced, .862 sampled, .897 greedy,
beside .620 for the most frequent token; onsets .846 / .681 / .760 beside .123; 126 bits. 10,000
updates (decay .9995, 30 minutes of a faster machine) gave .896, .798, .841: the training split too
(.903, .796), so that updates were what was short. Demo corpus (20,298 windows), the usual 10,000
updates, 17 minutes on one CPU core: `make train EXP=mel2 SCALE=small`: .961, .915, .934 beside
.563; onsets .919, .823, .862 beside .124. With faster decays of the learning rate: .951, .896, .921
(.9997), .929, .836, .879 (.9995).
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'flat', scale: str = 'small'):
    return apply_scale(experiment_config('mel2', 'melody', 2, variant), scale)
