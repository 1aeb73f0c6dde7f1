"""trio16: 16-bar trios of melody, bass and drums (make train EXP=trio16).

paper: the paper's trio models, hierarchical and flat (reported teacher-forced / sampled: melody
.848 / .753, bass .880 / .773, drums .912 / .863 hierarchical; recalled, unverified). Not run by us.
small: `make train EXP=trio16` on the demo corpus, 4,000 updates of 16, seed 0, 17 minutes on one
CPU core. Validation loss 479, falling to the end. Test split (2,748 windows of 137 songs),
teacher-forced / sampled / greedy beside the most frequent token: melody .738 / .588 / .641 (.557),
bass .846 / .705 / .758 (.614), drums .793 / .672 / .741 (.425). A faster decay of the learning
rate: 505 (.9995), .728 / .579 / .637, .831 / .689 / .750, .785 / .659 / .738; 536 (.9993; 1,024
windows), .717 / .572 / .627, .815 / .674 / .744, .775 / .650 / .735, as all that follows. With
LSTMs over bars that started as rotations (orthogonal recurrence, signals of 0.5): validation loss
599, .671 / .518 / .574, .786 / .598 / .682, .750 / .607 / .700, and with transposition (-5, 6) 648:
4,000 updates were too few for it. With one encoder over 256 steps and an ordinary conductor .685 /
.498 / .561, .800 / .586 / .664, .759 / .543 / .629. Multi-track files (238,793 windows, which
overlap by 15 of 16 bars), 8,000 updates (`STEPS=8000 ARGS='--config.data.transpose=(-5,6)
--config.training.decay_rate=0.9996'`), 61 minutes each on one CPU core: validation loss 870 hier,
925 hierenc. With rotations hier stayed at 913, level from 7,000. With one encoder over 256 steps
(decay .99986): hierdec with an ordinary conductor 874 (11,000 updates, level up to 20,000), flat
850 at 12,000, still falling. Test: README. Without transposition and hidden inputs hierdec rose
from 915 after 4,000 updates. What was narrow (multi-track, 400 updates; nats per window under its
own code / more under that of another song / of its own bars moved on by one / by eight): a weight
matrix per bar in encoder and conductor 1292 / 275 / 26 / 97; rotations 1399 / 99 / 1.4 / 26. That
encoder with a rotating conductor 1382 / 136 / 2 / 23; its recurrence frozen 1289 / 169 / 3 / 33;
and with signals of a 25th, read 25 times as loudly, 1284 / 245 / 7 / 64; a delay line read at its
front 1297 / 261 / 14 / 77, the same at a hundredth of the learning rate instead of none, and no
better than a rotation without the small signals. The encoder such a delay line too, as it is now:
1328 / 249 / 11 / 83. Not the free bits (1,024 on 512 units change nothing in 800 updates).
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(
        experiment_config('trio16', 'trio', 16, variant or decoder_variants(scale)[1]), scale
    )
