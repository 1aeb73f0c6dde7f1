'use strict';
// The page. What is to be heard is said by `state` alone: a model, what is made of which pieces, and
// how it sounds. It stands in the address, and undo takes older ones.

const byId = id => document.getElementById(id);
const HEADERS = JSON.parse(byId('headers').textContent);
const LETTERS = ['A', 'B', 'C', 'D'];
const KEYS = ['-6', '-5', '-4', '-3', '-2', '-1', 'as it is', '+1', '+2', '+3', '+4', '+5'];
const WORDS = { // of attributes (mvae/latent/attributes.py), where there is a plain one
  note_density: 'Busier', mean_interval: 'Bigger leaps', syncopation_8th: 'Off the beat',
  syncopation_16th: 'Between eighths', c_diatonic: 'White keys', drum_density: 'Busier drums',
  drum_syncopation_8th: 'Drums off beat', drum_syncopation_16th: 'Drums between', backbeat: 'Backbeat',
  hi_hat_density: 'More hi-hat',
};
const MOST_HISTORY = 200;
const IDLE = 1500; // milliseconds

let state = null;
let past = [];
let future = [];
let shown = { tokens: null, notes: [], spec: null }; // what stands in the roll
let orders = 0;
const waiting = new Map(); // order -> {bar, done, failed}
const loaded = {};
let travelling = null; // steps of a morph or path that play one after the other

// ---- state

function newWork(header) {
  return {
    mode: 'blend',
    corners: range(4).map(n => ({ spec: { starter: n }, name: `Piece ${n + 1}`, locked: false })),
    x: 0, y: 0, path: [], t: 50, steps: 8,
    source: { spec: { starter: 0 }, name: 'Piece 1' }, far: 30, seed: 1, fresh: 1,
    keep: usuallyKept(header.form),
    heat: 0, amounts: {},
  };
}

// The first part of several, or the first half of a single one.
function usuallyKept({ streams, bars }) {
  if (streams.length > 1) return { parts: [streams[0].name], bars: [] };
  return { parts: [], bars: range(Math.ceil(bars / 2)) };
}

function newState() {
  const work = Object.fromEntries(HEADERS.map(header => [header.name, newWork(header)]));
  return { model: HEADERS[0].name, work, qpm: 120, swing: 0, key: 0, loop: true, muted: [], solo: [] };
}

const header = () => HEADERS.find(one => one.name === state.model);
const form = () => header().form;
const work = () => state.work[state.model];

// Changes the state by a function of a copy. kept: whether undo comes back to what was before.
function change(action, kept = true) {
  const before = JSON.stringify(state);
  const next = JSON.parse(before);
  action(next, next.work[next.model]);
  if (JSON.stringify(next) === before) return;
  if (kept) {
    past.push(held || before);
    past = past.slice(-MOST_HISTORY);
    future = [];
    held = null;
  } else {
    held = held || before; // of a drag undo knows where it began
  }
  state = next;
  refresh();
}
let held = null;

// At the end of a drag.
function settle() {
  if (!held) return;
  past.push(held);
  future = [];
  held = null;
  remember();
  marks();
}

function step(from, to) {
  if (!from.length) return;
  to.push(JSON.stringify(state));
  state = JSON.parse(from.pop());
  refresh();
}

// ---- the address

// Tokens are mostly zeros: runs of a number and how often it comes.
function packTokens(values) {
  const runs = [];
  for (const value of values) {
    const last = runs[runs.length - 1];
    if (last && last[0] === value) last[1] += 1; else runs.push([value, 1]);
  }
  return runs.map(([value, n]) => value.toString(36) + (n > 1 ? `.${n.toString(36)}` : '')).join(' ');
}

function unpackTokens(text) {
  return text.split(' ').flatMap(run => {
    const [value, n] = run.split('.').map(part => parseInt(part, 36));
    if (!(value >= 0) || n > 65536) throw new Error('tokens');
    return new Array(n || 1).fill(value);
  });
}

