"""trio16: 16-bar trios of melody, bass and drums (make train EXP=trio16).

paper: the paper's trio models, hierarchical and flat (reported teacher-forced / sampled: melody .848 / .753, bass .880 / .773, drums .912 / .863
hierarchical; recalled, unverified). Not run by us.
small: `make train EXP=trio16` on the demo corpus, 4,000 updates of 16, seed 0, 29 minutes on one shared CPU core. Test split (1,024 windows),
teacher-forced / sampled beside the most frequent token: melody .685 / .498 (.558), bass .800 / .586 (.619), drums .759 / .543 (.422); as good as
the earlier `small` (latent 64, conductor 128, conductor_gain 1: .685 / .512, .806 / .596, .761 / .549). Settings at the edge: a learning rate of
5e-3 with a quarter of the inputs hidden gave .698, .814, .779 after 5,000 updates here, and never left the plateau on another corpus; 3e-3 with
inputs hidden fell back onto it after 300 updates.
Multi-track files (238,793 windows, which overlap by 15 of 16 bars): with `--config.data.transpose=(-5,6) --config.training.token_dropout=0.25
--config.training.decay_rate=0.99986` the validation loss of hierdec falls to 874 (11,000 updates, then level up to 20,000) and that of flat to 850 at
12,000, still falling; without them hierdec rose from 915 after 4,000 updates. Test: see README.
"""

from mvae.config import apply_scale, decoder_variants, experiment_config


def get_config(variant: str | None = None, scale: str = 'small'):
    return apply_scale(experiment_config('trio16', 'trio', 16, variant or decoder_variants(scale)[1]), scale)
