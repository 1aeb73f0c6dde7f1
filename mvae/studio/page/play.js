'use strict';
// Playing, on the page or on a MIDI port.

let travelling = null; // steps of a morph that play one after the other

const audible = n => {
  const name = form().streams[n].name;
  return state.solo.length ? state.solo.includes(name) : !state.muted.includes(name);
};

function transposed(stream, note) {
  if (!stream.tonal || !state.key) return note;
  return { ...note, pitch: Math.min(127, Math.max(0, note.pitch + state.key)) };
}

const player = new Player(HEADERS[0].voices, {
  look: step =>
    form().streams.flatMap((stream, n) =>
      audible(n)
        ? shown.notes[n]
            .filter(note => note.start === step)
            .map(note => ({ stream, note: transposed(stream, note) }))
        : [],
    ),
  steps: () => form().bars * form().steps_per_bar,
  tempo: () => ({ seconds: 60 / state.qpm / form().steps_per_quarter, swing: state.swing / 100 }),
  ended: () => goOn(),
  midi: (stream, note, wait, held) => sendMidi(stream, note, wait, held),
});
player.finished = () => playing(false);

function playing(is) {
  byId('play').textContent = is ? 'Stop' : 'Play';
  byId('play').setAttribute('aria-pressed', String(is));
  if (!is) {
    travelling = null;
    roll.point(null);
    byId('travel').textContent = 'Play all steps';
  }
}

async function togglePlay() {
  if (player.playing) {
    player.stop();
    playing(false);
    return;
  }
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
    if (t === undefined) {
      travelling = null;
      return state.loop;
    }
    change((next, mine) => {
      mine.t = t;
    }, false);
    return true;
  }
  if (own.mode === 'blend' && own.path.length > 1 && !drawing()) {
    const n = (own.place || 0) + 1;
    const [x, y] = own.path[n % own.path.length];
    change((next, mine) => {
      Object.assign(mine, { x, y, place: n % own.path.length });
    }, false);
    return true;
  }
  return state.loop;
}

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
    select.replaceChildren(
      new Option('this page', ''),
      ...outputs.map((port, n) => new Option(port.name, String(n))),
    );
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
