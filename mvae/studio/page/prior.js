'use strict';
// Where z of new pieces comes from: the learned prior (mvae/model/denoiser.py, diffusion.py,
// prior.py), or a Gaussian.

const STEPS = 50; // from noise to a code
const EQUAL = 1e-3; // distance of codes that are the same but for rounding
const WAVES = 32;
const FASTEST = 6;
const NEAREST = 16;
const GUIDANCE = 1.5; // how far drawing goes for traits
const CLASSES = 12; // pitch classes, the first of the traits of music with pitches

// Of codes [U][K][D], flat, the first bar that has the same one: [U][K].
function planOf(z, bars, parts, size) {
  const code = (bar, part) =>
    z.subarray((bar * parts + part) * size, (bar * parts + part + 1) * size);
  const same = (a, b) => a.every((x, i) => Math.abs(x - b[i]) < EQUAL);
  const plan = [];
  for (let bar = 0; bar < bars; bar += 1) {
    plan.push(
      range(parts).map(part => {
        const first = range(bar).find(other => same(code(other, part), code(bar, part)));
        return first === undefined ? bar : plan[first][part];
      }),
    );
  }
  return plan;
}

function silu(x) {
  return x * sigmoid(x);
}

// y [N, out] = x [N, in] @ kernel [in, out] (at an offset, of one layer of a stack) + bias.
function rowsAffine(x, rows, kernel, bias, layer = 0) {
  const [inputs, outputs] = kernel.shape.slice(-2);
  const y = new Float32Array(rows * outputs);
  const offset = layer * inputs * outputs;
  const k = kernel.data;
  const b = bias.data;
  for (let n = 0; n < rows; n += 1) {
    const out = y.subarray(n * outputs, (n + 1) * outputs);
    for (let j = 0; j < outputs; j += 1) out[j] = b[layer * outputs + j];
    addRows(out, x, n * inputs, inputs, k, offset);
  }
  return y;
}

function normalised(x, rows) {
  const width = x.length / rows;
  const y = new Float32Array(x.length);
  for (let n = 0; n < rows; n += 1) {
    let sum = 0;
    for (let i = n * width; i < (n + 1) * width; i += 1) sum += x[i] * x[i];
    const scale = 1 / Math.sqrt(sum / width + 1e-6);
    for (let i = n * width; i < (n + 1) * width; i += 1) y[i] = x[i] * scale;
  }
  return y;
}

// The network that says the velocity of noisy codes.
class Denoiser {
  constructor(config, tensors) {
    this.cfg = config;
    this.params = nested(tensors);
    this.tokens = config.bars * config.parts;
  }

  // What of `blocks` and `last` depends on the noise level and on what is said of the piece alone.
  told(level, transposed, traits) {
    const { params } = this;
    const waves = range(WAVES).map(n => level * Math.exp((FASTEST * n) / (WAVES - 1)));
    const x = Float32Array.from([...waves.map(Math.sin), ...waves.map(Math.cos)]);
    const heard = affine(params.level, x);
    if (transposed)
      params.transposed.data.forEach((value, i) => {
        heard[i] += value;
      });
    if (params.traits)
      affine(params.traits, traits).forEach((value, i) => {
        heard[i] += value;
      });
    const out = heard.map(silu);
    const { level: own } = params.blocks;
    return {
      blocks: range(this.cfg.layers).map(layer => rowsAffine(out, 1, own.kernel, own.bias, layer)),
      last: rowsAffine(out, 1, params.last.kernel, params.last.bias),
    };
  }

  // Bias of attention for each layer and head, [layers][heads][N * N]: distances, and the same.
  biases(same) {
    const { bars, parts, layers, heads } = this.cfg;
    const { distance, same: told } = this.params.blocks;
    const span = 2 * bars - 1;
    const n = this.tokens;
    return range(layers).map(layer =>
      range(heads).map(head => {
        const out = new Float32Array(n * n);
        const start = (layer * heads + head) * parts * parts * span;
        for (let i = 0; i < n; i += 1) {
          for (let j = 0; j < n; j += 1) {
            const apart = Math.floor(i / parts) - Math.floor(j / parts) + bars - 1;
            const at = start + ((i % parts) * parts + (j % parts)) * span + apart;
            out[i * n + j] = distance.data[at] + told.data[layer * heads + head] * same[i * n + j];
          }
        }
        return out;
      }),
    );
  }

