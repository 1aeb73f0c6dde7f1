'use strict';
// Sound: the voices of mvae/render/voices.py, and a player that schedules them ahead of time.

const RATE = 44100;
const AHEAD = 0.15; // seconds that are scheduled before they sound; more where the page is hidden
const AHEAD_HIDDEN = 1.5;
const TAIL = 1.5; // seconds in which the last notes ring out
const DRUM_LENGTH = 6; // times the longest decay

// Seconds from the beginning of a piece to a step. swing 0..1 delays every second step of two, by
// up to a third of them.
function stepTime(step, seconds, swing) {
  const whole = Math.floor(step);
  const late = whole % 2 === 1 ? (swing * seconds) / 3 : 0;
  return step * seconds + late;
}

function toneWave(voice, pitch, length) {
  const count = Math.floor((length + voice.release) * RATE);
  const wave = new Float32Array(count);
  voice.partials.forEach((amplitude, n) => {
    const f = 440 * 2 ** ((pitch - 69) / 12) * (n + 1);
    if (f >= RATE / 2) return;
    // A sine by rotation, which is quicker than Math.sin.
    const [turn, fade] = [
      (2 * Math.PI * f) / RATE,
      Math.exp(-(voice.decay + voice.damping * f) / RATE),
    ];
    const [c, s] = [Math.cos(turn) * fade, Math.sin(turn) * fade];
    let [re, im] = [amplitude, 0];
    for (let i = 0; i < count; i += 1) {
      wave[i] += im;
      [re, im] = [re * c - im * s, re * s + im * c];
    }
  });
  for (let i = 0; i < count; i += 1) {
    const t = i / RATE;
    const envelope = Math.min(t / voice.attack, (length + voice.release - t) / voice.release, 1);
    wave[i] *= Math.max(0, envelope);
  }
  return wave;
}

function drumWave(drum, number) {
  const count = Math.floor(DRUM_LENGTH * Math.max(drum.tone_decay, drum.noise_decay) * RATE);
  const wave = new Float32Array(count);
  if (drum.tone_decay) {
    let phase = 0;
    for (let i = 0; i < count; i += 1) {
      const t = i / RATE;
      phase += (drum.low + (drum.high - drum.low) * Math.exp(-t / drum.fall)) / RATE;
      wave[i] += Math.sin(2 * Math.PI * phase) * Math.exp(-t / drum.tone_decay);
    }
  }
  if (drum.noise_above) {
    const noise = highPass(hiss(count, number), drum.noise_above);
    for (let i = 0; i < count; i += 1) {
      wave[i] += 0.5 * noise[i] * Math.exp(-i / RATE / drum.noise_decay);
    }
  }
  return wave;
}

// Noise of variance 1, the same at each call.
function hiss(count, seed) {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2147483648 - 1) * Math.sqrt(3);
  });
}

// A Butterworth filter of second order.
function highPass(x, frequency) {
  const k = Math.tan((Math.PI * frequency) / RATE);
  const norm = 1 / (1 + Math.SQRT2 * k + k * k);
  const [a1, a2] = [2 * (k * k - 1) * norm, (1 - Math.SQRT2 * k + k * k) * norm];
  const y = new Float32Array(x.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i += 1) {
    const out = norm * (x[i] - 2 * x1 + x2) - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x[i], y1, out];
    y[i] = out;
  }
  return y;
}

// Waves of the notes of a stream, each made once.
class Waves {
  constructor(voices) {
    this.voices = voices;
    this.made = new Map();
  }

  // {wave, level, pan}; seconds: how long the note is held.
  of(stream, note, seconds) {
    const key = stream.sound.is_drum
      ? `d${note.pitch}`
      : `${stream.sound.program} ${note.pitch} ${seconds.toFixed(3)}`;
    if (!this.made.has(key)) {
      if (this.made.size > 600) this.made.clear();
      this.made.set(key, this._make(stream, note, seconds));
    }
    return this.made.get(key);
  }

  _make({ sound, codec }, note, seconds) {
    if (sound.is_drum) {
      const number = codec.classes[note.pitch];
      const drum = this.voices.drums[number];
      return { wave: drumWave(drum, number), level: drum.level, pan: drum.pan };
    }
    const [first, last] = this.voices.bass_programs;
    const low = sound.program >= first && sound.program <= last;
    const tone = low ? this.voices.bass : this.voices.melody;
    return { wave: toneWave(tone, note.pitch, seconds), level: tone.level, pan: tone.pan };
  }
}

const loudness = note => (note.velocity / 127) ** 2;
const sides = pan => [Math.sqrt(1 - pan), Math.sqrt(1 + pan)];

// Near full scale sound is bent, not cut.
function bent(x) {
  const size = Math.abs(x);
  if (size <= 0.7) return x;
  return Math.sign(x) * (0.7 + 0.3 * Math.tanh((size - 0.7) / 0.3));
}

