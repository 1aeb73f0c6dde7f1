"""mel2: 2-bar melodies, flat (make train EXP=mel2).

paper: the paper's 2-bar melody model (section 5.1; reported .986 teacher-forced, .951 sampled, recalled, unverified). Not run by us.
small: `make train EXP=mel2 SCALE=small DATA=data/folk44` on 35,177 windows of traditional tunes, 10,000 updates of 64, seed 0, some 30 minutes on
one CPU core. Test split: .896 teacher-forced, .798 sampled, .841 greedy, beside .621 for the most frequent token; onsets .748 beside .123; 126 bits.
The training split gives .903 and .796: the model is short of updates and size, not of data.
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'flat', scale: str = 'small'):
    return apply_scale(experiment_config('mel2', 'melody', 2, variant), scale)
