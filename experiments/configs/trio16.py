"""trio16: 16-bar trios of melody, bass and drums (make train EXP=trio16).

paper: the paper's trio models, hierarchical and flat (reported teacher-forced / sampled: melody .848 / .753, bass .880 / .773, drums .912 / .863
hierarchical; recalled, unverified). Not run by us.
small: `make train EXP=trio16` on the demo corpus, 4,000 updates of 16, seed 0, 15 minutes on one shared CPU core. Validation loss 599. Test split
(1,024 windows), teacher-forced / sampled / greedy beside the most frequent token: melody .671 / .518 / .574 (.558), bass .786 / .598 / .682 (.619),
drums .750 / .607 / .700 (.422). With one encoder over 256 steps, no hidden inputs and the conductor of then: .685 / .498 / .561, .800 / .586 / .664,
.759 / .543 / .629, so that codes now say more and decoders know less by themselves. With transposition (-5, 6) .647 / .512 / .583, .767 / .590 /
.677, .743 / .590 / .689 (validation loss 648): 4,000 updates are too few for it.
Multi-track files (238,793 windows, which overlap by 15 of 16 bars), `--config.data.transpose=(-5,6)`: with the conductor and encoder of then and
`--config.training.decay_rate=0.99986` the validation loss of hierdec falls to 874 (11,000 updates, then level up to 20,000) and that of flat to 850
at 12,000, still falling; without transposition and hidden inputs hierdec rose from 915 after 4,000 updates. hier with rotations (decay .9997): 913
after 8,000, level from 7,000; sampled melody .453, bass .492 (plateau), drums .517. Test: see README.
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(experiment_config('trio16', 'trio', 16, variant or decoder_variants(scale)[1]), scale)
