'use strict';
// The page shows what the server says comes next. It moves on only when the server has kept an
// answer.

const NEEDED = 5; // seconds to be heard of each piece, or all of a shorter one
const byId = id => document.getElementById(id);
const sides = ['a', 'b'];
const audio = { a: byId('audio-a'), b: byId('audio-b') };
const choices = [...document.querySelectorAll('input[name=answer]')];
const next = byId('next');
let state = {};
let heard = {};
let busy = false;

async function call(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const post = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(path, { cache: 'no-store', ...(body && post) });
  if (response.ok) return response.json();
  // Answered already or withdrawn, in another tab perhaps: the server knows where this listener
  // stands.
  if (response.status === 409 || response.status === 401) return call('state');
  const said = await response.json().catch(() => ({}));
  throw new Error(said.error || `the server answered ${response.status}`);
}

// One request at a time, so that a double click asks once.
async function goOn(path, body) {
  if (busy) return;
  busy = true;
  update();
  try {
    show(await call(path, body));
    complain('');
  } catch (error) {
    const what = error instanceof TypeError ? 'the server cannot be reached' : error.message;
    complain(`This did not work: ${what}. Your earlier answers are kept; please try again.`);
  } finally {
    busy = false;
    update();
  }
}

function complain(text) {
  byId('problem').textContent = text;
  byId('problem').hidden = !text;
}

function show(now) {
  state = now;
  for (const section of document.querySelectorAll('section')) {
    section.hidden = section.id !== now.page;
  }
  document.querySelector('footer').hidden = !['trial', 'end'].includes(now.page);
  for (const place of document.querySelectorAll('.trials')) place.textContent = now.trials;
  // Both pieces once, and some seconds to think.
  const minutes = Math.max(1, Math.round(now.trials * (2 * now.seconds + 6) / 60));
  const time = minutes === 1 ? 'one minute' : `${minutes} minutes`;
  for (const place of document.querySelectorAll('.minutes')) place.textContent = time;
  heard = {};
  for (const side of sides) {
    audio[side].pause();
    if (now.page === 'trial') audio[side].src = `sounds/${now[side]}`;
    else audio[side].removeAttribute('src');
    byId(`position-${side}`).value = 0;
  }
  for (const choice of choices) choice.checked = false;
  if (now.page === 'trial') {
    byId('heading').textContent = `Comparison ${now.trial + 1} of ${now.trials}`;
    byId('done').max = now.trials;
    byId('done').value = now.trial;
  }
  window.scrollTo(0, 0);
  document.querySelector(`#${now.page} h1`).focus();
}

const chosen = () => choices.find(choice => choice.checked);
const ready = () => state.page === 'trial' && heard.a && heard.b && Boolean(chosen()) && !busy;

function update() {
  byId('begin').disabled = busy;
  next.disabled = !ready();
  const missing = sides.filter(side => !heard[side]).map(side => side.toUpperCase());
  let hint = '';
  const each = missing.length > 1 ? ' each' : '';
  if (missing.length) hint = `Play ${missing.join(' and ')} for at least ${NEEDED} seconds${each}.`;
  else if (!chosen()) hint = 'Now choose an answer.';
  if (byId('hint').textContent !== hint) byId('hint').textContent = hint;
  for (const side of sides) {
    const playing = !audio[side].paused && !audio[side].ended;
    const label = `${playing ? 'Pause' : 'Play'} ${side.toUpperCase()}`;
    byId(`play-${side}`).toggleAttribute('data-playing', playing);
    byId(`play-${side}`).setAttribute('aria-label', label);
    const until = playing ? 'playing' : 'not heard yet';
    byId(`heard-${side}`).textContent = heard[side] ? 'heard ✓' : until;
  }
}

function toggle(side) {
  if (audio[side].paused) {
    audio[side === 'a' ? 'b' : 'a'].pause();
    audio[side].play().catch(() => {}); // a failure is the error event's to tell
  } else {
    audio[side].pause();
  }
}

for (const side of sides) {
  const sound = audio[side];
  byId(`play-${side}`).addEventListener('click', () => toggle(side));
  const follow = () => {
    byId(`position-${side}`).value = sound.duration ? sound.currentTime / sound.duration : 0;
    if (sound.ended || sound.currentTime >= NEEDED) heard[side] = true;
    update();
  };
  for (const event of ['play', 'pause', 'timeupdate', 'ended']) {
    sound.addEventListener(event, follow);
  }
  sound.addEventListener('error', () => {
    if (!sound.hasAttribute('src')) return;
    const advice = 'Please check the connection and load this page again.';
    complain(`Piece ${side.toUpperCase()} cannot be played. ${advice}`);
  });
}
for (const choice of choices) choice.addEventListener('change', update);

function choose(choice) {
  choice.checked = true;
  choice.focus();
  update();
}

const send = () => ready() && goOn('answer', { trial: state.trial, score: Number(chosen().value) });
next.addEventListener('click', send);
byId('begin').addEventListener('click', () => goOn('begin', {}));

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (state.page !== 'trial' || byId('sure').open) return;
  const key = event.key.toLowerCase();
  // In the scale, arrows move the choice by themselves.
  const inScale = choices.includes(document.activeElement);
  if (sides.includes(key)) toggle(key);
  else if (key >= '1' && key <= '5') choose(choices[key - 1]);
  else if (!inScale && ['arrowleft', 'arrowright'].includes(key)) {
    const from = chosen() ? choices.indexOf(chosen()) : 2;
    const to = chosen() ? from + (key === 'arrowright' ? 1 : -1) : from;
    choose(choices[Math.min(4, Math.max(0, to))]);
  } else if (key === 'enter' && document.activeElement.tagName !== 'BUTTON') send();
  else return;
  event.preventDefault();
});

byId('withdraw').addEventListener('click', () => {
  for (const side of sides) audio[side].pause();
  byId('sure').returnValue = 'keep';
  byId('sure').showModal();
});
byId('sure').addEventListener('close', () => {
  if (byId('sure').returnValue === 'delete') goOn('withdraw', {});
});

goOn('state');
