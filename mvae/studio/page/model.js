'use strict';
// MusicVAE in plain numbers: encoder, conductor, decoders, and the network of the learned prior.
// What mvae/model does, for one piece at a time. Tensors are {data: Float32Array, shape}.

const NOTHING = -1; // before the first step

const sigmoid = x => 1 / (1 + Math.exp(-x));
const range = n => Array.from({ length: n }, (_, i) => i);

// Uniform numbers in [0, 1) from a seed (mulberry32).
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Standard normal numbers (Box and Muller).
function normal(count, seed) {
  const draw = uniform(seed);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    out[i] = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  }
  return out;
}

// out += x[first, first + count) @ the rows of a kernel from `at` on. Four rows at a time: out is then
// read and written a quarter as often, which is most of the time that it takes.
function addRows(out, x, first, count, kernel, at) {
  const width = out.length;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const [a, b, c, d] = [x[first + i], x[first + i + 1], x[first + i + 2], x[first + i + 3]];
    const row = at + i * width;
    for (let j = 0; j < width; j += 1) {
      const k = row + j;
      out[j] +=
        a * kernel[k] +
        b * kernel[k + width] +
        c * kernel[k + 2 * width] +
        d * kernel[k + 3 * width];
    }
  }
  for (; i < count; i += 1) {
    const row = at + i * width;
    for (let j = 0; j < width; j += 1) out[j] += x[first + i] * kernel[row + j];
  }
}

// out += x @ kernel[row...], where the kernel is [I, N].
function addProduct(out, x, kernel, row = 0) {
  addRows(out, x, 0, x.length, kernel.data, row * out.length);
}

function addRow(out, kernel, row) {
  const start = row * out.length;
  const data = kernel.data;
  for (let j = 0; j < out.length; j += 1) out[j] += data[start + j];
}

function affine(layer, x) {
  const out = Float32Array.from(layer.bias.data);
  addProduct(out, x, layer.kernel);
  return out;
}

// One step of an LSTM with TensorFlow's gates (i, j, f, o); 1 is added to the forget gate.
function lstmStep(gates, state) {
  const { c, h } = state;
  const n = c.length;
  for (let k = 0; k < n; k += 1) {
    const kept = c[k] * sigmoid(gates[2 * n + k] + 1);
    c[k] = kept + sigmoid(gates[k]) * Math.tanh(gates[n + k]);
    h[k] = Math.tanh(c[k]) * sigmoid(gates[3 * n + k]);
  }
}

// How a stream's columns are read and written (mvae/model/heads.py), by the name of the head.
const HEADS = {
  Categorical: {
    read: (head, kernel, row, values, out) => {
      if (values[0] !== NOTHING) addRow(out, kernel, row + values[0]);
    },
    feed: (head, kernel, row, values, out) => {
      if (values[0] !== NOTHING) addRow(out, kernel, row + values[0]);
    },
    draw: (head, logits, temperature, random) => [pick(logits, temperature, random)],
  },
  DrumRoll: {
    read: (head, kernel, row, values, out) => {
      if (values[0] === NOTHING) return;
      const classes = head.in_width - 1;
      if (values[0] === 0) addRow(out, kernel, row + classes);
      for (let n = 0; n < classes; n += 1) {
        if ((values[0] >> n) & 1) addRow(out, kernel, row + n);
      }
    },
    feed: (head, kernel, row, values, out) =>
      HEADS.Categorical.feed(head, kernel, row, values, out),
    draw: (head, ...others) => HEADS.Categorical.draw(head, ...others),
  },
  Columns: {
    read: (head, kernel, row, values, out) =>
      eachColumn(head, 'in_width', (own, start, n) =>
        HEADS[own.kind].read(own, kernel, row + start, [values[n]], out),
      ),
    feed: (head, kernel, row, values, out) =>
      eachColumn(head, 'out_width', (own, start, n) =>
        HEADS[own.kind].feed(own, kernel, row + start, [values[n]], out),
      ),
    draw: (head, logits, temperature, random) => {
      const drawn = [];
      eachColumn(head, 'out_width', (own, start) =>
        drawn.push(
          ...HEADS[own.kind].draw(
            own,
            logits.subarray(start, start + own.out_width),
            temperature,
            random,
          ),
        ),
      );
      return drawn;
    },
  },
};

function eachColumn(head, width, action) {
  let start = 0;
  head.heads.forEach((own, n) => {
    action(own, start, n);
    start += own[width];
  });
}

// The likeliest token, at a temperature one drawn (Gumbel noise).
function pick(logits, temperature, random) {
  let best = 0;
  let most = -Infinity;
  for (let n = 0; n < logits.length; n += 1) {
    const value = logits[n] - (temperature ? temperature * Math.log(-Math.log(random())) : 0);
    if (value > most) {
      most = value;
      best = n;
    }
  }
  return best;
}

