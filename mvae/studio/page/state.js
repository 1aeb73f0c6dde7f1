'use strict';
// What is to be heard is said by `state` alone: a model, what is made of which pieces, and how it
// sounds. It stands in the address, and undo takes older ones.

const byId = id => document.getElementById(id);
const HEADERS = JSON.parse(byId('headers').textContent);
const MOST_HISTORY = 200;

let state = null;
let past = [];
let future = [];
let held = null; // the state where a drag began

function newWork(header) {
  return {
    mode: 'blend',
    corners: range(4).map(n => ({ spec: { starter: n }, name: `Piece ${n + 1}`, locked: false })),
    x: 0,
    y: 0,
    path: [],
    t: 50,
    steps: 8,
    source: { spec: { starter: 0 }, name: 'Piece 1' },
    far: 30,
    seed: 1,
    fresh: 1,
    inKey: -1, // of new pieces: any
    keep: usuallyKept(header.form),
    heat: 0,
    amounts: {},
  };
}

// The first part of several, or the first half of a single one.
function usuallyKept({ streams, bars }) {
  if (streams.length > 1) return { parts: [streams[0].name], bars: [] };
  return { parts: [], bars: range(Math.ceil(bars / 2)) };
}

function newState() {
  const work = Object.fromEntries(HEADERS.map(header => [header.name, newWork(header)]));
  return {
    model: HEADERS[0].name,
    work,
    qpm: 120,
    swing: 0,
    key: 0,
    loop: true,
    muted: [],
    solo: [],
  };
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

// Tokens are mostly zeros: runs of a number and how often it comes.
function packTokens(values) {
  const runs = [];
  for (const value of values) {
    const last = runs[runs.length - 1];
    if (last && last[0] === value) last[1] += 1;
    else runs.push([value, 1]);
  }
  return runs
    .map(([value, n]) => value.toString(36) + (n > 1 ? `.${n.toString(36)}` : ''))
    .join(' ');
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
  return Object.fromEntries(
    Object.entries(value).map(([name, own]) => [
      name,
      name === 'tokens' ? own.map(action) : deep(own, action),
    ]),
  );
}

function toHash(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(deep(value, packTokens)));
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}

// null where the address holds no state of this page.
function fromHash(hash) {
  try {
    const bytes = Uint8Array.from(atob(hash.replace(/-/g, '+').replace(/_/g, '/')), c =>
      c.charCodeAt(0),
    );
    const found = deep(JSON.parse(new TextDecoder().decode(bytes)), unpackTokens);
    const known = HEADERS.every(
      ({ name }) => found.work[name] && found.work[name].corners.length === 4,
    );
    if (!known || !HEADERS.some(one => one.name === found.model)) return null;
    const fresh = newState(); // has what older addresses lack
    for (const { name } of HEADERS) found.work[name] = { ...fresh.work[name], ...found.work[name] };
    return { ...fresh, ...found };
  } catch {
    return null;
  }
}

let remembering = null;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try {
      history.replaceState(null, '', `#${toHash(state)}`);
    } catch {
      /* a page in a frame */
    }
  }, 200);
}
