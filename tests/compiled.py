"""What a model does, each as one compiled program.

One operation at a time, each of them would be compiled on its own, which takes many times as long.
"""

import functools

import jax

from mvae.model import vae

_of = functools.partial(jax.jit, static_argnums=1)
init, encode, decode_logits, generate = map(
    _of, (vae.init, vae.encode, vae.decode_logits, vae.generate)
)