function deep(value, action) {
  if (Array.isArray(value)) return value.map(one => deep(one, action));
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => (
    [name, name === 'tokens' ? own.map(action) : deep(own, action)])));
}

function toHash(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(deep(value, packTokens)));
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

// null where the address holds no state of this page.
function fromHash(hash) {
  try {
    const bytes = Uint8Array.from(atob(hash.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
    const found = deep(JSON.parse(new TextDecoder().decode(bytes)), unpackTokens);
    const known = HEADERS.every(({ name }) => found.work[name] && found.work[name].corners.length === 4);
    return known && HEADERS.some(one => one.name === found.model) ? { ...newState(), ...found } : null;
  } catch {
    return null;
  }
}

let remembering = null;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try { history.replaceState(null, '', `#${toHash(state)}`); } catch { /* a page in a frame */ }
  }, 200);
}

// ---- the worker

const worker = new Worker(URL.createObjectURL(
  new Blob([byId('worker').textContent], { type: 'text/javascript' })));

worker.onmessage = ({ data }) => {
  if (data.loaded) { loaded[data.loaded] = true; performance.mark(`loaded ${data.loaded}`); return; }
  const order = waiting.get(data.order);
  if (!order && data.problem) complain(data.problem);
  if (!order) return;
  if (data.streams) order.bar(data.bar, data.streams);
  if (data.tokens || data.problem || data.dropped) waiting.delete(data.order);
  if (data.tokens || data.dropped) order.done(data.tokens || null);
  if (data.problem) order.failed(data.problem);
};
worker.onerror = event => complain(`the model stopped: ${event.message}`);

HEADERS.forEach(({ name, manifest, hash, ...about }, n) => {
  const block = byId(`weights-${n}`);
  worker.postMessage({ load: name, header: about, manifest, hash, base64: block.textContent });
  block.remove();
});

// Tokens of a spec. channel: a later order of the same channel takes an earlier one's place, which
// gives null.
function ask(channel, spec, { amounts = {}, bar = () => {}, name = state.model, heat = 0, seed = 0 } = {}) {
  orders += 1;
  const order = orders;
  return new Promise((done, failed) => {
    waiting.set(order, { bar, done, failed: words => failed(new Error(words)) });
    worker.postMessage({ order, channel, name, spec, amounts, temperature: heat / 100, seed });
  });
}

// The next new piece is drawn while nothing else is asked for: drawing takes longest.
let idle = null;
function drawAhead() {
  clearTimeout(idle);
  orders += 1;
  worker.postMessage({ order: orders, channel: 'ahead', stop: true });
  idle = setTimeout(() => ask('ahead', { fresh: work().fresh + 1 }).catch(() => {}), IDLE);
}

// ---- what is to be heard

