'use strict';
// Standard MIDI files: reading what a user drops, and writing pieces.

const MOST_BYTES = 10e6;
const MOST_STEPS = 2 ** 16;
const TICKS = 480; // per quarter, of what is written
const DRUM_CHANNEL = 9;

// {tracks: [{program, drums, notes}], qpm} of a file's bytes. Notes are in steps of the grid, from
// the beginning of their section, which a change of meter begins. Throws an Error that says what is
// wrong with the file.
function readMidi(bytes, form) {
  if (bytes.length > MOST_BYTES) throw new Error('this file is larger than 10 MB');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = findHeader(bytes);
  const division = view.getUint16(start + 12);
  if (!division || division & 0x8000)
    throw new Error('its time is counted in frames, not in beats');
  const events = [];
  let place = start + 8 + view.getUint32(start + 4);
  while (place + 8 <= bytes.length) {
    const length = view.getUint32(place + 4);
    const end = Math.min(bytes.length, place + 8 + length);
    if (text(bytes, place, 4) === 'MTrk') readTrack(bytes, place + 8, end, events);
    place = place + 8 + length;
  }
  events.sort((a, b) => a.tick - b.tick);
  const tempo = events.find(event => event.tempo);
  const parts = tracksOf(events);
  if (!parts.length) throw new Error('there are no notes in it');
  const tracks = onGrid(parts, sectionsOf(events), form, form.steps_per_quarter / division);
  return { tracks, qpm: tempo ? Math.round(60e6 / tempo.tempo) : 120 };
}

