// The JavaScript side of engine/gpu. Importing this module installs globalThis.quireGPU; whoever instantiates the
// WebAssembly calls quireGPU.attach(instance.exports.mem) before running it. It works in pages and module workers.
//
// Objects are named by positive integers. A step arrives as a tape of 32-bit words in wasm memory (engine/gpu/tape.go)
// and is replayed by one call. What takes time answers later, through the one function that Go registers:
// notify(target, kind, value), where a positive target is the token of a call and a negative one a device.

import {ByteSource} from './source.js';

const OP = {write: 1, kernel: 2, bind: 3, dispatch: 4, copy: 5, clear: 6, split: 7, map: 8, timed: 9};
const OP_WORDS = [0, 5, 2, 2, 4, 6, 4, 1, 3, 2];

// kinds of notify
const DONE = 0, FAILED = 1, OUT_OF_MEMORY = 2, SHADER = 3; // for tokens
const LOST = 0, UNCAPTURED = 1, MAPPED = 2; // for devices

// engine/gpu's Usage bits, in order: storage, uniform, copy source, copy target, map for reading
const USAGES = [0x80, 0x40, 0x04, 0x08, 0x01];
const BINDINGS = ['read-only-storage', 'storage', 'uniform'];

// engine/gpu's Feature bits, in order
const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

const TIMESTAMPS = 4096; // WebGPU's limit on one query set
const MAP_NONE = 0, MAP_PENDING = 1, MAP_READY = 2, MAP_FAILED = 3;

// Table hands out handles: an index, and above it a generation, so that a released handle is never taken for another.
const INDEX_BITS = 20, INDEX = (1 << INDEX_BITS) - 1, GENERATIONS = 0x7ff;

class Table {
  #slots = [null];
  #handles = [0];
  #free = [];

