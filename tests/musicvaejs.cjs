// Loads a folder of `mvae export --to musicvaejs` into MusicVAE of @magenta/music, over HTTP as a
// browser does. Reads codes z [B, Z] from stdin as JSON. Prints the greedy tokens of every step, the
// notes that they are, and mu of these notes.
const fs = require('fs');
const http = require('http');
const path = require('path');
const {MusicVAE} = require('@magenta/music/node/music_vae');
const tf = require('@tensorflow/tfjs');
console.warn = console.log = () => {};

async function answer(url, z) {
  const model = new MusicVAE(url);
  await model.initialize();
  const codes = tf.tensor2d(z);
  const depths = model.decoder.splitDecoder ?
      model.decoder.splitDecoder.coreDecoders.map((decoder) => decoder.outputDims) :
      [model.decoder.outputDims];
  const written = await model.decodeTensors(codes);  // without a temperature: greedily
  const tokens = tf.stack(tf.split(written, depths, 2).map((x) => x.argMax(2)), 2).arraySync();
  const sequences = await model.decode(codes);
  const notes = sequences.map((sequence) => sequence.notes.map((note) => [
    Number(note.quantizedStartStep), Number(note.quantizedEndStep), note.pitch,
    Boolean(note.isDrum), note.instrument || 0,
  ]));
  const mu = (await model.encode(sequences)).arraySync();
  return {tokens, notes, mu};
}

const folder = process.argv[2];
const server = http.createServer((request, response) => {
  response.end(fs.readFileSync(path.join(folder, path.basename(request.url))));
});
server.listen(0, '127.0.0.1', async () => {
  const z = JSON.parse(fs.readFileSync(0));
  const found = await answer(`http://127.0.0.1:${server.address().port}`, z);
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
});