function specOf(own) {
  const corners = own.corners.map(corner => corner.spec);
  const exact = [[0, 0], [1, 0], [0, 1], [1, 1]].findIndex(([x, y]) => own.x === x && own.y === y);
  switch (own.mode) {
    case 'blend': return exact >= 0 ? corners[exact] : { blend: corners, x: own.x, y: own.y };
    case 'morph': return morphSpec(own, own.t / 100);
    case 'vary': return { vary: own.source.spec, far: own.far / 100, seed: own.seed };
    case 'fill': return { fill: own.source.spec, known: knownCodes(own), seed: own.seed };
    default: return { fresh: own.fresh };
  }
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
    ? header().starters[spec.starter].map(values => Int32Array.from(flatValues(values))) : null;
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
  if (soon) { put(key, spec, soon); return; }
  const slow = setTimeout(() => say('Drawing …'), 250);
  try {
    const bar = shown.key && shown.model === model && own.mode !== 'fill'
      ? (n, streams) => putBar(n, streams) : () => {};
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

// ---- what is said

function say(words) { byId('said').textContent = words; }

function complain(words) {
  byId('problem').textContent = words;
  byId('problem').hidden = !words;
}

let aboutFile = ''; // how well the model keeps the file that was opened last

function describe() {
  const own = work();
  const counts = shown.notes.reduce((sum, notes) => sum + notes.length, 0);
  say([`${counts} notes.`, mixture(own), aboutFile].filter(Boolean).join(' '));
  byId('roll').setAttribute('aria-label', inWords(form(), shown.tokens));
}

function mixture(own) {
  const percent = share => `${Math.round(100 * share)}%`;
  const weights = cornerWeights(own);
  const words = weights.map((w, n) => (w > 0.005 ? `${LETTERS[n]} ${percent(w)}` : '')).filter(Boolean);
  switch (own.mode) {
    case 'blend': return `${words.join(', ')}.`;
    case 'morph': return own.t === 0 || own.t === 100 ? `${own.t ? 'B' : 'A'} itself.`
      : `${own.t}% of the way from A to B.`;
    case 'vary': return `${own.far < 2 ? 'As' : `${own.far}% away from`} ${own.source.name}.`;
    case 'fill': return `${keptWords(own)} of ${own.source.name} stay${own.keep.parts.length === 1 && !own.keep.bars.length ? 's' : ''}, note for note; the rest is new.`;
    default: return `New piece number ${own.fresh}.`;
  }
}

function keptWords(own) {
  const bars = own.keep.bars.map(bar => bar + 1);
  const words = [...own.keep.parts, ...(bars.length ? [`bars ${bars.join(', ')}`] : [])];
  return words.length ? words.join(' and ') : 'Nothing';
}

function cornerWeights({ x, y }) {
  return [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
}

// ---- music of the user

async function readFile(file, place) {
  complain('');
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { tracks, qpm } = readMidi(bytes, form().steps_per_bar);
    const { tokens, said, silent } = windowOf(form(), tracks);
    const name = file.name.replace(/\.midi?$/i, '').slice(0, 40) || 'your file';
    const spec = { tokens: tokens.map(values => Array.from(values)) };
    const back = await ask('back', spec);
    if (!back) return; // another file came meanwhile
    const { kept, all } = keptNotes(form(), tokens, back);
    const share = all ? Math.round((100 * kept) / all) : 100;
    const about = `${said ? `${name}: ${said}. ` : ''}The model keeps ${name} at ${share}%: `
      + `${kept} of ${all} notes.${share < 60 ? ' It is unlike the music it knows.' : ''}`
      + (silent.length && canFill() ? ` Fill gives it ${silent.join(' and ')}.` : '');
    change((next, own) => placeMusic(own, place, { spec, name }, next, qpm, silent));
    aboutFile = about;
    describe();
  } catch (error) {
    complain(`${file.name}: ${error.message}`);
  }
}

function placeMusic(own, place, piece, next, qpm, silent) {
  next.qpm = Math.min(300, Math.max(20, qpm));
  if (typeof place === 'number') {
    Object.assign(own.corners[place], piece, { locked: true });
    if (own.mode === 'blend') [own.x, own.y] = [place % 2, Math.floor(place / 2)];
    if (own.mode === 'morph' && place < 2) own.t = 100 * place;
  } else {
    own.source = piece;
    const there = form().streams.map(stream => stream.name).filter(name => !silent.includes(name));
    if (there.length < form().streams.length) own.keep = { parts: there, bars: [] };
  }
}

// The corner for a file that is dropped elsewhere: the first that is not locked.
function freePlace() {
  const own = work();
  if (own.mode === 'vary' || own.mode === 'fill') return 'source';
  const places = own.mode === 'morph' ? [0, 1] : [0, 1, 2, 3];
  return places.find(n => !own.corners[n].locked) ?? 0;
}

// ---- playing

const audible = n => {
  const name = form().streams[n].name;
  return state.solo.length ? state.solo.includes(name) : !state.muted.includes(name);
};

function transposed(stream, note) {
  if (!stream.tonal || !state.key) return note;
  return { ...note, pitch: Math.min(127, Math.max(0, note.pitch + state.key)) };
}

const player = new Player(HEADERS[0].voices, {
  look: step => form().streams.flatMap((stream, n) => (audible(n)
    ? shown.notes[n].filter(note => note.start === step)
      .map(note => ({ stream, note: transposed(stream, note) })) : [])),
  steps: () => form().bars * form().steps_per_bar,
  tempo: () => ({ seconds: 60 / state.qpm / (form().steps_per_bar / 4), swing: state.swing / 100 }),
  ended: () => goOn(),
  midi: (stream, note, wait, held) => sendMidi(stream, note, wait, held),
});
player.finished = () => playing(false);

function playing(is) {
  byId('play').textContent = is ? 'Stop' : 'Play';
  byId('play').setAttribute('aria-pressed', String(is));
  if (!is) { travelling = null; roll.point(null); byId('travel').textContent = 'Play all steps'; }
}

async function togglePlay() {
  if (player.playing) { player.stop(); playing(false); return; }
  await player.start();
  playing(true);
  requestAnimationFrame(followPlayhead);
}

function followPlayhead() {
  if (!player.playing) return;
  roll.point(player.position());
  requestAnimationFrame(followPlayhead);
}

// At the end of a round: the next step of a journey, or the next stretch of a path.
function goOn() {
  const own = work();
  if (travelling) {
    const t = travelling.shift();
    if (t === undefined) { travelling = null; return state.loop; }
    change((next, mine) => { mine.t = t; }, false);
    return true;
  }
  if (own.mode === 'blend' && own.path.length > 1 && !drawing()) {
    const n = (own.place || 0) + 1;
    const [x, y] = own.path[n % own.path.length];
    change((next, mine) => { Object.assign(mine, { x, y, place: n % own.path.length }); }, false);
    return true;
  }
  return state.loop;
}

// ---- MIDI out

let outputs = [];

async function findOutputs() {
  if (!navigator.requestMIDIAccess) return;
  byId('ports-label').hidden = false;
  byId('ports').append(new Option('this page', ''), new Option('a MIDI port …', 'ask'));
}

async function choosePort() {
  const select = byId('ports');
  if (select.value !== 'ask') return;
  try {
    const access = await navigator.requestMIDIAccess();
    outputs = [...access.outputs.values()];
    select.replaceChildren(new Option('this page', ''),
      ...outputs.map((port, n) => new Option(port.name, String(n))));
    if (!outputs.length) say('There is no MIDI port on this computer.');
    else select.value = '0';
  } catch {
    select.value = '';
    say('The browser does not let this page use MIDI ports.');
  }
}

function sendMidi({ sound }, note, wait, held) {
  const port = outputs[byId('ports').value || NaN];
  if (!port) return false;
  const channel = sound.is_drum ? DRUM_CHANNEL : sound.track;
  const at = performance.now() + 1000 * Math.max(0, wait);
  port.send([0x90 | channel, note.pitch, note.velocity], at);
  port.send([0x80 | channel, note.pitch, 0], at + 1000 * held);
  return true;
}

// ---- files

const title = () => `mvae ${state.model} ${work().mode}`;
const played = notes => notes.map((own, n) => (audible(n)
  ? own.map(note => transposed(form().streams[n], note)) : []));

function links() {
  const bytes = writeMidi(form(), [played(shown.notes)], state.qpm, title());
  const link = byId('midi');
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'audio/midi' }));
  link.download = `${title().replace(/ /g, '_')}.mid`;
  link.dataset.data = `data:audio/midi;base64,${btoa(String.fromCharCode(...bytes))}`;
}