  // x [N, D] at a noise level -> velocity [N, D].
  apply(x, known, same, biases, told) {
    const { cfg, params } = this;
    const n = this.tokens;
    const { width } = cfg;
    let h = rowsAffine(x, n, params.in.kernel, params.in.bias);
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < width; j += 1) {
        h[i * width + j] +=
          params.place.data[i * width + j] + (known[i] ? params.known.data[j] : 0);
      }
    }
    for (let layer = 0; layer < cfg.layers; layer += 1) {
      const parts = range(6).map(k => told.blocks[layer].subarray(k * width, (k + 1) * width));
      h = this._block(layer, h, parts, biases[layer]);
    }
    const [scale, shift] = [told.last.subarray(0, width), told.last.subarray(width)];
    const said = rowsAffine(
      modulated(normalised(h, n), scale, shift),
      n,
      params.out.kernel,
      params.out.bias,
    );
    return this._averaged(said, same);
  }

  _block(layer, h, [scaleA, shiftA, gainA, scaleB, shiftB, gainB], biases) {
    const n = this.tokens;
    const { blocks } = this.params;
    const add = (x, y, gain) => x.map((value, i) => value + (1 + gain[i % gain.length]) * y[i]);
    const attended = this._attend(layer, modulated(normalised(h, n), scaleA, shiftA), biases);
    const after = add(h, attended, gainA);
    const wide = rowsAffine(
      modulated(normalised(after, n), scaleB, shiftB),
      n,
      blocks.wide.kernel,
      blocks.wide.bias,
      layer,
    ).map(silu);
    return add(after, rowsAffine(wide, n, blocks.narrow.kernel, blocks.narrow.bias, layer), gainB);
  }

  _attend(layer, x, biases) {
    const { heads, width } = this.cfg;
    const { blocks } = this.params;
    const n = this.tokens;
    const size = width / heads;
    const all = rowsAffine(x, n, blocks.attention.kernel, blocks.attention.bias, layer);
    const out = new Float32Array(n * width);
    const weights = new Float32Array(n);
    // The projection is [3 * heads, size]: queries of all heads, then keys, then values.
    for (let head = 0; head < heads; head += 1) {
      const [q, k, v] = [head, heads + head, 2 * heads + head].map(slot => slot * size);
      for (let i = 0; i < n; i += 1) {
        let most = -Infinity;
        for (let j = 0; j < n; j += 1) {
          let dot = 0;
          for (let d = 0; d < size; d += 1) {
            dot += all[i * 3 * width + q + d] * all[j * 3 * width + k + d];
          }
          weights[j] = dot / Math.sqrt(size) + biases[head][i * n + j];
          most = Math.max(most, weights[j]);
        }
        let sum = 0;
        for (let j = 0; j < n; j += 1) {
          weights[j] = Math.exp(weights[j] - most);
          sum += weights[j];
        }
        for (let j = 0; j < n; j += 1) {
          const share = weights[j] / sum;
          for (let d = 0; d < size; d += 1) {
            out[i * width + head * size + d] += share * all[j * 3 * width + v + d];
          }
        }
      }
    }
    return rowsAffine(out, n, blocks.joined.kernel, blocks.joined.bias, layer);
  }

  // Codes that are the same are answered alike: the mean of what is said of them.
  _averaged(said, same) {
    const n = this.tokens;
    const { size } = this.cfg;
    const out = new Float32Array(said.length);
    for (let i = 0; i < n; i += 1) {
      let count = 0;
      for (let j = 0; j < n; j += 1) {
        if (!same[i * n + j]) continue;
        count += 1;
        for (let d = 0; d < size; d += 1) out[i * size + d] += said[j * size + d];
      }
      for (let d = 0; d < size; d += 1) out[i * size + d] /= count;
    }
    return out;
  }
}

function modulated(x, scale, shift) {
  const width = scale.length;
  return x.map((value, i) => value * (1 + scale[i % width]) + shift[i % width]);
}