  add(object) {
    const index = this.#free.length > 0 ? this.#free.pop() : this.#slots.length;
    if (index > INDEX) throw new Error('too many live GPU objects');
    const generation = ((this.#handles[index] ?? 0) >>> INDEX_BITS) + 1;
    const handle = ((generation & GENERATIONS) << INDEX_BITS) | index;
    this.#slots[index] = object;
    this.#handles[index] = handle;
    return handle;
  }

  get(handle) {
    const index = handle & INDEX;
    if (handle <= 0 || this.#handles[index] !== handle || this.#slots[index] === null) {
      throw new Error(`handle ${handle} names nothing: used after release`);
    }
    return this.#slots[index];
  }

  // remove returns what the handle named, or undefined.
  remove(handle) {
    const index = handle & INDEX;
    if (handle <= 0 || this.#handles[index] !== handle) return undefined;
    const object = this.#slots[index];
    if (object === null) return undefined;
    this.#slots[index] = null;
    this.#free.push(index);
    return object;
  }
}

const text = (e) => e?.message || String(e);

function describe(adapter) {
  const info = adapter.info ?? {};
  const name = info.description || info.device || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'WebGPU adapter';
  let features = 0;
  FEATURES.forEach((f, i) => { if (adapter.features.has(f)) features |= 1 << i; });
  const software = info.isFallbackAdapter || adapter.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);
  return {
    name,
    vendor: info.vendor ?? '',
    architecture: info.architecture ?? '',
    device: info.device ?? '',
    type: software ? 'cpu' : 'unknown',
    features,
    limits: limitsOf(adapter),
    subgroupMin: info.subgroupMinSize ?? 0,
    subgroupMax: info.subgroupMaxSize ?? 0,
  };
}

function limitsOf(adapter) {
  const limits = {};
  for (const name in adapter.limits) {
    if (typeof adapter.limits[name] === 'number') limits[name] = adapter.limits[name];
  }
  return limits;
}

const same = (a, b) => a.name === b.name && a.vendor === b.vendor && a.architecture === b.architecture && a.device === b.device;

// adapters lists the distinct adapters, the best first, as [adapter, description].
async function adapters(first) {
  if (!globalThis.navigator?.gpu) {
    throw new Error(globalThis.isSecureContext === false
      ? 'WebGPU needs a secure page: open it over https or from localhost'
      : 'this browser has no WebGPU: use a current Chrome, Edge, Safari or Firefox, with hardware acceleration on');
  }
  const powers = ['high-performance', 'low-power'];
  if (first === 'low-power') powers.reverse();
  const list = [];
  for (const powerPreference of powers) {
    const adapter = await navigator.gpu.requestAdapter({powerPreference});
    if (!adapter) continue;
    const description = describe(adapter);
    if (!list.some(([, d]) => same(d, description))) list.push([adapter, description]);
  }
  list.forEach(([, d], i) => { d.index = i; });
  return list;
}

// choose picks from the list by index or by part of a name; an empty choice takes the first.
function choose(list, choice) {
  if (list.length === 0) {
    throw new Error('the browser offers no GPU: turn hardware acceleration on, update the driver, and see chrome://gpu');
  }
  if (choice === '') return list[0];
  const wanted = choice.toLowerCase();
  const found = list.find(([, d]) => String(d.index) === wanted) ??
    list.find(([, d]) => `${d.name} ${d.vendor} ${d.architecture} ${d.device}`.toLowerCase().includes(wanted));
  if (!found) {
    throw new Error(`no adapter is called ${JSON.stringify(choice)}; there are: ${list.map(([, d]) => `${d.index}: ${d.name}`).join(', ')}`);
  }
  return found;
}

class Device {
  constructor(host, device, description) {
    this.host = host;
    this.device = device;
    this.queue = device.queue;
    this.description = description;
    this.buffers = new Table();
    this.kernels = new Table();
    this.groups = new Table();
    this.layouts = new Map();
    this.inFlight = 0; // maps and idle waits that are pending
    this.awaited = 0; // those of them that Go waits for
    this.wake = null;
    this.timed = null; // {sets, resolve, back, passes, mapped} of timed passes
  }

  createBuffer(token, label, size, usage) {
    const {device, host} = this;
    let bits = 0;
    USAGES.forEach((u, i) => { if (usage & (1 << i)) bits |= u; });
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    let buffer, thrown;
    try {
      buffer = device.createBuffer({label, size, usage: bits});
    } catch (e) {
      thrown = e;
    }
    const memory = device.popErrorScope(), validation = device.popErrorScope();
    Promise.all([memory, validation]).then(([oom, invalid]) => {
      if (!thrown && !oom && !invalid) {
        host.notify(token, DONE, this.buffers.add({buffer, size, map: MAP_NONE, epoch: 0, awaited: false, error: ''}));
        return;
      }
      buffer?.destroy();
      const noMemory = oom || thrown instanceof RangeError;
      host.notify(token, noMemory ? OUT_OF_MEMORY : FAILED, text(oom ?? thrown ?? invalid));
    }).catch((e) => host.notify(token, FAILED, text(e)));
  }

  destroyBuffer(handle) {
    const entry = this.buffers.remove(handle);
    if (!entry) return;
    this.settle(entry);
    entry.buffer.destroy();
  }

  layout(bindings) {
    let layout = this.layouts.get(bindings);
    if (!layout) {
      const group = this.device.createBindGroupLayout({
        entries: Array.from(bindings, (kind, binding) => ({binding, visibility: 0x4, buffer: {type: BINDINGS[kind]}})),
      });
      layout = {group, pipeline: this.device.createPipelineLayout({bindGroupLayouts: [group]})};
      this.layouts.set(bindings, layout);
    }
    return layout;
  }

  // createKernel answers with a handle, or for a shader that does not compile with {line, message}.
  async createKernel(token, label, code, bindings) {
    const {device, host} = this;
    try {
      device.pushErrorScope('validation');
      const module = device.createShaderModule({label, code});
      const scope = device.popErrorScope();
      const error = (await module.getCompilationInfo()).messages.find((m) => m.type === 'error');
      const invalid = await scope;
      if (error || invalid) {
        host.notify(token, SHADER, {line: error?.lineNum ?? 0, message: error?.message ?? text(invalid)});
        return;
      }
      const layout = this.layout(bindings);
      const pipeline = await device.createComputePipelineAsync({label, layout: layout.pipeline, compute: {module}});
      host.notify(token, DONE, this.kernels.add({pipeline, layout}));
    } catch (e) {
      host.notify(token, FAILED, text(e));
    }
  }

  // createBindGroup reads count triples of float64 (buffer, offset, size) at pointer.
  createBindGroup(label, kernel, pointer, count) {
    const views = new Float64Array(this.host.memory.buffer, pointer, 3 * count);
    const entries = [];
    for (let i = 0; i < count; i++) {
      entries.push({binding: i, resource: {buffer: this.buffers.get(views[3 * i]).buffer, offset: views[3 * i + 1], size: views[3 * i + 2]}});
    }
    return this.groups.add(this.device.createBindGroup({label, layout: this.kernels.get(kernel).layout.group, entries}));
  }

  write(handle, offset, pointer, size) {
    this.queue.writeBuffer(this.buffers.get(handle).buffer, offset, this.host.memory.buffer, pointer, size);
  }

  submit(tape, data) {
    const timed = this.prepare(tape, data);
    const {device, queue, buffers, kernels, groups} = this;
    let encoder = device.createCommandEncoder();
    let pass = null, next = -1, maps = null;
    const endPass = () => {
      pass?.end();
      pass = null;
    };
    for (let i = 0; i < tape.length; i += OP_WORDS[tape[i]]) {
      switch (tape[i]) {
        case OP.write:
          break;
        case OP.kernel:
          if (pass === null) {
            pass = encoder.beginComputePass(next < 0 ? undefined : {timestampWrites: this.timestamps(next)});
          }
          pass.setPipeline(kernels.get(tape[i + 1]).pipeline);
          break;
        case OP.bind:
          pass.setBindGroup(0, groups.get(tape[i + 1]));
          break;
        case OP.dispatch:
          pass.dispatchWorkgroups(tape[i + 1] >>> 0, tape[i + 2] >>> 0, tape[i + 3] >>> 0);
          if (next >= 0) {
            endPass();
            next = -1;
          }
          break;
        case OP.copy:
          endPass();
          encoder.copyBufferToBuffer(buffers.get(tape[i + 1]).buffer, bytes(tape[i + 2]),
            buffers.get(tape[i + 3]).buffer, bytes(tape[i + 4]), bytes(tape[i + 5]));
          break;
        case OP.clear:
          endPass();
          encoder.clearBuffer(buffers.get(tape[i + 1]).buffer, bytes(tape[i + 2]), bytes(tape[i + 3]));
          break;
        case OP.split:
          endPass();
          queue.submit([encoder.finish()]);
          encoder = device.createCommandEncoder();
          break;
        case OP.map:
          (maps ??= []).push(i);
          break;
        case OP.timed:
          endPass();
          next = tape[i + 1];
          break;
      }
    }
    endPass();
    if (timed > 0) this.resolveTimestamps(encoder);
    queue.submit([encoder.finish()]);
    if (timed > 0) this.timed.mapped = this.timed.back.mapAsync(1, 0, timed * 16);
    if (maps !== null) {
      for (const i of maps) this.map(buffers.get(tape[i + 1]), bytes(tape[i + 2]));
    }
  }

  // prepare makes the tape's writes, takes back readbacks that nobody fetched and returns how many passes are timed.
  prepare(tape, data) {
    let timed = 0;
    for (let i = 0; i < tape.length;) {
      const op = tape[i];
      if (op === OP.write) {
        this.write(tape[i + 1], bytes(tape[i + 2]), data + tape[i + 3], tape[i + 4]);
      } else if (op === OP.map) {
        this.settle(this.buffers.get(tape[i + 1]));
      } else if (op === OP.timed) {
        timed = Math.max(timed, tape[i + 1] + 1);
      } else if (!(op in OP_WORDS) || op === 0) {
        throw new Error(`the tape has no operation ${op} (word ${i})`);
      }
      i += OP_WORDS[op];
    }
    if (timed > 0) this.prepareTimestamps(timed);
    return timed;
  }

  map(entry, size) {
    const epoch = ++entry.epoch;
    entry.map = MAP_PENDING;
    this.inFlight++;
    const landed = (state, error) => {
      if (entry.epoch !== epoch) return;
      this.inFlight--;
      entry.map = state;
      entry.error = error;
      if (entry.awaited) {
        entry.awaited = false;
        this.awaited--;
        this.host.notify(-this.id, MAPPED, entry.handle);
      }
    };
    entry.buffer.mapAsync(1, 0, size).then(() => landed(MAP_READY, ''), (e) => landed(MAP_FAILED, text(e)));
  }

  // settle forgets a map that is pending or was not fetched.
  settle(entry) {
    if (entry.map === MAP_NONE) return;
    if (entry.map === MAP_PENDING) this.inFlight--;
    if (entry.awaited) this.awaited--;
    entry.awaited = false;
    entry.epoch++;
    entry.map = MAP_NONE;
    entry.buffer.unmap();
  }

  // take copies a landed readback to pointer and returns true; otherwise MAPPED will be notified.
  take(handle, pointer, size) {
    const entry = this.buffers.get(handle);
    switch (entry.map) {
      case MAP_READY: {
        const mapped = entry.buffer.getMappedRange(0, (size + 3) & ~3);
        new Uint8Array(this.host.memory.buffer, pointer, size).set(new Uint8Array(mapped, 0, size));
        entry.buffer.unmap();
        entry.map = MAP_NONE;
        return true;
      }
      case MAP_PENDING:
        entry.handle = handle;
        if (!entry.awaited) {
          entry.awaited = true;
          this.awaited++;
          this.wake?.start();
        }
        return false;
      case MAP_FAILED: {
        entry.map = MAP_NONE;
        throw new Error(entry.error);
      }
      default:
        throw new Error('no submitted tape reads into this readback');
    }
  }

  idle(token) {
    this.inFlight++;
    this.awaited++;
    this.wake?.start();
    const landed = (kind, value) => {
      this.inFlight--;
      this.awaited--;
      this.host.notify(token, kind, value);
    };
    this.queue.onSubmittedWorkDone().then(() => landed(DONE, null), (e) => landed(FAILED, text(e)));
  }

  prepareTimestamps(passes) {
    if (this.timed !== null && this.timed.passes >= passes) {
      this.timed.back.unmap();
      this.timed.used = passes;
      return;
    }
    this.dropTimestamps();
    const sets = [];
    for (let left = 2 * passes; left > 0; left -= TIMESTAMPS) {
      sets.push(this.device.createQuerySet({type: 'timestamp', count: Math.min(left, TIMESTAMPS)}));
    }
    const size = 16 * passes;
    this.timed = {
      sets, passes, used: passes, mapped: null,
      resolve: this.device.createBuffer({label: 'timestamps', size, usage: 0x0200 | 0x04}),
      back: this.device.createBuffer({label: 'timestamps read', size, usage: 0x01 | 0x08}),
    };
  }

  dropTimestamps() {
    if (this.timed === null) return;
    this.timed.sets.forEach((s) => s.destroy());
    this.timed.resolve.destroy();
    this.timed.back.destroy();
    this.timed = null;
  }

  timestamps(index) {
    const at = (2 * index) % TIMESTAMPS;
    return {querySet: this.timed.sets[Math.floor(2 * index / TIMESTAMPS)], beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1};
  }

  resolveTimestamps(encoder) {
    const {sets, used, resolve, back} = this.timed;
    for (let i = 0, left = 2 * used; left > 0; i++, left -= TIMESTAMPS) {
      encoder.resolveQuerySet(sets[i], 0, Math.min(left, TIMESTAMPS), resolve, 8 * TIMESTAMPS * i);
    }
    encoder.copyBufferToBuffer(resolve, 0, back, 0, 16 * used);
  }

  // timings answers with the bytes of one float64 a pass: nanoseconds.
  async timings(token, passes) {
    try {
      const timed = this.timed;
      if (timed?.mapped == null || timed.used < passes) throw new Error('the last tape was not recorded with Profile set');
      await timed.mapped;
      const stamps = new BigUint64Array(timed.back.getMappedRange(0, 16 * passes));
      const nanoseconds = new Float64Array(passes);
      for (let i = 0; i < passes; i++) {
        nanoseconds[i] = Math.max(0, Number(BigInt.asIntN(64, stamps[2 * i + 1] - stamps[2 * i])));
      }
      timed.back.unmap();
      timed.mapped = null;
      this.host.notify(token, DONE, new Uint8Array(nanoseconds.buffer));
    } catch (e) {
      this.host.notify(token, FAILED, text(e));
    }
  }
}

// bytes turns a tape's unsigned count of words into bytes.
const bytes = (words) => (words >>> 0) * 4;

// Wake sends empty submissions while Go waits for the only readback in flight: Chromium notices finished work only when
// something reaches its GPU process. After LONG milliseconds what is gained no longer counts.
class Wake {
  static LONG = 20;
  static TURNS = 8; // event loop turns between submissions, about 50 µs
  #channel = new MessageChannel();
  #running = false;
  #since = 0;
  #turns = 0;

  constructor(device) {
    this.device = device;
    this.#channel.port1.onmessage = () => this.#turn();
  }

  start() {
    this.#since = performance.now();
    this.#turns = 0;
    if (this.#running) return;
    this.#running = true;
    this.#channel.port2.postMessage(0);
  }

  #turn() {
    const {inFlight, awaited, queue} = this.device;
    if (awaited !== 1 || inFlight !== 1 || performance.now() - this.#since > Wake.LONG) {
      this.#running = false;
      return;
    }
    if (++this.#turns % Wake.TURNS === 0) queue.submit([]);
    this.#channel.port2.postMessage(0);
  }

  close() {
    this.#running = false;
    this.#channel.port1.close();
  }
}

class Host {
  memory = null;
  notify = null;
  message = ''; // of the last call that returned -1
  #mail = 0; // where Go leaves the operands of submit, take and upload: words in wasm memory
  #words = null;
  #devices = new Table();
  #sources = new Table();

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
    this.#devices.get(id).submit(new Int32Array(this.memory.buffer, tape, words), data);
    return 0;
  });

  take = () => this.#try(([id, handle, pointer, size]) => this.#devices.get(id).take(handle, pointer, size) ? 1 : 0);

  upload = () => this.#try(([id, handle, offsetWords, pointer, size]) => {
    this.#devices.get(id).write(handle, bytes(offsetWords), pointer, size);
    return 0;
  });

  #answer(token, promise) {
    promise.then((value) => this.notify(token, DONE, value), (e) => this.notify(token, FAILED, text(e)));
  }

  adapters(token) {
    this.#answer(token, adapters('').then((list) => list.map(([, d]) => d)));
  }

  // open answers with {device, ...the adapter's description, features as granted}.
  open(token, choice, power, disabled, wake) {
    this.#answer(token, this.#open(choice, power, disabled, wake));
  }

  async #open(choice, power, disabled, wake) {
    const [adapter, description] = choose(await adapters(power), choice);
    const wanted = FEATURES.filter((f, i) => adapter.features.has(f) && !(disabled & (1 << i)));
    const device = await adapter.requestDevice({label: 'quire', requiredFeatures: wanted, requiredLimits: limitsOf(adapter)});
    const d = new Device(this, device, description);
    d.id = this.#devices.add(d);
    if (wake && description.type !== 'cpu') d.wake = new Wake(d);
    device.addEventListener('uncapturederror', (e) => {
      e.preventDefault();
      this.notify(-d.id, UNCAPTURED, text(e.error));
    });
    device.lost.then((info) => this.notify(-d.id, LOST, `${info.reason}: ${info.message}`));
    let features = 0;
    FEATURES.forEach((f, i) => { if (device.features.has(f)) features |= 1 << i; });
    return {...description, device: d.id, features, limits: limitsOf(device)};
  }

  createBuffer(id, token, label, size, usage) {
    this.#devices.get(id).createBuffer(token, label, size, usage);
  }

  destroyBuffer(id, handle) {
    this.#devices.get(id).destroyBuffer(handle);
  }

  // settle gives up a readback that is mapped or about to be.
  settle(id, handle) {
    const d = this.#devices.get(id);
    d.settle(d.buffers.get(handle));
  }

  createKernel(id, token, label, code, bindings) {
    this.#devices.get(id).createKernel(token, label, code, bindings);
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
    this.#devices.get(id).groups.remove(handle);
  }

  idle(id, token) {
    this.#devices.get(id).idle(token);
  }

  timings(id, token, passes) {
    this.#devices.get(id).timings(token, passes);
  }

  destroy(id) {
    this.#devices.get(id).device.destroy();
  }

  release(id) {
    const d = this.#devices.remove(id);
    d?.wake?.close();
    d?.device.destroy();
  }

  // Sources: openSource answers with {source, size}.

  openSource(token, from) {
    const source = new ByteSource(from);
    this.#answer(token, source.open().then(() => ({source: this.#sources.add(source), size: source.size})));
    return () => source.close();
  }

  readSource(id, token, offset, size) {
    this.#answer(token, this.#sources.get(id).read(offset, size));
  }

  uploadSource(id, token, device, handle, targetOffset, offset, size) {
    const d = this.#devices.get(device);
    this.#answer(token, this.#sources.get(id).upload(d.queue, d.buffers.get(handle).buffer, targetOffset, offset, size));
  }

  // cancelSource ends what the source is doing; it may be used again.
  cancelSource(id) {
    this.#sources.get(id).cancel();
  }

  closeSource(id) {
    this.#sources.remove(id)?.close();
  }
}

globalThis.quireGPU = new Host();