// A model of one page: header (mvae/studio/contents.py) and tensors by name.
class Model {
  constructor(header, tensors) {
    this.header = header;
    this.cfg = header.architecture;
    this.params = nested(tensors);
  }

  get latentSize() {
    return this.cfg.latent_size;
  }

  // Streams (of each its columns, [T][C] flat) -> mu, Float32Array [Z].
  encode(streams) {
    const { cfg, params } = this;
    const bars = cfg.encoder_bars;
    const steps = cfg.total_steps / bars;
    const { encoder } = params;
    if (cfg.bar_codes && bars > 1) {
      const codes = range(bars).flatMap(bar =>
        cfg.heads.map((head, n) => {
          const part = encoder.parts[n];
          return affine(part.mu, this._read(part.layers, [head], [streams[n]], bar * steps, steps));
        }),
      );
      return concatenated(codes);
    }
    const summaries = range(bars).map(bar =>
      this._read(encoder.layers, cfg.heads, streams, bar * steps, steps),
    );
    const summary =
      bars > 1
        ? readBothWays(encoder.bar_layers, bars, (kernel, t, out) =>
            addProduct(out, summaries[t], kernel),
          )
        : summaries[0];
    return affine(encoder.mu, summary);
  }

  _read(layers, heads, streams, first, steps) {
    return readBothWays(layers, steps, (kernel, t, out) => {
      let row = 0;
      heads.forEach((head, n) => {
        HEADS[head.kind].read(head, kernel, row, valuesAt(streams[n], head, first + t), out);
        row += head.in_width;
      });
    });
  }

  // z -> what each decoder unfolds in each bar, [decoders][U] of Float32Array [E].
  embeddings(z) {
    const { cfg, params } = this;
    if (!params.conductor) return [[z]];
    const sizes = cfg.conductor_sizes;
    const states = initialStates(params.conductor.initial_state, z, sizes);
    const width = z.length / cfg.bars;
    const heard = range(cfg.bars).map(bar => {
      let x = cfg.bar_codes ? z.subarray(bar * width, (bar + 1) * width) : new Float32Array(1);
      params.conductor.layers.forEach((layer, n) => {
        x = lstmLayer(layer, x, states[n]);
      });
      return Float32Array.from(x);
    });
    return cfg.heads.map((_, n) =>
      heard.map((e, bar) => {
        if (!cfg.bar_codes) return e;
        const start = bar * width + n * cfg.code_size;
        return concatenated([e, z.subarray(start, start + cfg.code_size)]);
      }),
    );
  }

  // Bars of tokens one after the other: {bar, streams}, of each stream its columns of that bar.
  // Bars of one code are played as the first of them (`finish`).
  *generate(z, temperature = 0, seed = 0) {
    const { cfg, params } = this;
    const random = uniform(seed);
    const embeddings = this.embeddings(z);
    const decoders = params.conductor ? cfg.heads.map(head => [head]) : [cfg.heads];
    let last = cfg.heads.map(head => new Array(head.columns).fill(NOTHING));
    for (let bar = 0; bar < cfg.bars; bar += 1) {
      const streams = [];
      decoders.forEach((heads, n) => {
        const own = params.conductor ? [last[n]] : last;
        const drawn = this._decode(
          params.decoders[n],
          heads,
          embeddings[n][bar],
          own,
          temperature,
          random,
        );
        streams.push(...drawn);
      });
      last = streams.map((values, n) => Array.from(values.slice(-cfg.heads[n].columns)));
      yield { bar, streams };
    }
  }

  _decode(params, heads, e, before, temperature, random) {
    const { cfg } = this;
    const width = heads.reduce((sum, head) => sum + head.out_width, 0);
    const states = initialStates(params.initial_state, e, cfg.decoder_sizes);
    const [first, ...others] = params.layers;
    const constant = Float32Array.from(first.bias.data);
    addProduct(constant, e, first.kernel, width);
    const out = heads.map(head => new Int32Array(cfg.steps * head.columns));
    const gates = new Float32Array(constant.length);
    let values = before;
    for (let t = 0; t < cfg.steps; t += 1) {
      gates.set(constant);
      let row = 0;
      heads.forEach((head, k) => {
        HEADS[head.kind].feed(head, first.kernel, row, values[k], gates);
        row += head.out_width;
      });
      addProduct(gates, states[0].h, first.kernel, width + e.length);
      lstmStep(gates, states[0]);
      let x = states[0].h;
      others.forEach((layer, n) => {
        x = lstmLayer(layer, x, states[n + 1]);
      });
      const logits = affine(params.output, x);
      let start = 0;
      values = heads.map((head, k) => {
        const block = logits.subarray(start, start + head.out_width);
        start += head.out_width;
        const drawn = HEADS[head.kind].draw(head, block, temperature, random);
        out[k].set(drawn, t * head.columns);
        return drawn;
      });
    }
    return out;
  }