class LearnedPrior {
  constructor(header, tensors) {
    this.cfg = header.config;
    this.plans = tensors.plans; // [N, U, K]
    this.traits = tensors.traits; // [N, C]
    this.inKey = tensors.in_key; // [M], pieces that lie in a key; where music has keys
    this.up = tensors.up; // [M], their semitones up to C major
    this.mean = tensors.mean.data; // [K, D]
    this.scale = tensors.scale.data;
    const weights = Object.entries(tensors).filter(([name]) => name.startsWith('network/'));
    const entries = weights.map(([name, tensor]) => [name.slice('network/'.length), tensor]);
    this.network = new Denoiser(this.cfg, Object.fromEntries(entries));
  }

  // z [Z] of a new piece. pause: awaited at every step, so that the worker can hear of other work.
  // key: of the major scale, 0 of C to 11; left out: any.
  async draw(seed, pause, key) {
    const { bars, parts, size } = this.cfg;
    const nothing = new Array(bars * parts).fill(false);
    const outline = key === undefined ? undefined : this._inKey(seed, key);
    return this.fill(new Float32Array(bars * parts * size), nothing, seed, pause, 1, outline);
  }

  // z with all codes but the known ones drawn anew, to go with these. known: [U * K].
  // level: below 1 the drawing begins from z with so much noise, so that what comes is like z.
  // asked: the outline of a new piece; left out: one of music.
  async fill(z, known, seed, pause = async () => {}, level = 1, asked = undefined) {
    const { bars, parts, size } = this.cfg;
    const isNew = level === 1 && !known.some(Boolean);
    const nothing = new Float32Array(this.cfg.traits);
    const like = level < 1 ? undefined : asked || this._outline(z, known, seed);
    const plan = like ? like.plan : planOf(z, bars, parts, size);
    const { given, known: all } = copied(this._standard(z), known, plan, this.cfg);
    const noise = alike(normal(z.length, seed), plan, this.cfg);
    const start =
      level < 1
        ? noise.map(
            (x, i) =>
              Math.cos((level * Math.PI) / 2) * given[i] + Math.sin((level * Math.PI) / 2) * x,
          )
        : noise;
    const transposed = isNew ? Boolean(like.transposed) : known.some(Boolean);
    const outline = { plan, transposed, traits: isNew ? like.traits : nothing };
    const x = await this.denoise(start, given, all, outline, pause, level);
    const numbers = parts * size;
    return x.map((value, i) => value * this.scale[i % numbers] + this.mean[i % numbers]);
  }

