"""drum2: 2-bar drums, flat (make train EXP=drum2).

paper: the paper's 2-bar drum model (reported .979 teacher-forced, .917 sampled; recalled, unverified). Not run by us.
small: `make train EXP=drum2 SCALE=small DATA=data/groove` on 15,905 windows of the Groove MIDI Dataset in its own split, 10,000 updates of
64, seed 0, some 30 minutes on one CPU core. Test split: .672 teacher-forced, .552 sampled, .629 greedy, beside .216 for the most frequent
token; onsets .636 beside .199; 125 bits. The training split gives .798 and .658: the model is short of data.
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'flat', scale: str = 'small'):
    return apply_scale(experiment_config('drum2', 'drums', 2, variant), scale)
