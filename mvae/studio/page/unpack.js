'use strict';
// The arrays of a page: base64 of a zlib stream (which has a checksum of its own), in which they
// stand one after the other. float16 as long as nothing is lost by it (mvae/studio/page.py).

const KINDS = {
  f2: { bytes: 2, read: buffer => Float32Array.from(new Uint16Array(buffer), half) },
  f4: { bytes: 4, read: buffer => new Float32Array(buffer) },
  u2: { bytes: 2, read: buffer => new Uint16Array(buffer) },
};

// The number of a float16's bits.
const half = (() => {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits += 1) {
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction;
    table[bits] = bits >> 15 ? -size : size;
  }
  return bits => table[bits];
})();

// {name: {data, shape}} of a manifest [[name, shape, kind], ...]. hash: SHA-256 of the arrays.
async function unpack(base64, manifest, hash) {
  const packed = Uint8Array.from(atob(base64), char => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = await new Response(stream).arrayBuffer();
  await check(bytes, hash);
  const tensors = {};
  let start = 0;
  for (const [name, shape, kind] of manifest) {
    const size = shape.reduce((a, b) => a * b, 1) * KINDS[kind].bytes;
    tensors[name] = { data: KINDS[kind].read(bytes.slice(start, start + size)), shape };
    start += size;
  }
  return tensors;
}

// Browsers keep crypto from pages that came over plain http from elsewhere.
async function check(bytes, hash) {
  if (!globalThis.crypto || !crypto.subtle) return;
  const found = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const words = Array.from(found, byte => byte.toString(16).padStart(2, '0')).join('');
  if (words !== hash) throw new Error('this page is damaged: its weights are not what was written');
}

// Of the tensors whose names begin with a prefix, those without it.
function below(tensors, prefix) {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