  // Of z the first bar with the same code, [U][parts]; of one code for all bars nothing is said.
  plan(z) {
    const { cfg } = this;
    if (!cfg.bar_codes) return range(cfg.bars).map(bar => [bar]);
    return planOf(z, cfg.bars_of_codes, cfg.heads.length, cfg.code_size);
  }

  // All bars' tokens at once, [streams] of Int32Array.
  decode(z, temperature = 0, seed = 0) {
    const bars = [...this.generate(z, temperature, seed)].map(({ streams }) => streams);
    return this.join(bars, z);
  }

  join(bars, z) {
    const { cfg } = this;
    const tokens = cfg.heads.map((_, n) => concatenatedInts(bars.map(streams => streams[n])));
    if (!cfg.bar_codes) return tokens;
    const steps = cfg.total_steps / cfg.bars_of_codes;
    this.plan(z).forEach((first, bar) =>
      first.forEach((source, n) => {
        const width = steps * cfg.heads[n].columns;
        tokens[n].copyWithin(bar * width, source * width, (source + 1) * width);
      }),
    );
    return tokens;
  }
}

function valuesAt(values, head, t) {
  return values.subarray(t * head.columns, (t + 1) * head.columns);
}

function lstmLayer(layer, x, state) {
  const gates = Float32Array.from(layer.bias.data);
  addProduct(gates, x, layer.kernel);
  addProduct(gates, state.h, layer.kernel, x.length);
  lstmStep(gates, state);
  return state.h;
}

// tanh of an affine map of e: c and h of layer 0, then of layer 1, and so on.
function initialStates(layer, e, sizes) {
  const flat = affine(layer, e).map(Math.tanh);
  let start = 0;
  return sizes.map(size => {
    const state = {
      c: flat.slice(start, start + size),
      h: flat.slice(start + size, start + 2 * size),
    };
    start += 2 * size;
    return state;
  });
}

// The last layer's final outputs of both directions, Float32Array [2H].
function readBothWays(layers, steps, addInput) {
  let add = addInput;
  let finals = [];
  for (const layer of layers) {
    const outputs = range(steps).map(() => []);
    finals = ['fw', 'bw'].map((direction, d) => {
      const { kernel, bias } = layer[direction];
      const size = bias.data.length / 4;
      const inputs = kernel.shape[0] - size;
      const state = { c: new Float32Array(size), h: new Float32Array(size) };
      const gates = new Float32Array(4 * size);
      for (let n = 0; n < steps; n += 1) {
        const t = d ? steps - 1 - n : n;
        gates.set(bias.data);
        add(kernel, t, gates);
        addProduct(gates, state.h, kernel, inputs);
        lstmStep(gates, state);
        if (layers.length > 1) outputs[t].push(Float32Array.from(state.h));
      }
      return state.h;
    });
    if (layers.length > 1) {
      const joined = outputs.map(concatenated);
      add = (kernel, t, out) => addProduct(out, joined[t], kernel);
    }
  }
  return concatenated(finals);
}

function concatenated(parts) {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    out.set(part, start);
    start += part.length;
  }
  return out;
}

function concatenatedInts(parts) {
  return Int32Array.from(parts.flatMap(part => Array.from(part)));
}

// {'a/0/b': tensor} -> {a: [{b: tensor}]}
function nested(tensors) {
  const root = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const path = name.split('/');
    let place = root;
    path.slice(0, -1).forEach((key, n) => {
      place[key] = place[key] || (/^\d+$/.test(path[n + 1]) ? [] : {});
      place = place[key];
    });
    place[path[path.length - 1]] = tensor;
  }
  return root;
}

// Spherical interpolation of z (mvae/model/interpolation.py).
function slerp(a, b, t) {
  if (t === 0) return Float32Array.from(a);
  if (t === 1) return Float32Array.from(b);
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i += 1) {
    dot += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  const norms = Math.sqrt(aa * bb);
  const cosine = norms > 0 ? Math.min(1, Math.max(-1, dot / norms)) : 1;
  const sine = Math.sqrt(1 - cosine ** 2);
  let [first, second] = [1 - t, t];
  if (sine >= 1e-4) {
    const angle = Math.acos(cosine);
    [first, second] = [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
  }
  return Float32Array.from(a, (x, i) => first * x + second * b[i]);
}
