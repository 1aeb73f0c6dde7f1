'use strict';
// Notes and columns: what mvae/music does, as far as a page needs it. A note is
// {start, end, pitch, velocity} in steps; tokens are Int32Array [T * C] for each stream.

const NOTE_NAMES = ['C', 'C♯', 'D', 'E♭', 'E', 'F', 'F♯', 'G', 'A♭', 'A', 'B♭', 'B'];
const LOUDNESS = 80; // velocity of notes that have none of their own

const range = n => Array.from({ length: n }, (_, i) => i);
const noteName = pitch => `${NOTE_NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

// By the kind of a stream's codec: notes of a track, in order of time, to tokens, and back.
const CODECS = {
  LineCodec: {
    expresses: (codec, pitch) => pitch >= codec.min_pitch && pitch <= codec.max_pitch,
    encode: (codec, notes, length) => {
      const tokens = new Int32Array(length);
      const line = highest(notes);
      for (const note of line) if (note.end < length) tokens[note.end] = 1;
      for (const note of line) {
        if (note.start < length) tokens[note.start] = note.pitch - codec.min_pitch + 2;
      }
      return tokens;
    },
    decode: (codec, tokens) => {
      const notes = [];
      tokens.forEach((token, step) => {
        if (token === 0) return;
        const last = notes[notes.length - 1];
        if (last && last.end === tokens.length) last.end = step;
        if (token > 1) {
          const pitch = token - 2 + codec.min_pitch;
          notes.push({ start: step, end: tokens.length, pitch, velocity: LOUDNESS });
        }
      });
      return notes;
    },
    say: (codec, note) => noteName(note.pitch),
    rows: (codec, notes) => pitchRows(notes),
    row: (codec, note) => note.pitch,
  },
  DrumCodec: {
    expresses: (codec, pitch) => codec.classes[pitch] >= 0,
    encode: (codec, notes, length) => {
      const tokens = new Int32Array(length);
      for (const { start, pitch } of notes) {
        if (start < length) tokens[start] |= 1 << codec.classes[pitch];
      }
      return tokens;
    },
    decode: (codec, tokens) => {
      const notes = [];
      tokens.forEach((token, step) =>
        codec.pitches.forEach((pitch, n) => {
          if ((token >> n) & 1)
            notes.push({ start: step, end: step + 1, pitch, velocity: LOUDNESS });
        }),
      );
      return notes;
    },
    say: (codec, note) => codec.names[codec.classes[note.pitch]],
    rows: codec => codec.names.map((name, n) => ({ value: n, name })),
    row: (codec, note) => codec.classes[note.pitch],
  },
};

// Of notes that start together the highest; an overlap cuts the earlier note.
function highest(notes) {
  const sorted = [...notes].sort((a, b) => a.start - b.start || b.pitch - a.pitch);
  const kept = sorted.filter((note, n) => n === 0 || note.start !== sorted[n - 1].start);
  return kept.map((note, n) => ({
    ...note,
    end: n + 1 < kept.length ? Math.min(note.end, kept[n + 1].start) : note.end,
  }));
}

const FEWEST_ROWS = 25;

// Rows of a roll for pitched notes, two octaves at least; names at every C.
function pitchRows(notes) {
  const pitches = notes.length ? notes.map(note => note.pitch) : [60];
  let [low, high] = [Math.min(...pitches) - 1, Math.max(...pitches) + 1];
  const more = Math.max(0, FEWEST_ROWS - (high - low + 1));
  low = Math.max(0, low - Math.floor(more / 2));
  high = Math.min(127, Math.max(high, low + FEWEST_ROWS - 1));
  return range(high - low + 1).map(n => ({
    value: low + n,
    name: (low + n) % 12 === 0 ? noteName(low + n) : '',
  }));
}

const codecOf = stream => CODECS[stream.codec.kind];

// Tokens of all streams -> notes of each stream.
function notesOf(form, tokens) {
  return form.streams.map((stream, n) => codecOf(stream).decode(stream.codec, tokens[n]));
}

// How many notes of a piece another has too: same start, and same pitch or drum.
function keptNotes(form, tokens, others) {
  const name = note => `${note.start} ${note.pitch}`;
  let [kept, all] = [0, 0];
  const pairs = [notesOf(form, tokens), notesOf(form, others)];
  form.streams.forEach((_, n) => {
    const have = new Set(pairs[1][n].map(name));
    all += pairs[0][n].length;
    kept += pairs[0][n].filter(note => have.has(name(note))).length;
  });
  return { kept, all };
}

// Notes as words, for who cannot see them.
function inWords(form, tokens) {
  return notesOf(form, tokens)
    .map((notes, n) => {
      const stream = form.streams[n];
      const said = notes.slice(0, 64).map(note => codecOf(stream).say(stream.codec, note));
      const more = notes.length > said.length ? `, and ${notes.length - said.length} more` : '';
      return `${stream.name}: ${said.join(' ') || 'silent'}${more}`;
    })
    .join('; ');
}

// Which tracks of a file may be a stream (mvae/music/tracks.py), by the kind of its rule.
const BASSES = track => track.program >= 32 && track.program < 40;
const RULES = {
  Programs: {
    claims: (rule, track) =>
      !track.drums &&
      track.program >= rule.first &&
      track.program <= rule.last &&
      BASSES(track) === rule.below > 0,
    otherwise: (rule, free) => {
      const pitched = free.filter(track => !track.drums);
      if (rule.below) {
        const low = pitched.filter(track => meanPitch(track) < rule.below);
        return low.sort((a, b) => meanPitch(a) - meanPitch(b)).slice(0, 1);
      }
      const others = pitched.filter(track => !BASSES(track));
      const found = busiest(others.length ? others : pitched);
      return found ? [found] : [];
    },
  },
  AllDrums: { claims: (rule, track) => track.drums, otherwise: () => [] },
};

function meanPitch(track) {
  return track.notes.reduce((sum, note) => sum + note.pitch, 0) / track.notes.length;
}

function onsets(track) {
  return new Set(track.notes.map(note => `${note.section} ${note.start}`)).size;
}

// The track with the most onsets, the first of equal ones.
function busiest(tracks) {
  return tracks.reduce(
    (best, track) => (!best || onsets(track) > onsets(best) ? track : best),
    null,
  );
}

// The best track of each stream, null for a silent one.
function chooseTracks(form, tracks) {
  const chosen = [];
  form.streams.forEach((stream, n) => {
    const codec = codecOf(stream);
    const expressed = tracks
      .map(track => ({
        ...track,
        whole: track,
        notes: track.notes.filter(x => codec.expresses(stream.codec, x.pitch)),
      }))
      .filter(track => track.notes.length);
    const rule = RULES[stream.rule.kind];
    let own = expressed.filter(track => rule.claims(stream.rule, track));
    if (!own.length) {
      const taken = new Set(chosen.filter(Boolean).map(track => track.whole));
      const later = form.streams.slice(n + 1);
      const free = expressed.filter(
        track =>
          !taken.has(track.whole) &&
          !later.some(other => RULES[other.rule.kind].claims(other.rule, track)),
      );
      own = rule.otherwise(stream.rule, free);
    }
    chosen.push(busiest(own));
  });
  return chosen;
}

// A file's tracks as one window of a form: {tokens, said}. What does not fit is said.
function windowOf(form, tracks) {
  const chosen = chooseTracks(form, tracks);
  if (!chosen.some(Boolean)) {
    throw new Error(`this file has no ${form.streams.map(stream => stream.name).join(' or ')}`);
  }
  const sections = new Set(
    chosen.filter(Boolean).flatMap(track => track.notes.map(n => n.section)),
  );
  const { whole, bars } = [...sections]
    .sort((a, b) => a - b)
    .map(section => encoded(form, chosen, tracks, section))
    .reduce((best, one) => (one.onsets > best.onsets ? one : best));
  const first = bars > form.bars ? firstBar(form, whole) : 0;
  const said = [];
  if (first) said.push(`${first} empty bar${first > 1 ? 's' : ''} at the beginning left out`);
  if (bars - first > form.bars) said.push(`the first ${form.bars} of ${bars - first} bars taken`);
  const silent = form.streams.filter((_, n) => !chosen[n]).map(stream => stream.name);
  if (silent.length) said.push(`no ${silent.join(' and no ')} in it`);
  if (sections.size > 1) said.push('the meter changes: the longest part taken');
  const tokens = whole.map(values => fitted(form, values, first));
  return { tokens, said: said.join(', '), silent };
}

// The tracks in one section: tokens of all its bars, and how many notes begin there.
function encoded(form, chosen, tracks, section) {
  const within = notes => notes.filter(note => note.section === section);
  const ends = tracks.flatMap(track => within(track.notes).map(note => note.end));
  const bars = Math.ceil(ends.reduce((a, b) => Math.max(a, b), 0) / form.steps_per_bar);
  const whole = form.streams.map((stream, n) =>
    codecOf(stream).encode(
      stream.codec,
      chosen[n] ? within(chosen[n].notes) : [],
      bars * form.steps_per_bar,
    ),
  );
  const onsets = whole.map((values, n) => {
    const { codec } = form.streams[n];
    return new Set(
      codecOf(form.streams[n])
        .decode(codec, values)
        .map(note => note.start),
    ).size;
  });
  return { whole, bars, onsets: onsets.reduce((a, b) => a + b, 0) };
}

function firstBar(form, tokens) {
  const steps = tokens.map(values => values.findIndex(value => value > 0)).filter(n => n >= 0);
  return Math.floor(Math.min(...steps) / form.steps_per_bar);
}

function fitted(form, values, first) {
  const out = new Int32Array(form.bars * form.steps_per_bar);
  const begin = first * form.steps_per_bar;
  out.set(values.subarray(begin, begin + out.length));
  return out;
}
