'use strict';
// The worker, and what it is asked.

const IDLE = 1500; // milliseconds

let orders = 0;
const waiting = new Map(); // order -> {bar, done, failed}

const worker = new Worker(
  URL.createObjectURL(new Blob([byId('worker').textContent], { type: 'text/javascript' })),
);

worker.onmessage = ({ data }) => {
  if (data.loaded) {
    performance.mark(`loaded ${data.loaded}`);
    return;
  }
  const order = waiting.get(data.order);
  if (!order && data.problem) complain(data.problem);
  if (!order) return;
  if (data.streams) order.bar(data.bar, data.streams);
  if (data.tokens || data.problem || data.dropped) waiting.delete(data.order);
  if (data.tokens || data.dropped) order.done(data.tokens || null);
  if (data.problem) order.failed(data.problem);
};
worker.onerror = event => complain(`the model stopped: ${event.message}`);

HEADERS.forEach(({ name, manifest, hash, ...about }, n) => {
  const block = byId(`weights-${n}`);
  worker.postMessage({ load: name, header: about, manifest, hash, base64: block.textContent });
  block.remove();
});

// Tokens of a spec. channel: a later order of the same channel takes an earlier one's place, which
// gives null.
function ask(
  channel,
  spec,
  { amounts = {}, bar = () => {}, name = state.model, heat = 0, seed = 0 } = {},
) {
  orders += 1;
  const order = orders;
  return new Promise((done, failed) => {
    waiting.set(order, { bar, done, failed: words => failed(new Error(words)) });
    worker.postMessage({ order, channel, name, spec, amounts, temperature: heat / 100, seed });
  });
}

// The next new piece is drawn while nothing else is asked for: drawing takes longest.
let idle = null;
function drawAhead() {
  clearTimeout(idle);
  orders += 1;
  worker.postMessage({ order: orders, channel: 'ahead', stop: true });
  idle = setTimeout(() => ask('ahead', freshSpec(work(), 1)).catch(() => {}), IDLE);
}
