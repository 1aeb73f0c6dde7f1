"""drum2: 2-bar drums, flat (make train EXP=drum2).

paper: the paper's 2-bar drum model (reported .979 teacher-forced, .917 sampled; recalled,
unverified). Not run by us.
small: `make train EXP=drum2 SCALE=small DATA=data/groove STEPS=32000
ARGS=--config.training.decay_rate=0.99985` on 15,905 windows of the Groove MIDI Dataset in its own
split, updates of 64, seed 0, 58 minutes on one CPU core. Validation loss 17.1, falling to the end.
Test split: .822 teacher-forced, .750 sampled, .804 greedy, beside .216 for the most frequent token;
onsets .791, .711, .771 beside .199; 127 bits. Training split (1,830 windows): .912, .838, .893.
With the usual 10,000 updates (decay .9998, 21 minutes) 23.0, .750, .655, .729; with a decay of
.9995 28.5, .698, .571, .662, and that with no drum classes left out (`data.drop_drums=0`) 31.6,
.672, .552, .629.
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'flat', scale: str = 'small'):
    return apply_scale(experiment_config('drum2', 'drums', 2, variant), scale)
