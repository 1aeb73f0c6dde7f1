"""A model as ONNX graphs, made of its weights: encoder.onnx and decoder.onnx, for any runtime.

The encoder gives mu and sigma of tokens, the decoder greedy tokens of z. prior.json is the fitted
prior. Everything is float32, also of models that compute in bfloat16. See docs/export.md.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from mvae.errors import InputError
from mvae.files import write_folder
from mvae.interop import prior, told
from mvae.interop.onnx_builder import Graph
from mvae.interop.onnx_parts import (
    FEED,
    READ,
    Sizes,
    affine,
    cell,
    features,
    read_both_ways,
    split,
    stack,
    start,
)
from mvae.model.config import ModelConfig
from mvae.model.heads import Head
from mvae.model.prior import EQUAL
from mvae.model.types import Params
from mvae.music.form import Form
from mvae.musicvae import MusicVAE

_FLOAT, _INT = TensorProto.FLOAT, TensorProto.INT32


def write(model: MusicVAE, folder: Path) -> str:
    """Writes the folder, which must not be there yet, or be empty.

    A decoder that was imported alone has no encoder.onnx. Raises InputError for heads that ONNX is
    not written for, and where the folder cannot be written.
    """
    told.refuse(model, 'ONNX')
    _check(model.architecture, model.form)
    graphs = {'decoder.onnx': decoder(model)}
    if 'encoder' in model.params:
        graphs['encoder.onnx'] = encoder(model)
    files = {name: graph.SerializeToString(deterministic=True) for name, graph in graphs.items()}
    size = sum(map(len, files.values()))
    write_folder(folder, files | prior.file(model))
    return f'{" and ".join(sorted(files))}, {size / 1e6:.1f} MB'


def _check(cfg: ModelConfig, form: Form) -> None:
    for head, (name, sizes) in zip(cfg.heads, form.layout, strict=True):
        if not head.out_width == head.feed_width == sum(sizes):
            raise InputError(f'the head {name} is more than a softmax for each column: not in ONNX')


def encoder(model: MusicVAE) -> Any:
    """tokens int32 [B, T, K] -> mu and sigma, float32 [B, Z]."""
    g, cfg, form, params = Graph(), model.architecture, model.form, model.params['encoder']
    fold = g.integers(-1, form.steps // cfg.encoder_bars, len(form.sizes))
    time_first = g.op('Transpose', g.op('Reshape', 'tokens', fold), perm=(1, 0, 2))  # [S, N, K]
    sizes = [own for _, own in form.layout]
    streams = split(g, time_first, sizes)
    if 'parts' in params:
        each = zip(params['parts'], cfg.heads, sizes, streams, strict=True)
        codes = [_posterior(g, cfg, p, [head], [own], [x]) for p, head, own, x in each]
        mu, sigma = (g.op('Concat', *parts, axis=1) for parts in zip(*codes, strict=True))
    else:
        mu, sigma = _posterior(g, cfg, params, cfg.heads, sizes, streams)
    whole = g.integers(-1, cfg.latent_size)
    g.output(g.op('Reshape', mu, whole), 'mu')
    g.output(g.op('Softplus', g.op('Reshape', sigma, whole)), 'sigma')
    z = _FLOAT, ['B', cfg.latent_size]
    return g.model({'tokens': _tokens(form)}, {'mu': z, 'sigma': z}, _about(model))


def _posterior(
    g: Graph,
    cfg: ModelConfig,
    params: Params,
    heads: Sequence[Head],
    sizes: Sequence[Sizes],
    streams: Sequence[str],
) -> tuple[str, str]:
    """mu, and sigma before its softplus, of streams [S, N, C]."""
    summary = read_both_ways(g, params['layers'], features(g, READ, heads, sizes, streams))
    if 'bar_layers' in params:
        bars = g.integers(-1, cfg.encoder_bars, 2 * cfg.encoder_sizes[-1])
        sequence = g.op('Transpose', g.op('Reshape', summary, bars), perm=(1, 0, 2))
        summary = read_both_ways(g, params['bar_layers'], sequence)
    return affine(g, params['mu'], summary), affine(g, params['sigma'], summary)


def decoder(model: MusicVAE) -> Any:
    """z float32 [B, Z] -> the likeliest tokens, int32 [B, T, K]."""
    g, cfg, form = Graph(), model.architecture, model.form
    sizes = [own for _, own in form.layout]
    groups = [[own] for own in sizes] if cfg.hierarchical else [sizes]
    all_params, embeddings = model.params['decoders'], _embeddings(g, model)
    decoders = zip(all_params, cfg.decoder_heads, groups, embeddings, strict=True)
    tokens = g.op('Concat', *[_play(g, cfg, *own) for own in decoders], axis=2)
    g.output(_held(g, model, tokens) if cfg.codes > 1 else tokens, 'tokens')
    z = _FLOAT, ['B', cfg.latent_size]
    return g.model({'z': z}, {'tokens': _tokens(form)}, _about(model))


def _tokens(form: Form) -> tuple[int, list[Any]]:
    return _INT, ['B', form.steps, len(form.sizes)]


def _about(model: MusicVAE) -> dict[str, str]:
    form, c = model.form, model.config
    streams = [{'name': s.name, 'sizes': s.codec.sizes} for s in form.streams]
    return {
        'form': form.name,
        'bars': str(form.bars),
        'steps_per_bar': str(form.steps_per_bar),
        'streams': json.dumps(streams),
        'notation': json.dumps(c.music.to_dict()),
    }


def _embeddings(g: Graph, model: MusicVAE) -> list[str]:
    """What each decoder unfolds, [U, B, E]."""
    cfg = model.architecture
    if not cfg.hierarchical:
        return [g.op('Unsqueeze', 'z', g.integers(0))]
    params, sizes = model.params['conductor'], cfg.conductor_sizes
    states = start(g, params['initial_state'], 'z', sizes)
    heard = _codes(g, cfg) if cfg.bar_codes else _zeros(g, cfg)
    cells = [cell(g, layer) for layer in params['layers']]
    embeddings = stack(g, cells, sizes, heard, states)[0]
    if not cfg.bar_codes:
        return [embeddings] * len(cfg.heads)
    codes = g.ops('Split', cfg.parts, heard, g.integers(*[cfg.code_size] * cfg.parts), axis=2)
    return [g.op('Concat', embeddings, code, axis=2) for code in codes]


def _codes(g: Graph, cfg: ModelConfig) -> str:
    """The codes of bars, [U, B, K * D]."""
    by_bar = g.op('Reshape', 'z', g.integers(-1, cfg.bars, cfg.parts * cfg.code_size))
    return g.op('Transpose', by_bar, perm=(1, 0, 2))


def _zeros(g: Graph, cfg: ModelConfig) -> str:
    """What a conductor reads that hears no codes: [U, B, 1]."""
    shape = g.op('Concat', g.integers(cfg.bars), _batch(g, 'z'), g.integers(1), axis=0)
    return g.op('Expand', g.constant(np.zeros((1, 1, 1), np.float32)), shape)


def _play(
    g: Graph, cfg: ModelConfig, params: Params, heads: Sequence[Head], sizes: list[Sizes], e: str
) -> str:
    """One decoder over all bars, greedily: e [U, B, E] -> its columns, int32 [B, T, C]."""
    flat = [size for own in sizes for size in own]
    cells = [cell(g, layer) for layer in params['layers']]
    shape = g.op('Concat', _batch(g, 'z'), g.integers(len(flat)), axis=0)
    nothing = g.op('Expand', g.constant([flat], np.int32), shape)

    def bar(g: Graph, turn: str, carried: list[str]) -> tuple[list[str], str]:
        own = g.op('Gather', e, turn)
        states = start(g, params['initial_state'], own, cfg.decoder_sizes)

        def step(g: Graph, _: str, carried: list[str]) -> tuple[list[str], str]:
            *states, last = carried
            heard = features(g, FEED, heads, sizes, split(g, last, sizes))
            x = g.op('Unsqueeze', g.op('Concat', heard, own, axis=1), g.integers(0))
            top, *after = stack(g, cells, cfg.decoder_sizes, x, states)
            logits = affine(g, params['output'], g.op('Squeeze', top, g.integers(0)))
            drawn = _likeliest(g, logits, flat)
            return [*after, drawn], drawn

        first = [*((state, _FLOAT) for state in states), (carried[0], _INT)]
        tokens = g.loop(cfg.steps, step, first)  # [S, B, C]
        return [g.op('Gather', tokens, g.constant(cfg.steps - 1, np.int64))], tokens

    tokens = g.loop(cfg.bars, bar, [(nothing, _INT)])  # [U, S, B, C]
    by_piece = g.op('Transpose', tokens, perm=(2, 0, 1, 3))
    return g.op('Reshape', by_piece, g.integers(-1, cfg.total_steps, len(flat)))


def _batch(g: Graph, values: str) -> str:
    """B, as int64 [1]."""
    return g.op('Shape', values, start=0, end=1)


def _likeliest(g: Graph, logits: str, sizes: Sequence[int]) -> str:
    """int32 [B, C] of logits [B, sum of sizes]."""
    blocks = g.ops('Split', len(sizes), logits, g.integers(*sizes), axis=1)
    columns = [g.op('ArgMax', block, axis=1, keepdims=1) for block in blocks]
    return g.op('Cast', g.op('Concat', *columns, axis=1), to=_INT)


def _held(g: Graph, model: MusicVAE, tokens: str) -> str:
    """Tokens [B, T, K] in which what has the same code in z is the same: see `decode_tokens`."""
    cfg, form = model.architecture, model.form
    bars, columns = form.bars, len(form.sizes)
    codes = g.op('Reshape', 'z', g.integers(-1, bars, cfg.parts, cfg.latent_size // cfg.codes))
    others, own = (g.op('Unsqueeze', codes, g.integers(axis)) for axis in (1, 2))
    apart = g.op('Sub', others, own)
    far = g.op('ReduceMax', g.op('Abs', apart), axes=[4], keepdims=0)  # [B, U, V, K]
    same = g.op('Less', far, g.constant(EQUAL, np.float32))
    earlier = g.constant(np.tri(bars, dtype=bool)[:, :, None])
    found = g.op('Cast', g.op('And', same, earlier), to=_FLOAT)
    first = g.op('ArgMax', found, axis=2, keepdims=0)  # [B, U, K]
    for _ in range(bars.bit_length()):  # the first of the first, and so on
        first = g.op('GatherElements', first, first, axis=1)
    part = np.repeat(np.arange(cfg.parts), [len(sizes) for _, sizes in form.layout])
    by_column = g.op('Gather', first, g.constant(part, np.int64), axis=2)
    by_step = g.op('Unsqueeze', by_column, g.integers(2))
    sizes = bars, form.steps_per_bar, columns
    shape = g.op('Concat', _batch(g, 'z'), g.integers(*sizes), axis=0)
    by_bar = g.op('Reshape', tokens, g.integers(-1, *sizes))
    held = g.op('GatherElements', by_bar, g.op('Expand', by_step, shape), axis=1)
    return g.op('Reshape', held, g.integers(-1, form.steps, columns))
