'use strict';
// What hands do.

function movePuck(event) {
  const box = byId('pad').getBoundingClientRect();
  const part = (at, start, size) =>
    Math.round(100 * Math.min(1, Math.max(0, (at - start) / size))) / 100;
  const [x, y] = [
    part(event.clientX, box.left, box.width),
    part(event.clientY, box.top, box.height),
  ];
  change((next, own) => {
    Object.assign(own, { x, y });
    const last = own.path[own.path.length - 1];
    if (drawing() && (!last || Math.hypot(last[0] - x, last[1] - y) > 0.08)) own.path.push([x, y]);
  }, false);
}

function pushPuck(event) {
  const by = {
    ArrowLeft: [-0.1, 0],
    ArrowRight: [0.1, 0],
    ArrowUp: [0, -0.1],
    ArrowDown: [0, 0.1],
  }[event.key];
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
  place.addEventListener('dragover', event => {
    event.preventDefault();
    over(true);
  });
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
    input.addEventListener('change', () =>
      change((next, own) => {
        if (
          ['vary', 'fill'].includes(input.value) &&
          shown.spec &&
          !['vary', 'fill'].includes(own.mode)
        ) {
          own.source = { spec: shown.spec, name: 'what played' };
        }
        own.mode = input.value;
      }),
    );
  }
  on('pad', 'pointerdown', event => {
    byId('pad').setPointerCapture(event.pointerId);
    if (drawing())
      change((next, own) => {
        own.path = [];
      }, false);
    movePuck(event);
    byId('pad').onpointermove = movePuck;
  });
  for (const kind of ['pointerup', 'pointercancel']) {
    on('pad', kind, () => {
      byId('pad').onpointermove = null;
      settle();
    });
  }
  on('pad', 'keydown', pushPuck);
  on('forget', 'click', () =>
    change((next, own) => {
      own.path = [];
      own.place = 0;
    }),
  );
  for (const [id, [, write]] of Object.entries(SLIDERS)) {
    on(id, 'input', event =>
      change((next, own) => write(own, Number(event.target.value), next), false),
    );
    on(id, 'change', settle);
  }
  on('another', 'click', () =>
    change((next, own) => {
      own.seed += 1;
    }),
  );
  on('refill', 'click', () =>
    change((next, own) => {
      own.seed += 1;
    }),
  );
  on('dice', 'click', () =>
    change((next, own) => {
      own.fresh += 1;
    }),
  );
  on('in-key', 'change', event =>
    change((next, own) => {
      own.inKey = Number(event.target.value);
    }),
  );
  on('to-corner', 'click', () =>
    change((next, own) => {
      const n = own.corners.findIndex(corner => !corner.locked);
      if (n >= 0)
        own.corners[n] = { spec: shown.spec, name: `Piece ${own.fresh + 11}`, locked: true };
      say(n >= 0 ? `It is on ${LETTERS[n]} now.` : 'All corners are locked.');
    }),
  );
  for (const button of document.querySelectorAll('.take')) {
    button.addEventListener('click', () =>
      change((next, own) => {
        if (shown.tokens)
          own.source = {
            spec: { tokens: shown.tokens.map(x => Array.from(x)) },
            name: 'what played',
          };
      }),
    );
  }
  for (const button of document.querySelectorAll('.open')) {
    button.addEventListener('click', () => openFile(button.dataset.place));
  }
  on('file', 'change', event => {
    if (event.target.files[0]) readFile(event.target.files[0], openPlace);
  });
  on('play', 'click', togglePlay);
  on('loop', 'change', event =>
    change(next => {
      next.loop = event.target.checked;
    }),
  );
  on('qpm', 'change', event => {
    const value = Math.round(Number(event.target.value));
    if (value >= 20 && value <= 300)
      change(next => {
        next.qpm = value;
      });
    else event.target.value = state.qpm;
  });
  on('key', 'change', event =>
    change(next => {
      next.key = Number(event.target.value);
    }),
  );
  on('travel', 'click', async () => {
    travelling = stops(work()).slice(1);
    change((next, own) => {
      own.t = 0;
    });
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
    if (found) {
      state = found;
      refresh();
    }
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
  const typing = ['INPUT', 'SELECT', 'TEXTAREA', 'BUTTON', 'A', 'SUMMARY'].includes(
    event.target.tagName,
  );
  if (event.key === ' ' && !typing) {
    event.preventDefault();
    togglePlay();
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
    event.preventDefault();
    if (event.shiftKey) step(future, past);
    else step(past, future);
  }
}

byId('in-key').append(
  new Option('any key', '-1'),
  ...SCALES.map((name, n) => new Option(name, String(n))),
);
byId('key').append(...KEYS.map((name, n) => new Option(name, String(n - 6))));
buildTabs();
listenToHands();
findOutputs();
state = fromHash(location.hash.slice(1)) || newState();
refresh();
performance.mark('ready');