function text(bytes, start, length) {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

// Some files have something else before the header, such as a RIFF frame.
function findHeader(bytes) {
  for (let n = 0; n <= Math.min(256, bytes.length - 14); n += 1) {
    if (text(bytes, n, 4) === 'MThd') return n;
  }
  throw new Error('this is no MIDI file');
}

// Notes, programs, tempos and meters of one track are added to events.
function readTrack(bytes, start, end, events) {
  let [place, tick, status] = [start, 0, 0];
  const next = () => {
    if (place >= end) throw new RangeError();
    return bytes[place++];
  };
  const number = () => {
    let value = 0;
    for (let n = 0; n < 4; n += 1) {
      const byte = next();
      value = value * 128 + (byte & 127);
      if (byte < 128) break;
    }
    return value;
  };
  try {
    while (place < end) {
      tick += number();
      if (bytes[place] & 0x80) status = next();
      if (status === 0xff) {
        const kind = next();
        const length = number();
        const data = bytes.subarray(place, Math.min(end, place + length));
        place += length;
        if (kind === 0x2f) break;
        if (kind === 0x51 && data.length >= 3) {
          const tempo = data[0] * 65536 + data[1] * 256 + data[2];
          if (tempo) events.push({ tick, tempo });
        }
        if (kind === 0x58 && data.length >= 2)
          events.push({ tick, meter: [data[0], 2 ** data[1]] });
      } else if (status >= 0xf0) {
        place += number();
      } else if (status >= 0x80) {
        const [first, second] = [next(), (status & 0xe0) === 0xc0 ? 0 : next()];
        events.push({ tick, track: start, status, first, second });
      } else {
        break; // data without a status: what follows cannot be read
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a track that ends early: what there was
  }
}

// Where the meter changes: [{tick, meter}], the first at 0.
function sectionsOf(events) {
  const sections = [{ tick: 0, meter: [4, 4] }];
  for (const { tick, meter } of events.filter(event => event.meter)) {
    const last = sections[sections.length - 1];
    if (tick === last.tick) last.meter = meter;
    else if (meter.join() !== last.meter.join()) sections.push({ tick, meter });
  }
  return sections.filter((one, n) => n === 0 || one.meter.join() !== sections[n - 1].meter.join());
}

// Whether music in a meter has such bars, with such beats (mvae/music/meter.py).
function takes([numerator, denominator], [n, d]) {
  const compound = number => number > 3 && number % 3 === 0;
  return n * denominator === numerator * d && compound(n) === compound(numerator);
}

// The tracks' notes in steps, without those in other meters than the form's.
function onGrid(parts, sections, form, scale) {
  const step = ticks => Math.floor(ticks * scale + 0.5);
  const found = parts
    .map(part => ({
      ...part,
      notes: part.notes.flatMap(note => {
        let section = sections.length - 1;
        while (sections[section].tick > note.start) section -= 1;
        const { tick, meter } = sections[section];
        const [start, next] = [step(note.start - tick), sections[section + 1]];
        if (!takes(form.meter, meter) || start >= MOST_STEPS) return [];
        const end = Math.min(note.end, next ? next.tick : Infinity);
        return [{ ...note, section, start, end: Math.max(start + 1, step(end - tick)) }];
      }),
    }))
    .filter(part => part.notes.length);
  if (!found.length) {
    const other = sections.find(({ meter }) => !takes(form.meter, meter)) || sections[0];
    const meters = [other.meter, form.meter].map(meter => meter.join('/'));
    throw new Error(`the music is in ${meters[0]}; this model plays in ${meters[1]}`);
  }
  return found;
}

// Notes by track and channel, in ticks; all drums together.
function tracksOf(events) {
  const programs = new Array(16).fill(0);
  const open = new Map();
  const parts = new Map();
  for (const { tick, track, status, first, second } of events) {
    if (!status) continue;
    const [kind, channel] = [status & 0xf0, status & 0x0f];
    if (kind === 0xc0) programs[channel] = first;
    if (kind !== 0x90 && kind !== 0x80) continue;
    const drums = channel === DRUM_CHANNEL;
    const key = drums ? 'drums' : `${track} ${channel} ${programs[channel]}`;
    const sounding = `${track} ${channel} ${first}`;
    const earlier = open.get(sounding);
    if (earlier) {
      earlier.end = tick;
      open.delete(sounding);
    }
    if (kind === 0x90 && second > 0) {
      if (!parts.has(key)) parts.set(key, { program: programs[channel], drums, notes: [] });
      const note = { start: tick, end: tick, pitch: first, velocity: second };
      parts.get(key).notes.push(note);
      open.set(sounding, note);
    }
  }
  return [...parts.values()];
}

// A MIDI file of pieces of a form that follow each other; each is of notes for each stream.
function writeMidi(form, pieces, qpm, title) {
  const steps = form.bars * form.steps_per_bar;
  const ticks = TICKS / form.steps_per_quarter;
  const tempo = Math.round(60e6 / qpm);
  const [numerator, denominator] = form.meter;
  const head = [
    ...meta(3, utf8(title)),
    ...meta(0x58, [numerator, Math.log2(denominator), 24, 8]),
    ...meta(0x51, [tempo >> 16, (tempo >> 8) & 255, tempo & 255]),
    ...END,
  ];
  const tracks = form.streams.map((stream, n) => {
    const notes = pieces.flatMap((piece, k) =>
      piece[n].map(note => ({ ...note, start: note.start + k * steps, end: note.end + k * steps })),
    );
    return trackBytes(stream, notes, ticks);
  });
  const all = [head, ...tracks].flatMap(bytes => [
    ...chars('MTrk'),
    ...word(bytes.length),
    ...bytes,
  ]);
  const count = form.streams.length + 1;
  return Uint8Array.from([
    ...chars('MThd'),
    ...word(6),
    0,
    1,
    0,
    count,
    TICKS >> 8,
    TICKS & 255,
    ...all,
  ]);
}

function trackBytes(stream, notes, ticks) {
  const { sound } = stream;
  const channel = sound.is_drum ? DRUM_CHANNEL : sound.track;
  const events = notes
    .flatMap(note => [
      [Math.round(note.start * ticks), 1, [0x90 | channel, note.pitch, note.velocity]],
      [Math.round(note.end * ticks), 0, [0x80 | channel, note.pitch, 0]],
    ])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const bytes = [...meta(3, utf8(stream.name)), 0, 0xc0 | channel, sound.program];
  let tick = 0;
  for (const [at, , message] of events) {
    bytes.push(...variable(at - tick), ...message);
    tick = at;
  }
  return [...bytes, ...END];
}

const chars = words => Array.from(words, char => char.charCodeAt(0));
const word = n => [(n >>> 24) & 255, (n >> 16) & 255, (n >> 8) & 255, n & 255];

const utf8 = words => Array.from(new TextEncoder().encode(words)).slice(0, 100);
const meta = (kind, bytes) => [0, 255, kind, bytes.length, ...bytes];
const END = meta(0x2f, []);

function variable(n) {
  const bytes = [n & 127];
  for (let rest = n >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}