function save(bytes, name, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60e3);
}

function saveWav() {
  const { seconds, swing } = player.tempo();
  const parts = played(shown.notes).map((notes, n) => ({ stream: form().streams[n], notes }));
  const bytes = writeWav(player.waves, parts, player.steps(), seconds, swing);
  save(bytes, `${title().replace(/ /g, '_')}.wav`, 'audio/wav');
}

async function saveJoined() {
  const own = work();
  const pieces = [];
  try {
    for (const t of stops(own)) {
      const spec = morphSpec(own, t / 100);
      const tokens = atHand(spec, own) || await ask('joined', spec, { amounts: own.amounts, heat: own.heat });
      pieces.push(played(notesOf(form(), tokens)));
    }
    save(writeMidi(form(), pieces, state.qpm, title()), `${title().replace(/ /g, '_')}_all.mid`, 'audio/midi');
  } catch (error) {
    complain(error.message);
  }
}

const stops = own => range(own.steps).map(n => Math.round((100 * n) / (own.steps - 1)));

// ---- the page's parts

const roll = new Roll(byId('roll'), byId('playhead'));
const showRoll = () => roll.show(form(), shown.notes, form().streams.map((_, n) => !audible(n)));
const drawing = () => byId('drawing').checked;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'own') made.style.setProperty('--own', value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function buildTabs() {
  byId('tabs').replaceChildren(...HEADERS.map((one, n) => element('button', {
    id: `tab-${n}`, type: 'button', role: 'tab', 'aria-controls': 'work',
    onclick: () => change(next => { next.model = one.name; }),
    onkeydown: event => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const to = (n + by + HEADERS.length) % HEADERS.length;
      change(next => { next.model = HEADERS[to].name; });
      byId(`tab-${to}`).focus();
    },
  }, one.title, ...(HEADERS.filter(({ title: t }) => t === one.title).length > 1 ? [` (${one.name})`] : []))));
}

