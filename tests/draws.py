"""What a head draws by a key, for tests."""

import jax


def draw(head, key, logits, temperature) -> jax.Array:
    return head.draw(head.noise(key, logits.shape[:-1]), logits, temperature)
