'use strict';
// From the state to the piece that is heard, and what is said of it.

const LETTERS = ['A', 'B', 'C', 'D'];

let shown = { tokens: null, notes: [], spec: null }; // what stands in the roll

function specOf(own) {
  const corners = own.corners.map(corner => corner.spec);
  const exact = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ].findIndex(([x, y]) => own.x === x && own.y === y);
  switch (own.mode) {
    case 'blend':
      return exact >= 0 ? corners[exact] : { blend: corners, x: own.x, y: own.y };
    case 'morph':
      return morphSpec(own, own.t / 100);
    case 'vary':
      return { vary: own.source.spec, far: own.far / 100, seed: own.seed };
    case 'fill':
      return { fill: own.source.spec, known: knownCodes(own), seed: own.seed };
    default:
      return freshSpec(own);
  }
}

// A new piece, or one of those after it, in the key that is asked for.
function freshSpec(own, after = 0) {
  const spec = { fresh: own.fresh + after };
  return header().keys && own.inKey >= 0 ? { ...spec, key: own.inKey } : spec;
}

function morphSpec(own, t) {
  if (t === 0) return own.corners[0].spec;
  return t === 1 ? own.corners[1].spec : { morph: [own.corners[0].spec, own.corners[1].spec], t };
}

// Of each code whether it is kept: of all bars, and of each bar's streams.
function knownCodes(own) {
  return range(form().bars).flatMap(bar => form().streams.map(stream => isKept(own, bar, stream)));
}

function isKept(own, bar, stream) {
  return own.keep.parts.includes(stream.name) || own.keep.bars.includes(bar);
}

const canFill = () => Boolean(header().prior.config) && header().architecture.bar_codes;

// Tokens that are there at once: of a piece that came with the page, played as it came.
function atHand(spec, own) {
  const plain = !own.heat && Object.values(own.amounts).every(amount => !amount);
  return plain && spec.starter !== undefined
    ? header().starters[spec.starter].map(values => Int32Array.from(flatValues(values)))
    : null;
}

const flatValues = values => values.flat();

async function compose() {
  const own = work();
  const model = state.model;
  const spec = specOf(own);
  if (own.mode === 'fill' && !canFill()) return;
  const key = JSON.stringify([model, spec, own.heat, own.amounts]);
  if (key === shown.key) return;
  const soon = atHand(spec, own);
  if (soon) {
    put(key, spec, soon);
    return;
  }
  const slow = setTimeout(() => say('Drawing …'), 250);
  try {
    const bar =
      shown.key && shown.model === model && own.mode !== 'fill'
        ? (n, streams) => putBar(n, streams)
        : () => {};
    const options = { amounts: own.amounts, heat: own.heat, seed: own.seed, bar };
    let tokens = await ask('piece', spec, options);
    if (!tokens) return;
    if (own.mode === 'fill') tokens = await withKept(own, tokens);
    put(key, spec, tokens);
  } catch (error) {
    complain(error.message);
  } finally {
    clearTimeout(slow);
  }
}

// What is kept stays note for note.
async function withKept(own, tokens) {
  const source = await sourceTokens(own.source.spec);
  const wide = form().steps_per_bar;
  return tokens.map((values, n) => {
    const out = Int32Array.from(values);
    range(form().bars).forEach(bar => {
      if (isKept(own, bar, form().streams[n])) {
        out.set(source[n].slice(bar * wide, (bar + 1) * wide), bar * wide);
      }
    });
    return out;
  });
}

async function sourceTokens(spec) {
  if (spec.tokens) return spec.tokens.map(values => Int32Array.from(values));
  return atHand(spec, { heat: 0, amounts: {} }) || ask('source', spec);
}

function put(key, spec, tokens) {
  shown = { key, spec, model: state.model, tokens, notes: notesOf(form(), tokens) };
  showRoll();
  describe();
  links();
}

// A bar that has come while others are still drawn: it is heard already.
function putBar(bar, streams) {
  if (!shown.tokens) return;
  const width = streams[0].length;
  const tokens = shown.tokens.map(values => Int32Array.from(values));
  streams.forEach((values, n) => tokens[n].set(values, bar * values.length));
  if (width === tokens[0].length) return; // a flat model has one bar: all is there in a moment
  Object.assign(shown, { key: null, tokens, notes: notesOf(form(), tokens) });
  showRoll();
}

function say(words) {
  byId('said').textContent = words;
}

function complain(words) {
  byId('problem').textContent = words;
  byId('problem').hidden = !words;
}

let aboutFile = ''; // how well the model keeps the file that was opened last

function describe() {
  const own = work();
  const counts = shown.notes.reduce((sum, notes) => sum + notes.length, 0);
  say([`${counts} ${counts === 1 ? 'note' : 'notes'}.`, mixture(own), aboutFile].filter(Boolean).join(' '));
  byId('roll').setAttribute('aria-label', inWords(form(), shown.tokens));
}

function mixture(own) {
  const percent = share => `${Math.round(100 * share)}%`;
  const weights = cornerWeights(own);
  const words = weights
    .map((w, n) => (w > 0.005 ? `${LETTERS[n]} ${percent(w)}` : ''))
    .filter(Boolean);
  switch (own.mode) {
    case 'blend':
      return `${words.join(', ')}.`;
    case 'morph':
      return own.t === 0 || own.t === 100
        ? `${own.t ? 'B' : 'A'} itself.`
        : `${own.t}% of the way from A to B.`;
    case 'vary':
      return `${own.far < 2 ? 'As' : `${own.far}% away from`} ${own.source.name}.`;
    case 'fill':
      return `Kept of ${own.source.name}, note for note: ${keptWords(own)}. The rest is new.`;
    default:
      return `New piece number ${own.fresh}${'key' in freshSpec(own) ? `, in ${SCALES[own.inKey]}` : ''}.`;
  }
}

function keptWords(own) {
  const bars = own.keep.bars.map(bar => bar + 1);
  const words = [...own.keep.parts, ...(bars.length ? [`bars ${bars.join(', ')}`] : [])];
  return words.length ? words.join(' and ') : 'nothing';
}

function cornerWeights({ x, y }) {
  return [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
}
