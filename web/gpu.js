// The JavaScript side of engine/gpu. Importing this module installs globalThis.quireGPU; whoever instantiates the
// WebAssembly calls quireGPU.attach(instance.exports.mem) before running it. It works in pages and module workers.
//
// Objects are named by positive integers. A step arrives as a tape of 32-bit words in wasm memory (engine/gpu/tape.go)
// and is replayed by one call. What takes time answers later, through the one function that Go registers:
// notify(target, kind, value), where a positive target is the token of a call and a negative one a device.

import {FEATURES, adapters, choose, featureBits, limitsOf} from './gpu/adapter.js';
import {Device, bytes} from './gpu/device.js';
import {Kept, Spares} from './gpu/kept.js';
import {DONE, FAILED, Failure, text} from './gpu/notify.js';
import {ByteSource} from './gpu/source.js';
import {Table} from './gpu/table.js';
import {waker} from './gpu/wake.js';

const END = 5000; // milliseconds that sources may take to let go of what they hold

class Host {
  memory = null;
  notify = null;
  message = ''; // of the last call that returned -1
  retryPause = 250; // milliseconds before a broken download's second try; half a minute in all
  idleLimit = 30e3; // milliseconds that a server may stay silent
  waiting = null; // told (reason, milliseconds) when a download waits for its server
  wakeSoftware = false; // tests want Wake for software adapters too
  pulse = false; // and Firefox's Pulse in any browser
  encoded = 0; // milliseconds that tapes took to encode, in all
  #mail = 0; // where Go leaves the operands of submit, take and upload: words in wasm memory
  #words = null;
  #devices = new Table();
  #spares = new Spares();
  #prepared = null; // {asked, device}: one on its way that nobody has asked for yet
  #sources = new Table();
  #ending = Promise.resolve(); // no source is being closed any more

  // attach gives the wasm memory, once the instance exists.
  attach(memory) {
    this.memory = memory;
  }

  // connect is Go's first call.
  connect(mail, notify) {
    this.#mail = mail;
    this.notify = notify;
  }