function buildCorners() {
  byId('corners').replaceChildren(...LETTERS.map((letter, n) => {
    const lock = element('button', { type: 'button', 'aria-pressed': 'false', 'aria-label': `Lock ${letter}`,
      onclick: () => change((next, own) => { own.corners[n].locked = !own.corners[n].locked; }) }, 'Lock');
    const dice = element('button', { type: 'button', 'aria-label': `New piece on ${letter}`,
      onclick: () => newCorner(n) }, 'New');
    const open = element('button', { type: 'button', 'aria-label': `Open a MIDI file on ${letter}`,
      onclick: () => openFile(n) }, 'Open');
    const card = element('div', { class: 'corner', own: `var(--${letter.toLowerCase()})`, 'data-place': n },
      element('b', {}, letter), element('span', { class: 'name' }),
      element('div', {}, dice, lock, open));
    takesFiles(card, () => n);
    return card;
  }));
}

function newCorner(n) {
  change((next, own) => {
    own.fresh += 1;
    own.corners[n] = { spec: { fresh: own.fresh }, name: `Piece ${own.fresh + 11}`, locked: false };
    if (own.mode === 'blend') [own.x, own.y] = [n % 2, Math.floor(n / 2)];
  });
}

function buildParts() {
  byId('parts').replaceChildren(...form().streams.map((stream, n) => {
    const toggle = (list, word) => element('button', {
      type: 'button', 'aria-pressed': 'false', 'aria-label': `${word} ${stream.name}`, 'data-list': list,
      onclick: () => change(next => {
        const has = next[list].includes(stream.name);
        next[list] = has ? next[list].filter(name => name !== stream.name) : [...next[list], stream.name];
      }),
    }, word);
    return element('div', { class: 'part', own: `var(--part-${n % 3})`, 'data-part': stream.name },
      element('span', {}, stream.name), toggle('muted', 'Mute'), toggle('solo', 'Solo'));
  }));
}