// A WAV file, 16 bits and stereo. parts: [{stream, notes}], notes in steps of so many seconds.
function writeWav(waves, parts, total, seconds, swing) {
  const count = Math.floor((total * seconds + TAIL) * RATE);
  const channels = [new Float32Array(count), new Float32Array(count)];
  for (const { stream, notes } of parts) {
    for (const note of notes) {
      const start = stepTime(note.start, seconds, swing);
      const { wave, level, pan } = waves.of(stream, note, (note.end - note.start) * seconds);
      const first = Math.floor(start * RATE);
      sides(pan).forEach((gain, side) => {
        const out = channels[side];
        const all = gain * level * loudness(note);
        for (let i = 0; i < wave.length && first + i < count; i += 1)
          out[first + i] += all * wave[i];
      });
    }
  }
  const view = new DataView(new ArrayBuffer(44 + 4 * count));
  const put = (at, words) => [...words].forEach((c, n) => view.setUint8(at + n, c.charCodeAt(0)));
  put(0, 'RIFF');
  view.setUint32(4, 36 + 4 * count, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 4 * RATE, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, 4 * count, true);
  for (let i = 0; i < count; i += 1) {
    view.setInt16(44 + 4 * i, 32767 * bent(channels[0][i]), true);
    view.setInt16(46 + 4 * i, 32767 * bent(channels[1][i]), true);
  }
  return new Uint8Array(view.buffer);
}

// Plays what `look(step)` gives: notes that begin at a step, [{stream, note, part}]. Asked a moment
// before they sound, so that a piece may change while it plays.
class Player {
  // look: step -> notes. steps(): of a round. ended(): after a round, whether it goes on.
  constructor(voices, { look, steps, tempo, ended, midi }) {
    Object.assign(this, { look, steps, tempo, ended, midi });
    this.waves = new Waves(voices);
    this.context = null;
    this.timer = null;
    this.marks = []; // {time, step}, for the playhead
    this.sounding = new Set();
  }

  get playing() {
    return this.timer !== null;
  }

  async start(step = 0) {
    this.context = this.context || this._open();
    await this.context.resume();
    this.stop();
    this.step = step;
    this.beginning = this.context.currentTime + 0.06 - this._at(step);
    this.timer = setInterval(() => this._schedule(), 40);
    this._schedule();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.marks = [];
    for (const source of this.sounding) source.stop();
    this.sounding = new Set();
  }

  _open() {
    const context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
    this.out = context.createDynamicsCompressor();
    [this.out.threshold.value, this.out.ratio.value, this.out.attack.value] = [-8, 8, 0.002];
    this.meter = context.createAnalyser();
    this.out.connect(this.meter).connect(context.destination);
    return context;
  }

  _at(step) {
    const { seconds, swing } = this.tempo();
    return stepTime(step, seconds, swing);
  }

  // Tempo may change: the round's beginning is moved so that the next step stays where it was due.
  _schedule() {
    const { seconds } = this.tempo();
    if (this.seconds && seconds !== this.seconds) {
      this.beginning += this.step * this.seconds - this.step * seconds;
    }
    this.seconds = seconds;
    const ahead = document.hidden ? AHEAD_HIDDEN : AHEAD;
    while (this.beginning + this._at(this.step) < this.context.currentTime + ahead) {
      const time = this.beginning + this._at(this.step);
      for (const { stream, note } of this.look(this.step)) this._play(stream, note, time, seconds);
      this.marks.push({ time, step: this.step });
      this.step += 1;
      if (this.step >= this.steps()) {
        this.beginning += this.steps() * seconds;
        this.step = 0;
        if (!this.ended()) {
          this._stopAt(this.beginning);
          return;
        }
      }
    }
    while (this.marks.length > 2 && this.marks[1].time < this.context.currentTime)
      this.marks.shift();
  }

  _stopAt(time) {
    clearInterval(this.timer);
    this.timer = setTimeout(
      () => {
        this.timer = null;
        this.marks = [];
        this.finished();
      },
      1000 * Math.max(0, time - this.context.currentTime),
    );
  }

  finished() {}

  _play(stream, note, time, seconds) {
    const held = (note.end - note.start) * seconds;
    if (this.midi && this.midi(stream, note, time - this.context.currentTime, held)) return;
    const made = this.waves.of(stream, note, held);
    const { wave, level, pan } = made;
    if (!made.buffer) {
      made.buffer = this.context.createBuffer(1, Math.max(1, wave.length), RATE);
      made.buffer.copyToChannel(wave, 0);
    }
    const source = this.context.createBufferSource();
    source.buffer = made.buffer;
    const gain = this.context.createGain();
    gain.gain.value = level * loudness(note) * Math.SQRT2;
    const panner = this.context.createStereoPanner();
    panner.pan.value = pan;
    source.connect(gain).connect(panner).connect(this.out);
    source.start(Math.max(time, this.context.currentTime));
    this.sounding.add(source);
    source.onended = () => this.sounding.delete(source);
  }

  // The step that sounds now, with its fraction; null where nothing plays.
  position() {
    if (!this.playing || !this.marks.length) return null;
    const now = this.context.currentTime - (this.context.outputLatency || 0);
    const mark = [...this.marks].reverse().find(one => one.time <= now) || this.marks[0];
    const past = Math.max(0, now - mark.time) / this.tempo().seconds;
    return Math.min(mark.step + past, this.steps());
  }
}