  // From noise x to codes, by the network (DDIM), to an outline { plan, transposed, traits }.
  async denoise(x, given, known, { plan, transposed, traits }, pause, level = 1) {
    const n = this.network.tokens;
    const { parts, size } = this.cfg;
    const same = new Uint8Array(n * n);
    const first = i => plan[Math.floor(i / parts)][i % parts] * parts + (i % parts);
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < n; j += 1) same[i * n + j] = first(i) === first(j) ? 1 : 0;
    }
    const biases = this.network.biases(same);
    const keep = y => y.map((value, i) => (known[Math.floor(i / size)] ? given[i] : value));
    const steps = Math.max(1, Math.round(STEPS * level));
    const at = k => level * (1 - k / steps);
    let now = x;
    for (let k = 0; k < steps; k += 1) {
      await pause();
      now = keep(now);
      const say = own =>
        this.network.apply(now, known, same, biases, this.network.told(at(k), transposed, own));
      let velocity = say(traits);
      if (traits.some(Boolean)) {
        const untold = say(traits.map(() => 0));
        velocity = velocity.map((told, i) => untold[i] + GUIDANCE * (told - untold[i]));
      }
      const [signal, noisy] = [Math.cos((at(k) * Math.PI) / 2), Math.sin((at(k) * Math.PI) / 2)];
      const [nextSignal, nextNoisy] = [
        Math.cos((at(k + 1) * Math.PI) / 2),
        Math.sin((at(k + 1) * Math.PI) / 2),
      ];
      now = now.map(
        (value, i) =>
          nextSignal * (signal * value - noisy * velocity[i]) +
          nextNoisy * (noisy * value + signal * velocity[i]),
      );
    }
    return keep(now);
  }

  _standard(z) {
    const numbers = this.cfg.parts * this.cfg.size;
    return z.map((value, i) => (value - this.mean[i % numbers]) / this.scale[i % numbers]);
  }

  // Plan and traits of a piece of music that agrees best with what is known of z.
  _outline(z, known, seed) {
    const { bars, parts, size } = this.cfg;
    const own = planOf(z, bars, parts, size);
    const count = this.plans.shape[0];
    const at = (n, bar, part) => this.plans.data[(n * bars + bar) * parts + part];
    const wrong = range(count).map(n => {
      let sum = 0;
      for (let part = 0; part < parts; part += 1) {
        for (let u = 0; u < bars; u += 1) {
          if (!known[u * parts + part]) continue;
          for (let v = 0; v < bars; v += 1) {
            if (!known[v * parts + part]) continue;
            const mine = own[u][part] === own[v][part];
            if ((at(n, u, part) === at(n, v, part)) !== mine) sum += 1;
          }
        }
      }
      return sum;
    });
    const least = [...wrong].sort((a, b) => a - b)[Math.min(NEAREST, count) - 1];
    return this._outlineAt(oneOf(range(count).filter(n => wrong[n] <= least), seed));
  }

  // Plan and traits of a piece of music that lies in some key, moved to this one.
  _inKey(seed, key) {
    const chosen = oneOf(range(this.up.shape[0]), seed);
    const up = (this.up.data[chosen] + key) % CLASSES;
    const { plan, traits } = this._outlineAt(this.inKey.data[chosen]);
    const moved = traits.map((value, n) =>
      n < CLASSES ? traits[(n - up + CLASSES) % CLASSES] : value,
    );
    return { plan, traits: moved, transposed: up > 0 };
  }

  _outlineAt(n) {
    const { bars, parts, traits } = this.cfg;
    const at = (bar, part) => this.plans.data[(n * bars + bar) * parts + part];
    const plan = range(bars).map(bar => range(parts).map(part => at(bar, part)));
    return { plan, traits: this.traits.data.slice(n * traits, (n + 1) * traits) };
  }
}

function oneOf(values, seed) {
  return values[Math.floor(uniform(seed ^ 0x5bd1e995)() * values.length)];
}

// [U * K * D] with each code as that of the first bar that the plan says.
function alike(x, plan, { parts, size }) {
  const out = Float32Array.from(x);
  plan.forEach((row, bar) =>
    row.forEach((first, part) => {
      const from = (first * parts + part) * size;
      out.copyWithin((bar * parts + part) * size, from, from + size);
    }),
  );
  return out;
}

// Codes with those that are to be as a known one, and which are known then.
function copied(given, known, plan, { bars, parts, size }) {
  const out = Float32Array.from(given);
  const all = known.map(
    (own, i) =>
      own ||
      range(bars).some(
        bar =>
          known[bar * parts + (i % parts)] &&
          plan[bar][i % parts] === plan[Math.floor(i / parts)][i % parts],
      ),
  );
  all.forEach((is, i) => {
    if (!is || known[i]) return;
    const bar = range(bars).find(
      b =>
        known[b * parts + (i % parts)] &&
        plan[b][i % parts] === plan[Math.floor(i / parts)][i % parts],
    );
    const from = (bar * parts + (i % parts)) * size;
    out.set(given.subarray(from, from + size), i * size);
  });
  return { given: out, known: all };
}

// A Gaussian with a mean [Z] and the root [Z, Z] of its covariance (lower triangular).
class GaussianPrior {
  constructor(header, tensors) {
    this.mean = tensors.mean.data;
    this.root = tensors.root && tensors.root.data;
  }

  async draw(seed) {
    const noise = normal(this.mean.length, seed);
    if (!this.root) return noise;
    const size = noise.length;
    return this.mean.map((mean, i) => {
      let sum = mean;
      for (let j = 0; j <= i; j += 1) sum += this.root[i * size + j] * noise[j];
      return sum;
    });
  }
}

const PRIORS = { learned: LearnedPrior, gaussian: GaussianPrior };