function buildKeep() {
  const box = (label, list, value) => element('label', { class: 'check' },
    element('input', { type: 'checkbox', 'data-list': list, value, onchange: event => change((next, own) => {
      const kept = own.keep[list].filter(one => one !== value);
      own.keep[list] = event.target.checked ? [...kept, value].sort((a, b) => (a > b ? 1 : -1)) : kept;
    }) }), element('span', {}, label));
  byId('keep-parts').replaceChildren(...form().streams.map(({ name }) => box(name, 'parts', name)));
  byId('keep-bars').replaceChildren(...range(form().bars).map(bar => box(String(bar + 1), 'bars', bar)));
}

function buildAttributes() {
  byId('attributes').replaceChildren(...header().attributes.map(name => {
    const input = element('input', { type: 'range', min: -200, max: 200, step: 10, 'data-attribute': name,
      oninput: event => change((next, own) => { own.amounts[name] = event.target.value / 100; }, false),
      onchange: settle });
    const label = WORDS[name] || name.replace(/_/g, ' ');
    return element('label', { class: 'slide' }, element('span', {}, label), input, element('output'));
  }));
}

let built = null;
function build() {
  if (built === state.model) return;
  built = state.model;
  buildCorners(); buildParts(); buildKeep(); buildAttributes();
}

// Brings the page to what the state says.
function refresh() {
  build();
  const own = work();
  aboutFile = '';
  HEADERS.forEach((one, n) => {
    const is = one.name === state.model;
    byId(`tab-${n}`).setAttribute('aria-selected', String(is));
    byId(`tab-${n}`).tabIndex = is ? 0 : -1;
    if (is) byId('work').setAttribute('aria-labelledby', `tab-${n}`);
  });
  for (const input of document.querySelectorAll('[name=mode]')) input.checked = input.value === own.mode;
  for (const part of document.querySelectorAll('[data-for]')) {
    part.hidden = !part.dataset.for.split(' ').includes(own.mode);
  }
  refreshCorners(own);
  refreshPad(own);
  refreshSliders(own);
  refreshKeep(own);
  for (const place of document.querySelectorAll('.source-name')) place.textContent = own.source.name;
  byId('loop').checked = state.loop;
  if (document.activeElement !== byId('qpm')) byId('qpm').value = state.qpm;
  byId('key').value = String(state.key);
  for (const button of document.querySelectorAll('#parts button')) {
    const name = button.parentElement.dataset.part;
    button.setAttribute('aria-pressed', String(state[button.dataset.list].includes(name)));
  }
  marks();
  if (shown.tokens && shown.model === state.model) { showRoll(); links(); }
  remember();
  drawAhead();
  compose();
}

function marks() {
  byId('undo').disabled = !past.length;
  byId('redo').disabled = !future.length;
}

function refreshCorners(own) {
  [...byId('corners').children].forEach((card, n) => {
    card.hidden = own.mode === 'morph' && n > 1;
    card.querySelector('.name').textContent = own.corners[n].name;
    card.querySelector('[aria-pressed]').setAttribute('aria-pressed', String(own.corners[n].locked));
  });
}

function refreshPad(own) {
  const puck = byId('puck');
  puck.style.left = `${100 * own.x}%`;
  puck.style.top = `${100 * own.y}%`;
  const pad = byId('pad');
  pad.setAttribute('aria-valuenow', String(Math.round(100 * own.x)));
  const words = cornerWeights(own).map((w, n) => `${LETTERS[n]} ${Math.round(100 * w)}%`);
  pad.setAttribute('aria-valuetext', words.join(', '));
  const path = own.path.map(([x, y], n) => `${n ? 'L' : 'M'}${x} ${y}`).join('');
  byId('trail').querySelector('path').setAttribute('d', path);
  byId('forget').disabled = !own.path.length;
}

