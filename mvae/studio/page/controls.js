'use strict';
// Brings what stands on the page to what the state says.

const KEYS = ['-6', '-5', '-4', '-3', '-2', '-1', 'as it is', '+1', '+2', '+3', '+4', '+5'];
// Major keys and the minor ones of the same notes, from C up.
const SCALES = [
  'C or A minor',
  'D♭ or B♭ minor',
  'D or B minor',
  'E♭ or C minor',
  'E or C♯ minor',
  'F or D minor',
  'F♯ or D♯ minor',
  'G or E minor',
  'A♭ or F minor',
  'A or F♯ minor',
  'B♭ or G minor',
  'B or G♯ minor',
];
const WORDS = {
  // of attributes (mvae/latent/attributes.py), where there is a plain one
  note_density: 'Busier',
  mean_interval: 'Bigger leaps',
  syncopation_8th: 'Off the beat',
  syncopation_16th: 'Between eighths',
  c_diatonic: 'White keys',
  drum_density: 'Busier drums',
  drum_syncopation_8th: 'Drums off beat',
  drum_syncopation_16th: 'Drums between',
  backbeat: 'Backbeat',
  hi_hat_density: 'More hi-hat',
};

const roll = new Roll(byId('roll'), byId('playhead'));
const showRoll = () =>
  roll.show(
    form(),
    shown.notes,
    form().streams.map((_, n) => !audible(n)),
  );
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
  byId('tabs').replaceChildren(
    ...HEADERS.map((one, n) =>
      element(
        'button',
        {
          id: `tab-${n}`,
          type: 'button',
          role: 'tab',
          'aria-controls': 'work',
          onclick: () =>
            change(next => {
              next.model = one.name;
            }),
          onkeydown: event => {
            const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (!by) return;
            const to = (n + by + HEADERS.length) % HEADERS.length;
            change(next => {
              next.model = HEADERS[to].name;
            });
            byId(`tab-${to}`).focus();
          },
        },
        one.title,
        ...(HEADERS.filter(({ title: t }) => t === one.title).length > 1 ? [` (${one.name})`] : []),
      ),
    ),
  );
}

function buildCorners() {
  byId('corners').replaceChildren(
    ...LETTERS.map((letter, n) => {
      const lock = element(
        'button',
        {
          type: 'button',
          'aria-pressed': 'false',
          'aria-label': `Lock ${letter}`,
          onclick: () =>
            change((next, own) => {
              own.corners[n].locked = !own.corners[n].locked;
            }),
        },
        'Lock',
      );
      const dice = element(
        'button',
        { type: 'button', 'aria-label': `New piece on ${letter}`, onclick: () => newCorner(n) },
        'New',
      );
      const open = element(
        'button',
        {
          type: 'button',
          'aria-label': `Open a MIDI file on ${letter}`,
          onclick: () => openFile(n),
        },
        'Open',
      );
      const card = element(
        'div',
        { class: 'corner', own: `var(--${letter.toLowerCase()})`, 'data-place': n },
        element('b', {}, letter),
        element('span', { class: 'name' }),
        element('div', {}, dice, lock, open),
      );
      takesFiles(card, () => n);
      return card;
    }),
  );
}

function newCorner(n) {
  change((next, own) => {
    own.fresh += 1;
    own.corners[n] = { spec: freshSpec(own), name: `Piece ${own.fresh + 11}`, locked: false };
    if (own.mode === 'blend') [own.x, own.y] = [n % 2, Math.floor(n / 2)];
  });
}

function buildParts() {
  byId('parts').replaceChildren(
    ...form().streams.map((stream, n) => {
      const toggle = (list, word) =>
        element(
          'button',
          {
            type: 'button',
            'aria-pressed': 'false',
            'aria-label': `${word} ${stream.name}`,
            'data-list': list,
            onclick: () =>
              change(next => {
                const has = next[list].includes(stream.name);
                next[list] = has
                  ? next[list].filter(name => name !== stream.name)
                  : [...next[list], stream.name];
              }),
          },
          word,
        );
      return element(
        'div',
        { class: 'part', own: `var(--part-${n % 3})`, 'data-part': stream.name },
        element('span', {}, stream.name),
        toggle('muted', 'Mute'),
        toggle('solo', 'Solo'),
      );
    }),
  );
}