  // mail returns the operands, and makes the view again when the memory has grown.
  #operands() {
    if (this.#words === null || this.#words.buffer !== this.memory.buffer) {
      this.#words = new Uint32Array(this.memory.buffer, this.#mail, 8);
    }
    return this.#words;
  }

  #try(call) {
    try {
      return call(this.#operands());
    } catch (e) {
      this.message = text(e);
      return -1;
    }
  }

  // The calls of a step: operands by mail, 0 or a count back, -1 with a message.

  submit = () => this.#try(([id, tape, words, data]) => {
    const from = performance.now();
    this.#devices.get(id).submit(new Int32Array(this.memory.buffer, tape, words), data);
    this.encoded += performance.now() - from;
    return 0;
  });

  take = () => this.#try(([id, handle, pointer, size]) => this.#devices.get(id).take(handle, pointer, size) ? 1 : 0);

  upload = () => this.#try(([id, handle, offsetWords, pointer, size]) => {
    this.#devices.get(id).write(handle, bytes(offsetWords), pointer, size);
    return 0;
  });

  // answer notifies of what call returns, resolves to or throws.
  async #answer(token, call) {
    let kind = DONE, value;
    try {
      value = await call();
    } catch (e) {
      kind = e?.kind ?? FAILED;
      value = e?.value ?? text(e);
    }
    this.notify(token, kind, value);
  }

  // answerOf does the same for a call on a device.
  #answerOf(id, token, call) {
    this.#answer(token, async () => {
      const d = this.#devices.get(id);
      try {
        return await call(d);
      } catch (e) {
        if (!(e instanceof Failure)) await d.lossOrMoment();
        throw e;
      }
    });
  }

  adapters(token) {
    this.#answer(token, async () => (await adapters('')).map(([, d]) => d));
  }

  // open answers with {device, ...the adapter's description, features as granted}.
  open(token, choice, power, disabled, wake) {
    this.#answer(token, () => this.#open(choice, power, disabled, wake));
  }

  // prepare opens a device that Go is going to ask for, while Go is still on its way or keeps the thread. What is wrong Go hears of.
  prepare(choice, power) {
    const device = this.#ahead('').then(() => this.#device(choice, power, 0));
    device.catch(() => {});
    this.#prepared = {asked: JSON.stringify([choice, power, 0]), device};
  }

  // #ahead gives the device that was opened ahead if it is what is asked for, or null; others are kept for whoever asks for one of them.
  async #ahead(asked) {
    const ahead = this.#prepared;
    this.#prepared = null;
    const ready = await ahead?.device.catch(() => null);
    if (ready?.kept.useful && ahead.asked === asked) return ready;
    if (ready) this.#spares.give(ready.kept);
    return null;
  }

  // #device gives a device that nobody uses, or a new one.
  async #device(choice, power, disabled) {
    const [adapter, description] = choose(await adapters(power, choice === '' ? 1 : Infinity), choice);
    const wanted = FEATURES.filter((f, i) => adapter.features.has(f) && !(disabled & (1 << i)));
    const key = JSON.stringify([description, wanted]);
    const spare = this.#spares.take(key);
    const kept = spare ?? new Kept(await adapter.requestDevice({label: 'quire', requiredFeatures: wanted, requiredLimits: limitsOf(adapter)}), key);
    return {kept, description, spare: spare !== undefined};
  }

  async #open(choice, power, disabled, wake) {
    const asked = JSON.stringify([choice, power, disabled]);
    const {kept, description, spare} = await this.#ahead(asked) ?? await this.#device(choice, power, disabled);
    const {device} = kept;
    const d = new Device(this, kept, description);
    d.id = this.#devices.add(d);
    if (wake) d.wake = waker(d, this);
    return {...description, device: d.id, kept: spare, features: featureBits(device), limits: limitsOf(device)};
  }

  // listen begins to tell of what becomes of a device, from its beginning.
  listen(id) {
    this.#devices.find(id)?.kept.listen((kind, value) => this.notify(-id, kind, value));
  }

  createBuffer(id, token, label, size, usage) {
    this.#answerOf(id, token, (d) => d.createBuffer(label, size, usage));
  }

  destroyBuffer(id, handle) {
    this.#devices.find(id)?.destroyBuffer(handle);
  }

  // settle gives up a readback that is mapped or about to be.
  settle(id, handle) {
    const d = this.#devices.find(id);
    const entry = d?.buffers.find(handle);
    if (entry) d.settle(entry);
  }

  recallKernel(id, code, bindings) {
    return this.#devices.find(id)?.recallKernel(code, bindings) ?? 0;
  }

  createKernel(id, token, label, code, bindings) {
    this.#answerOf(id, token, (d) => d.createKernel(label, code, bindings));
  }

  // createBindGroup returns a handle, or the error as text.
  createBindGroup(id, label, kernel, pointer, count) {
    try {
      return this.#devices.get(id).createBindGroup(label, kernel, pointer, count);
    } catch (e) {
      return text(e);
    }
  }

  destroyBindGroup(id, handle) {
    this.#devices.find(id)?.groups.remove(handle);
  }

  idle(id, token) {
    this.#answerOf(id, token, (d) => d.idle());
  }

  timings(id, token, passes) {
    this.#answerOf(id, token, (d) => d.timings(passes));
  }

  destroy(id) {
    this.#devices.find(id)?.kept.destroy();
  }

  release(id) {
    const d = this.#devices.remove(id);
    d?.wake?.close();
    if (d) this.#spares.give(d.kept);
  }

  // forget drops the devices that nobody uses.
  forget() {
    this.#spares.clear();
  }

  // newSource makes a source of a URL or a Blob; openSource answers with its size.
  newSource(from) {
    return this.#sources.add(this.sourceOf(from));
  }

  // fetched gives a source that keeps nothing.
  fetched(from) {
    return new ByteSource(from, this.retryPause, this.idleLimit, (...told) => this.waiting?.(...told));
  }

  sourceOf = (from) => this.fetched(from); // whoever keeps files puts another in its place

  // newSaved makes a source of a conversation that was saved.
  newSaved(from) {
    return this.#sources.add(this.savedOf(from));
  }

  // newSaving makes what a conversation is saved by.
  newSaving(to) {
    return this.#sources.add(this.savingOf(to));
  }

  savedOf = null; // whoever keeps files makes these
  savingOf = null;

  writeSaving(id, bytes) {
    this.#sources.get(id).write(bytes);
  }

  saveReadback(id, token, device, handle, size, part) {
    this.#answerOf(device, token, (d) => d.mapped(handle, size, (buffer) => this.#sources.get(id).run(buffer, size, part)));
  }

  sumsOfSaving(id, token) {
    this.#answer(token, () => this.#sources.get(id).sums());
  }

  endSaving(id, token, good) {
    this.#answer(token, () => this.#sources.remove(id).end(good));
  }

  openSource(id, token) {
    this.#answer(token, () => this.#sources.get(id).open());
  }

  readSource(id, token, offset, size) {
    this.#answer(token, () => this.#sources.get(id).read(offset, size));
  }

  uploadSource(id, token, device, handle, targetOffset, offset, size) {
    this.#answerOf(device, token, (d) => this.#sources.get(id).upload(d, d.buffers.get(handle).buffer, targetOffset, offset, size));
  }

  uploadSummed(id, token, device, handle, offset, size, part, end) {
    this.#answerOf(device, token, (d) => this.#sources.get(id).uploadSummed(d, d.buffers.get(handle).buffer, offset, size, part, end));
  }

  settleUploads(id) {
    this.#devices.find(id)?.settleUploads();
  }

  verifySource(id, token) {
    this.#answer(token, () => this.#sources.get(id).verify());
  }

  // cancelSource ends what the source is doing; it may be used again.
  cancelSource(id) {
    this.#sources.find(id)?.cancel();
  }

  closeSource(id) {
    this.ends(this.#sources.remove(id)?.close());
  }

  // ends notes that a source is being closed, and ended waits for all that are, but not for ever.
  ends(closed) {
    this.#ending = Promise.allSettled([this.#ending, closed]);
  }

  ended() {
    return Promise.race([this.#ending, new Promise((resolve) => { setTimeout(resolve, END); })]);
  }

  // closeSaved answers when the file may be written again.
  closeSaved(id, token) {
    this.#answer(token, () => this.#sources.remove(id)?.close());
  }
}

globalThis.quireGPU = new Host();
