"""mel16: 16-bar melodies (make train EXP=mel16).

paper: the paper's 16-bar melody models, hierarchical and flat (reported .919 and .883 teacher-forced, .812 and .620 sampled; recalled, unverified).
Not run by us.
small: folk tunes (13,178 windows), 30,000 updates of 16 planned, stopped after 7,000 (best at 3,000) when the validation loss rose, at an earlier
state of `small` (latent 64, conductor 128, conductor_gain 1). Test (256 windows), flat / hierdec: teacher-forced .704 / .681, sampled .501 / .528
beside .569 for always hold; onsets sampled .104 / .104, below the most frequent one (.131): the code did not carry the tune. Tried on the way,
without that changing within 2,000 to 5,000 updates: 1,024 free bits and 256 latent units, a hierarchical encoder, transposition, a quarter or nine
tenths of the inputs hidden. What did help: conductor_gain 5, see `mvae/model/conductor.py` (validation loss 292 instead of 424 after 1,000 updates,
conductor 256, latent 256). 2,500 updates of `small` as it is now: validation loss 285 hierdec, 277 hier; onsets decoded greedily .133 on the
training split (hier), as often as the most frequent one: nothing of the tunes' pitches is in the code at that budget, so it is updates that are
lacking here.
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'hierdec', scale: str = 'small'):
    return apply_scale(experiment_config('mel16', 'melody', 16, variant), scale)
