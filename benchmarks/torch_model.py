"""Timed program: the same model on torch.nn.LSTM, as a PyTorch user would write it.

Argument: the work as JSON; see `answer.serve`.

Random tokens, forward, backward, clipping by the global norm, Adam. Under teacher forcing all bars
run side by side, as in mvae: bars one after another are slower in PyTorch too.
"""

import json
import sys

import torch
from answer import serve
from machine import cores
from torch import nn
from torch.nn import functional as F


def initial_state(
    layer: nn.Linear, e: torch.Tensor, sizes: list[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """(h, c), [layers, N, H] each; all layers are of one size."""
    both = torch.tanh(layer(e)).view(len(e), 2, len(sizes), sizes[0])
    h, c = both.permute(1, 2, 0, 3).contiguous()
    return h, c


class Decoder(nn.Module):
    """An LSTM that reads the previous tokens and an embedding."""

    def __init__(self, width: int, embedding: int, sizes: list[int]):
        super().__init__()
        self.sizes = sizes
        self.initial = nn.Linear(embedding, 2 * sum(sizes))
        self.lstm = nn.LSTM(width + embedding, sizes[0], len(sizes))
        self.output = nn.Linear(sizes[0], width)

    def forward(self, previous: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
        """previous [S, N, V] one-hot, e [N, E] -> logits [S, N, V]."""
        inputs = torch.cat([previous, e.expand(len(previous), *e.shape)], -1)
        return self.output(self.lstm(inputs, initial_state(self.initial, e, self.sizes))[0])


class MusicVAE(nn.Module):
    """Flat or with a hierarchical decoder, by the work's model."""

    def __init__(self, m: dict):
        super().__init__()
        self.bars, self.steps, self.latent = m['bars'], m['steps'], m['latent_size']
        self.vocab, self.conductor_sizes = m['vocab_sizes'], m['conductor_sizes']
        encoder, width = m['encoder_sizes'], sum(self.vocab)
        self.encoder = nn.LSTM(width, encoder[0], len(encoder), bidirectional=True)
        self.mu = nn.Linear(2 * encoder[0], self.latent)
        self.sigma = nn.Linear(2 * encoder[0], self.latent)
        embedding = self.latent
        if self.conductor_sizes:
            embedding = self.conductor_sizes[-1]
            self.start = nn.Linear(self.latent, 2 * sum(self.conductor_sizes))
            self.conductor = nn.LSTM(1, embedding, len(self.conductor_sizes))
        self.widths = self.vocab if self.conductor_sizes else [width]
        self.decoders = nn.ModuleList(
            Decoder(v, embedding, m['decoder_sizes']) for v in self.widths
        )

    def embeddings(self, z: torch.Tensor) -> torch.Tensor:
        """z [B, Z] -> [U, B, E]."""
        if not self.conductor_sizes:
            return z[None]
        state = initial_state(self.start, z, self.conductor_sizes)
        return self.conductor(torch.zeros(self.bars, len(z), 1), state)[0]

    def loss(self, tokens: torch.Tensor) -> torch.Tensor:
        """tokens [T, B, K]: reconstruction and 0.2 KL, in nats per example."""
        one_hot = [F.one_hot(tokens[..., k], v).float() for k, v in enumerate(self.vocab)]
        x = torch.cat(one_hot, -1)
        _, (h, _) = self.encoder(x)
        summary = torch.cat([h[-2], h[-1]], -1)
        mu, sigma = self.mu(summary), F.softplus(self.sigma(summary))
        kl = (0.5 * (sigma**2 + mu**2 - 1) - torch.log(sigma)).sum(-1)
        e = self.embeddings(mu + sigma * torch.randn_like(mu))
        previous = torch.cat([torch.zeros_like(x[:1]), x[:-1]]).split(self.widths, -1)
        bars, steps, batch = self.bars, self.steps, tokens.shape[1]
        logits = []
        for p, decoder in zip(previous, self.decoders, strict=True):
            by_step = p.view(bars, steps, batch, -1).transpose(0, 1)
            out = decoder(by_step.reshape(steps, bars * batch, -1), e.reshape(bars * batch, -1))
            by_bar = out.view(steps, bars, batch, -1).transpose(0, 1)
            logits.append(by_bar.reshape(len(tokens), batch, -1))
        blocks = torch.cat(logits, -1).split(self.vocab, -1)
        losses = [
            F.cross_entropy(b.reshape(-1, b.shape[-1]), tokens[..., k].reshape(-1), reduction='sum')
            for k, b in enumerate(blocks)
        ]
        return sum(losses) / batch + 0.2 * kl.mean()

    @torch.no_grad()
    def sample(self, n: int) -> torch.Tensor:
        """n pieces from the prior, [T, n, K]."""
        e, tokens = self.embeddings(torch.randn(n, self.latent)), []
        previous = [torch.zeros(n, v) for v in self.widths]
        for e_u in e:
            states = [initial_state(d.initial, e_u, d.sizes) for d in self.decoders]
            for _ in range(self.steps):
                drawn, blocks = [], []
                for i, d in enumerate(self.decoders):
                    h, states[i] = d.lstm(torch.cat([previous[i], e_u], -1)[None], states[i])
                    blocks += d.output(h[0]).split(
                        [self.widths[i]] if self.conductor_sizes else self.vocab, -1
                    )
                for logits in blocks:
                    drawn.append(torch.multinomial(torch.softmax(logits, -1), 1)[:, 0])
                one_hot = [F.one_hot(k, v).float() for k, v in zip(drawn, self.vocab, strict=True)]
                previous = one_hot if self.conductor_sizes else [torch.cat(one_hot, -1)]
                tokens.append(torch.stack(drawn, -1))
        return torch.stack(tokens)


def main(work: dict) -> None:
    torch.set_num_threads(cores())
    torch.manual_seed(0)
    model = MusicVAE(work['model'])
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    shape = model.bars * model.steps, work['batch_size']
    tokens = torch.stack([torch.randint(0, v, shape) for v in model.vocab], -1)

    def train() -> float:
        adam.zero_grad(set_to_none=True)
        loss = model.loss(tokens)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        return float(loss.detach())

    calls = {
        'train': train,
        'sample': lambda: model.sample(work['samples']),
        'sample1': lambda: model.sample(1),
    }
    serve(calls, {'parameters': sum(p.numel() for p in model.parameters())})


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
