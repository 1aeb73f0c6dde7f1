"""An n-gram language model of tokens with interpolated Witten-Bell smoothing.

It says what a sequence costs that nobody composed (paper section 5.2). It is own code: nltk's
models score some ten thousand tokens a second, and the study asks for ten million. KenLM has no
wheels and needs a compiler.
"""

import numpy as np

from mvae.dataset.store import Store
from mvae.music.form import Form

_START = 1  # how far tokens are shifted up: 0 stands before the beginning


class NGram:
    """p(x | h) = lambda(h) c(h x) / c(h) + (1 - lambda(h)) p(x | h').

    c counts. h' is the context h without its oldest token; the last of them is the uniform
    distribution. lambda(h) = c(h) / (c(h) + t(h)), with t(h) the number of different tokens seen
    after h (Witten & Bell, 1991; interpolated as by Chen & Goodman, 1998). A context that was never
    seen has lambda 0. Before its beginning a sequence has a start token, which is never predicted.
    """

    def __init__(self, tokens: np.ndarray, vocabulary_size: int, order: int = 5):
        """Counts the n-grams of tokens int [N, T], 0..vocabulary_size - 1.

        order: tokens of an n-gram, the predicted one among them. Raises ValueError where n-grams do
        not fit into 64 bits.
        """
        if order < 1 or (vocabulary_size + _START) ** order >= 2**63:
            raise ValueError(
                f'order {order} of {vocabulary_size} tokens does not fit into 64-bit keys'
            )
        self.size, self.order, self._base = vocabulary_size, order, vocabulary_size + _START
        # for each length of context: keys of n-grams and of contexts, with what is needed of each
        self._levels = []
        for length in range(order):
            grams, counts = np.unique(self._keys(tokens, length), return_counts=True)
            contexts, first = np.unique(grams // self._base, return_index=True)
            total = np.add.reduceat(counts, first) if len(first) else np.zeros(0, np.int64)
            kinds = np.diff(np.append(first, len(grams)))
            self._levels.append((grams, counts, contexts, total, kinds))

    def _keys(self, tokens: np.ndarray, length: int) -> np.ndarray:
        """At every step the n-gram of `length` tokens of context and the token: int64 [N * T]."""
        tokens = np.asarray(tokens, np.int64) + _START
        padded = np.pad(tokens, ((0, 0), (length, 0)))
        keys = np.zeros(tokens.shape, np.int64)
        for n in range(length + 1):
            keys = keys * self._base + padded[:, n : n + tokens.shape[1]]
        return keys.ravel()

    def probabilities(self, tokens: np.ndarray) -> np.ndarray:
        """Of every token given those before it: int [M, T] -> float64 [M, T]."""
        p = np.full(np.asarray(tokens).size, 1 / self.size)
        for length, (grams, counts, contexts, total, kinds) in enumerate(self._levels):
            keys = self._keys(tokens, length)
            seen, at = _find(contexts, keys // self._base)
            found, gram_at = _find(grams, keys)
            if seen.any():
                count = np.where(found, counts[gram_at], 0)
                p = np.where(seen, (count + kinds[at] * p) / (total[at] + kinds[at]), p)
        return p.reshape(np.shape(tokens))

    def cost(self, tokens: np.ndarray) -> np.ndarray:
        """Negative log-likelihood of sequences in nats: int [M, T] -> float64 [M]."""
        return -np.log(self.probabilities(tokens)).sum(-1)

    def perplexity(self, tokens: np.ndarray) -> float:
        """exp of the mean cost per token of int [M, T]."""
        return float(np.exp(self.cost(tokens).sum() / np.size(tokens)))


def _find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each wanted key is among the sorted ones, and where (any place if not)."""
    if not len(keys):
        return np.zeros(wanted.shape, bool), np.zeros(wanted.shape, np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[at] == wanted, at


def apart(offsets: np.ndarray, steps: int) -> np.ndarray:
    """Rows of windows that share no token with one taken before: rising int64 [n].

    So overlapping windows do not count music many times. offsets: where each window of `steps`
    tokens begins in the store, int64 [N].
    """
    taken, free = [], -1
    for row in np.argsort(offsets, kind='stable'):
        if offsets[row] >= free:
            taken.append(row)
            free = offsets[row] + steps
    return np.sort(np.array(taken, np.int64))


def heard_once(store: Store, form: Form, split: str) -> list[np.ndarray]:
    """Of every column the windows of a split that do not overlap in it, int32 [N, T] each.

    Windows of a trio may share a bass line.
    """
    windows, columns = np.asarray(store.windows(form, split)), []
    for k, stream in enumerate(form.streams):
        rows = apart(windows[:, k], form.steps * len(stream.codec.sizes))
        own = form.split(store.gather(windows[rows], form))[k]
        columns += list(np.moveaxis(own, -1, 0))
    return columns
