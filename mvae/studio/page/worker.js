'use strict';
// The worker: runs the models, so that the page stays quick. Of each channel only the latest order
// counts: older ones are dropped where they stand.
//
//   in   {load: name, header, manifest, hash, base64}
//        {order, channel, name, spec, amounts, temperature, seed}, {order, channel, stop: true}
//   out  {loaded: name} {problem}
//        {order, bar, streams} {order, tokens} {order, dropped} {order, problem}

const voices = {}; // promises of them: an order may come before its model is there
const latest = {};

class Dropped extends Error {}

// Lets messages in.
function breathe() {
  return new Promise(done => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(0);
  });
}

async function load({ load: name, header, manifest, hash, base64 }) {
  voices[name] = unpack(base64, manifest, hash).then(tensors => new Voice(header, tensors));
  try {
    await voices[name];
    postMessage({ loaded: name });
  } catch (error) {
    postMessage({ problem: `${name}: ${error.message}` });
  }
}

async function serve({ order, channel, name, spec, amounts, temperature, seed }) {
  latest[channel] = order;
  const pause = async () => {
    await breathe();
    if (latest[channel] !== order) throw new Dropped();
  };
  try {
    await pause();
    const voice = await voices[name];
    const z = await voice.place(spec, amounts || {}, pause);
    const bars = [];
    for (const { bar, streams } of voice.model.generate(z, temperature, seed)) {
      bars.push(streams);
      postMessage({ order, bar, streams });
      await pause();
    }
    postMessage({ order, tokens: voice.model.join(bars, z) });
  } catch (error) {
    if (error instanceof Dropped) postMessage({ order, dropped: true });
    else postMessage({ order, problem: error.message });
  }
}

onmessage = ({ data }) => {
  if (data.load) load(data);
  else if (data.stop) latest[data.channel] = data.order;
  else serve(data);
};