function buildKeep() {
  const box = (label, list, value) =>
    element(
      'label',
      { class: 'check' },
      element('input', {
        type: 'checkbox',
        'data-list': list,
        value,
        onchange: event =>
          change((next, own) => {
            const kept = own.keep[list].filter(one => one !== value);
            own.keep[list] = event.target.checked
              ? [...kept, value].sort((a, b) => (a > b ? 1 : -1))
              : kept;
          }),
      }),
      element('span', {}, label),
    );
  byId('keep-parts').replaceChildren(...form().streams.map(({ name }) => box(name, 'parts', name)));
  byId('keep-bars').replaceChildren(
    ...range(form().bars).map(bar => box(String(bar + 1), 'bars', bar)),
  );
}

function buildAttributes() {
  byId('attributes').replaceChildren(
    ...header().attributes.map(name => {
      const input = element('input', {
        type: 'range',
        min: -200,
        max: 200,
        step: 10,
        'data-attribute': name,
        oninput: event =>
          change((next, own) => {
            own.amounts[name] = event.target.value / 100;
          }, false),
        onchange: settle,
      });
      const label = WORDS[name] || name.replace(/_/g, ' ');
      return element(
        'label',
        { class: 'slide' },
        element('span', {}, label),
        input,
        element('output'),
      );
    }),
  );
}

let built = null;
function build() {
  if (built === state.model) return;
  built = state.model;
  buildCorners();
  buildParts();
  buildKeep();
  buildAttributes();
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
  for (const input of document.querySelectorAll('[name=mode]'))
    input.checked = input.value === own.mode;
  for (const part of document.querySelectorAll('[data-for]')) {
    part.hidden = !part.dataset.for.split(' ').includes(own.mode);
  }
  refreshCorners(own);
  refreshPad(own);
  refreshSliders(own);
  refreshKeep(own);
  for (const place of document.querySelectorAll('.source-name'))
    place.textContent = own.source.name;
  byId('loop').checked = state.loop;
  if (document.activeElement !== byId('qpm')) byId('qpm').value = state.qpm;
  byId('key').value = String(state.key);
  byId('in-key-label').hidden = !header().keys;
  byId('in-key').value = String(own.inKey);
  for (const button of document.querySelectorAll('#parts button')) {
    const name = button.parentElement.dataset.part;
    button.setAttribute('aria-pressed', String(state[button.dataset.list].includes(name)));
  }
  marks();
  if (shown.tokens && shown.model === state.model) {
    showRoll();
    links();
  }
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
    card
      .querySelector('[aria-pressed]')
      .setAttribute('aria-pressed', String(own.corners[n].locked));
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

const SLIDERS = {
  // id: value from state, into state, in words
  t: [
    own => own.t,
    (own, value) => {
      own.t = value;
    },
    value => `${value}%`,
  ],
  steps: [
    own => own.steps,
    (own, value) => {
      own.steps = value;
    },
    value => `${value}`,
  ],
  far: [
    own => own.far,
    (own, value) => {
      own.far = value;
    },
    value => ['the same', 'near', 'loosely', 'far', 'another'][Math.min(4, Math.ceil(value / 25))],
  ],
  heat: [
    own => own.heat,
    (own, value) => {
      own.heat = value;
    },
    value => (value ? (value / 100).toFixed(2) : 'steady'),
  ],
  swing: [
    () => state.swing,
    (own, value, next) => {
      next.swing = value;
    },
    value => `${value}%`,
  ],
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
  byId('cannot-fill').textContent =
    'This model has one code for a whole piece, and cannot keep a part ' +
    'of it. Train one with model.bar_codes.';
  byId('refill').disabled = !canFill();
}