const SLIDERS = { // id: value from state, into state, in words
  t: [own => own.t, (own, value) => { own.t = value; }, value => `${value}%`],
  steps: [own => own.steps, (own, value) => { own.steps = value; }, value => `${value}`],
  far: [own => own.far, (own, value) => { own.far = value; },
    value => ['the same', 'near', 'loosely', 'far', 'another'][Math.min(4, Math.ceil(value / 25))]],
  heat: [own => own.heat, (own, value) => { own.heat = value; },
    value => (value ? (value / 100).toFixed(2) : 'steady')],
  swing: [() => state.swing, (own, value, next) => { next.swing = value; }, value => `${value}%`],
};

function refreshSliders(own) {
  for (const [id, [read, , words]] of Object.entries(SLIDERS)) {
    const input = byId(id);
    input.value = read(own);
    input.parentElement.querySelector('output').textContent = words(read(own));
    input.setAttribute('aria-valuetext', words(read(own)));
  }
  for (const input of document.querySelectorAll('[data-attribute]')) {
    const amount = own.amounts[input.dataset.attribute] || 0;
    input.value = 100 * amount;
    const words = amount ? `${amount > 0 ? '+' : '−'}${Math.abs(amount).toFixed(1)}` : '0';
    input.parentElement.querySelector('output').textContent = words;
  }
}

function refreshKeep(own) {
  for (const input of document.querySelectorAll('.keep input')) {
    const { list } = input.dataset;
    input.checked = own.keep[list].includes(list === 'bars' ? Number(input.value) : input.value);
  }
  byId('cannot-fill').hidden = canFill();
  byId('cannot-fill').textContent = 'This model has one code for a whole piece, and cannot keep a part '
    + 'of it. Train one with model.bar_codes.';
  byId('refill').disabled = !canFill();
}

// ---- what hands do

function movePuck(event) {
  const box = byId('pad').getBoundingClientRect();
  const part = (at, start, size) => Math.round(100 * Math.min(1, Math.max(0, (at - start) / size))) / 100;
  const [x, y] = [part(event.clientX, box.left, box.width), part(event.clientY, box.top, box.height)];
  change((next, own) => {
    Object.assign(own, { x, y });
    const last = own.path[own.path.length - 1];
    if (drawing() && (!last || Math.hypot(last[0] - x, last[1] - y) > 0.08)) own.path.push([x, y]);
  }, false);
}

function pushPuck(event) {
  const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
  const to = { Home: [0, 0], End: [1, 1] }[event.key];
  if (!by && !to) return;
  event.preventDefault();
  const near = value => Math.round(10 * Math.min(1, Math.max(0, value))) / 10;
  change((next, own) => {
    [own.x, own.y] = to || [near(own.x + by[0]), near(own.y + by[1])];
    if (drawing()) own.path.push([own.x, own.y]);
  });
}

let openPlace = 0;
function openFile(place) {
  openPlace = place;
  byId('file').value = '';
  byId('file').click();
}

function takesFiles(place, where) {
  const over = is => place.classList.toggle('over', is);
  place.addEventListener('dragover', event => { event.preventDefault(); over(true); });
  place.addEventListener('dragleave', () => over(false));
  place.addEventListener('drop', event => {
    event.preventDefault();
    event.stopPropagation();
    over(false);
    const [file] = event.dataTransfer.files;
    if (file) readFile(file, where());
  });
}

