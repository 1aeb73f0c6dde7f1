'use strict';
// Music of the user, and files for them.

async function readFile(file, place) {
  complain('');
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { tracks, qpm } = readMidi(bytes, form());
    const { tokens, said, silent } = windowOf(form(), tracks);
    const name = file.name.replace(/\.midi?$/i, '').slice(0, 40) || 'your file';
    const spec = { tokens: tokens.map(values => Array.from(values)) };
    const back = await ask('back', spec);
    if (!back) return; // another file came meanwhile
    const { kept, all } = keptNotes(form(), tokens, back);
    const share = all ? Math.round((100 * kept) / all) : 100;
    const about =
      `${said ? `${name}: ${said}. ` : ''}The model keeps ${name} at ${share}%: ` +
      `${kept} of ${all} notes.${share < 60 ? ' It is unlike the music it knows.' : ''}` +
      (silent.length && canFill() ? ` Fill gives it ${silent.join(' and ')}.` : '');
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
    const there = form()
      .streams.map(stream => stream.name)
      .filter(name => !silent.includes(name));
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

const title = () => `mvae ${state.model} ${work().mode}`;
const played = notes =>
  notes.map((own, n) => (audible(n) ? own.map(note => transposed(form().streams[n], note)) : []));

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
      const tokens =
        atHand(spec, own) || (await ask('joined', spec, { amounts: own.amounts, heat: own.heat }));
      pieces.push(played(notesOf(form(), tokens)));
    }
    save(
      writeMidi(form(), pieces, state.qpm, title()),
      `${title().replace(/ /g, '_')}_all.mid`,
      'audio/midi',
    );
  } catch (error) {
    complain(error.message);
  }
}

const stops = own => range(own.steps).map(n => Math.round((100 * n) / (own.steps - 1)));
