'use strict';
// A piece is said by a small value, a spec: what it is made of. Its code z follows from that alone.
//
//   {starter: 3}                              one that came with the page
//   {fresh: 17}, {fresh: 17, key: 9}          drawn by the prior, from a seed; in a major key
//   {tokens: [...], name}                     music of the user, of each stream its columns
//   {blend: [a, b, c, d], x, y}               between four specs
//   {morph: [a, b], t}                        on the way from one spec to another
//   {vary: a, far: 0.3, seed}                 like a spec; far 0 is the same, 1 another piece
//   {fill: a, known: [...], seed}             codes of a spec kept, the others drawn

const LEAST_FAR = 0.02;

const SPECS = {
  starter: async (voice, spec) => voice.starter(spec.starter),
  fresh: async (voice, spec, pause) => voice.prior.draw(spec.fresh, pause, spec.key),
  tokens: async (voice, spec) => voice.model.encode(spec.tokens.map(own => Int32Array.from(own))),
  blend: async (voice, spec, pause) => {
    const [a, b, c, d] = await inTurn(spec.blend, own => voice.code(own, pause));
    return slerp(slerp(a, b, spec.x), slerp(c, d, spec.x), spec.y);
  },
  morph: async (voice, spec, pause) => {
    const [a, b] = await inTurn(spec.morph, own => voice.code(own, pause));
    return slerp(a, b, spec.t);
  },
  vary: async (voice, spec, pause) => {
    const z = await voice.code(spec.vary, pause);
    if (spec.far < LEAST_FAR) return z;
    if (!voice.prior.fill) return slerp(z, await voice.prior.draw(spec.seed, pause), spec.far);
    const none = new Array(voice.model.plan(z).flat().length).fill(false);
    return voice.prior.fill(z, none, spec.seed, pause, spec.far);
  },
  fill: async (voice, spec, pause) => {
    const z = await voice.code(spec.fill, pause);
    return voice.prior.fill(z, spec.known, spec.seed, pause);
  },
};

async function inTurn(values, action) {
  const found = [];
  for (const value of values) found.push(await action(value)); // one after the other: one thread
  return found;
}

const MOST_KEPT = 64; // codes that are remembered

// One model with its prior, its pieces to begin with, and the codes it has worked out.
class Voice {
  constructor(header, tensors) {
    this.model = new Model(header, below(tensors, 'model/'));
    this.prior = new PRIORS[header.prior.kind](header.prior, below(tensors, 'prior/'));
    this.attributes = below(tensors, 'attributes/');
    this.starters = tensors.starters;
    this.known = new Map();
  }

  starter(n) {
    const size = this.model.latentSize;
    return this.starters.data.slice(n * size, (n + 1) * size);
  }

  async code(spec, pause) {
    const key = JSON.stringify(spec);
    if (!this.known.has(key)) {
      const kind = Object.keys(SPECS).find(name => name in spec);
      this.known.set(key, await SPECS[kind](this, spec, pause));
      if (this.known.size > MOST_KEPT) this.known.delete(this.known.keys().next().value);
    }
    return this.known.get(key);
  }

  // z of a spec, moved along attributes by {name: amount}.
  async place(spec, amounts, pause) {
    const z = Float32Array.from(await this.code(spec, pause));
    for (const [name, amount] of Object.entries(amounts)) {
      const vector = this.attributes[name].data;
      for (let i = 0; i < z.length; i += 1) z[i] += amount * vector[i];
    }
    return z;
  }
}