function listenToHands() {
  const on = (id, kind, action) => byId(id).addEventListener(kind, action);
  for (const input of document.querySelectorAll('[name=mode]')) {
    input.addEventListener('change', () => change((next, own) => {
      if (['vary', 'fill'].includes(input.value) && shown.spec && !['vary', 'fill'].includes(own.mode)) {
        own.source = { spec: shown.spec, name: 'what played' };
      }
      own.mode = input.value;
    }));
  }
  on('pad', 'pointerdown', event => {
    byId('pad').setPointerCapture(event.pointerId);
    if (drawing()) change((next, own) => { own.path = []; }, false);
    movePuck(event);
    byId('pad').onpointermove = movePuck;
  });
  for (const kind of ['pointerup', 'pointercancel']) {
    on('pad', kind, () => { byId('pad').onpointermove = null; settle(); });
  }
  on('pad', 'keydown', pushPuck);
  on('forget', 'click', () => change((next, own) => { own.path = []; own.place = 0; }));
  for (const [id, [, write]] of Object.entries(SLIDERS)) {
    on(id, 'input', event => change((next, own) => write(own, Number(event.target.value), next), false));
    on(id, 'change', settle);
  }
  on('another', 'click', () => change((next, own) => { own.seed += 1; }));
  on('refill', 'click', () => change((next, own) => { own.seed += 1; }));
  on('dice', 'click', () => change((next, own) => { own.fresh += 1; }));
  on('to-corner', 'click', () => change((next, own) => {
    const n = own.corners.findIndex(corner => !corner.locked);
    if (n >= 0) own.corners[n] = { spec: shown.spec, name: `Piece ${own.fresh + 11}`, locked: true };
    say(n >= 0 ? `It is on ${LETTERS[n]} now.` : 'All corners are locked.');
  }));
  for (const button of document.querySelectorAll('.take')) {
    button.addEventListener('click', () => change((next, own) => {
      if (shown.tokens) own.source = { spec: { tokens: shown.tokens.map(x => Array.from(x)) }, name: 'what played' };
    }));
  }
  for (const button of document.querySelectorAll('.open')) {
    button.addEventListener('click', () => openFile(button.dataset.place));
  }
  on('file', 'change', event => { if (event.target.files[0]) readFile(event.target.files[0], openPlace); });
  on('play', 'click', togglePlay);
  on('loop', 'change', event => change(next => { next.loop = event.target.checked; }));
  on('qpm', 'change', event => {
    const value = Math.round(Number(event.target.value));
    if (value >= 20 && value <= 300) change(next => { next.qpm = value; });
    else event.target.value = state.qpm;
  });
  on('key', 'change', event => change(next => { next.key = Number(event.target.value); }));
  on('travel', 'click', async () => {
    travelling = stops(work()).slice(1);
    change((next, own) => { own.t = 0; });
    byId('travel').textContent = 'Playing …';
    await player.start();
    playing(true);
    requestAnimationFrame(followPlayhead);
  });
  on('joined', 'click', saveJoined);
  on('wav', 'click', saveWav);
  on('midi', 'dragstart', event => {
    const { download, dataset } = byId('midi');
    event.dataTransfer.setData('DownloadURL', `audio/midi:${download}:${dataset.data}`);
  });
  on('link', 'click', copyLink);
  on('ports', 'change', choosePort);
  on('undo', 'click', () => step(past, future));
  on('redo', 'click', () => step(future, past));
  takesFiles(document.body, freePlace);
  document.addEventListener('keydown', shortcut);
  addEventListener('resize', () => roll.draw());
  addEventListener('hashchange', () => {
    const found = fromHash(location.hash.slice(1));
    if (found) { state = found; refresh(); }
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => roll.draw());
}

async function copyLink() {
  history.replaceState(null, '', `#${toHash(state)}`);
  try {
    await navigator.clipboard.writeText(location.href);
    say('The link is copied. It opens this page as it stands now.');
  } catch {
    say('The address above opens this page as it stands now.');
  }
}

function shortcut(event) {
  const typing = ['INPUT', 'SELECT', 'TEXTAREA', 'BUTTON', 'A', 'SUMMARY'].includes(event.target.tagName);
  if (event.key === ' ' && !typing) { event.preventDefault(); togglePlay(); }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
    event.preventDefault();
    if (event.shiftKey) step(future, past); else step(past, future);
  }
}

byId('key').append(...KEYS.map((name, n) => new Option(name, String(n - 6))));
buildTabs();
listenToHands();
findOutputs();
state = fromHash(location.hash.slice(1)) || newState();
refresh();
performance.mark('ready');
