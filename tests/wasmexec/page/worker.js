// Runs one Go program in a module worker. Every report is a string: its first character says what it is, output bytes
// follow as one character each.
import './wasm_exec.js';
import './gpu.js';

const report = (kind, text) => postMessage(kind + text);

// Chromium's stack starts with the message, Firefox's has only the places.
const told = (e) => (e?.stack?.includes(e.message) ? e.stack : [e, e?.stack ?? ''].join('\n').trimEnd());

globalThis.fs.writeSync = (fd, bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  report(fd === 1 ? '1' : '2', text);
  return bytes.length;
};

self.addEventListener('unhandledrejection', (e) => report('!', 'unhandled rejection: ' + told(e.reason)));

try {
  const {argv, env} = await (await fetch('/run.json')).json();
  const go = new Go();
  go.argv = argv;
  go.env = env;
  go.exit = (code) => report('x', String(code));
  const {instance} = await WebAssembly.instantiateStreaming(fetch('/program.wasm'), go.importObject);
  globalThis.quireGPU.attach(instance.exports.mem);
  await go.run(instance);
} catch (e) {
  report('!', told(e));
}
