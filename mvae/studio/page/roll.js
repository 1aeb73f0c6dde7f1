'use strict';
// The piano roll: one field for each stream, with bars, beats and a playhead.

const FIELD = { alone: 300, pitched: 168, row: 18 }; // heights: of pitched fields, of a drum's row
const LABELS = 76; // width of the names at the left
const GAP = 10;

class Roll {
  constructor(canvas, overlay) {
    this.canvas = canvas;
    this.overlay = overlay;
  }

  // A form, notes of each stream, and which streams are silent now.
  show(form, notes, muted) {
    Object.assign(this, { form, notes, muted });
    this.fields = [];
    let top = 4;
    form.streams.forEach((stream, n) => {
      const rows = codecOf(stream).rows(stream.codec, notes[n]);
      const pitched = form.streams.length > 1 ? FIELD.pitched : FIELD.alone;
      const height = stream.tonal ? pitched : rows.length * FIELD.row;
      this.fields.push({ top, height, rows });
      top += height + GAP;
    });
    for (const one of [this.canvas, this.overlay]) one.style.height = `${top}px`;
    this.height = top;
    this.draw();
  }

  draw() {
    if (!this.form) return;
    const { form } = this;
    const g = this._context(this.canvas);
    const looks = getComputedStyle(this.canvas);
    const color = name => looks.getPropertyValue(name).trim();
    const steps = form.bars * form.steps_per_bar;
    const x = step => LABELS + (step / steps) * (this.width - LABELS - 2);
    g.font = '12px system-ui, sans-serif';
    g.textBaseline = 'middle';
    this.fields.forEach(({ top, height, rows }, n) => {
      const stream = form.streams[n];
      const y = row => top + height - ((row + 1) * height) / rows.length;
      const size = height / rows.length;
      g.fillStyle = color('--field');
      g.fillRect(LABELS, top, this.width - LABELS - 2, height);
      rows.forEach((row, place) => {
        const black = stream.tonal && [1, 3, 6, 8, 10].includes(row.value % 12);
        if (black || (!stream.tonal && place % 2)) {
          g.fillStyle = color('--stripe');
          g.fillRect(LABELS, y(place), this.width - LABELS - 2, size);
        }
        if (row.name) {
          g.fillStyle = color('--soft');
          g.fillText(row.name, 4, y(place) + size / 2);
        }
      });
      this._lines(g, top, height, x, color);
      const base = rows[0].value;
      g.globalAlpha = this.muted[n] ? 0.25 : 1;
      g.fillStyle = color(`--part-${n % 3}`);
      for (const note of this.notes[n]) {
        const place = codecOf(stream).row(stream.codec, note) - base;
        const left = x(note.start) + 1;
        g.beginPath();
        g.roundRect(
          left,
          y(place) + 1,
          Math.max(3, x(note.end) - left - 1),
          Math.max(3, size - 2),
          2,
        );
        g.fill();
      }
      g.globalAlpha = 1;
    });
  }

  _lines(g, top, height, x, color) {
    const { form } = this;
    const beat = form.steps_per_beat;
    const beats = (form.bars * form.steps_per_bar) / beat;
    for (let n = 0; n <= beats; n += 1) {
      const bar = (n * beat) % form.steps_per_bar === 0;
      if (!bar && form.bars > 8 && this.width < 700) continue;
      g.fillStyle = color(bar ? '--bar' : '--beat');
      g.fillRect(Math.round(x(n * beat)), top, bar ? 1.5 : 1, height);
    }
  }

  // The playhead at a step, or nowhere (null).
  point(step) {
    const g = this._context(this.overlay);
    if (step === null || !this.form) return;
    const steps = this.form.bars * this.form.steps_per_bar;
    const x = LABELS + (step / steps) * (this.width - LABELS - 2);
    g.fillStyle = getComputedStyle(this.canvas).getPropertyValue('--accent').trim();
    g.fillRect(x - 1, 0, 2, this.height);
  }

  _context(canvas) {
    const scale = window.devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    const [width, height] = [Math.round(this.width * scale), Math.round(this.height * scale)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const g = canvas.getContext('2d');
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    return g;
  }
}
