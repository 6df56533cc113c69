// Device is an opened adapter with everything that was made on it, and replays tapes.

import {BROKEN, Failure, MAPPED, OUT_OF_MEMORY, SHADER, text} from './notify.js';
import {Ring} from './ring.js';
import {Table} from './table.js';
import {Timer} from './timer.js';

// engine/gpu/tape.go's operations and their words
const OP = {write: 1, kernel: 2, bind: 3, dispatch: 4, copy: 5, clear: 6, split: 7, map: 8, timed: 9};
const OP_WORDS = [0, 5, 2, 2, 4, 6, 4, 1, 3, 2];

// engine/gpu's Usage bits, in order: storage, uniform, copy source, copy target, map for reading
const USAGES = [0x80, 0x40, 0x04, 0x08, 0x01];
const BINDINGS = ['read-only-storage', 'storage', 'uniform'];

const MOMENT = 100; // milliseconds
export const LATE = 60_000; // for what is mapped: if that fails the device was destroyed, and Firefox says so when the work before it is done
const MAP_NONE = 0, MAP_DUE = 1, MAP_PENDING = 2, MAP_READY = 3, MAP_FAILED = 4;

// bytes turns a tape's unsigned count of words into bytes.
export const bytes = (words) => (words >>> 0) * 4;

export class Device {
  #ring = null;
  #full = null; // a promise: there is no room for one, and it is gone

  constructor(host, kept, description) {
    this.host = host;
    this.kept = kept;
    this.device = kept.device;
    this.queue = kept.device.queue;
    this.description = description;
    this.buffers = new Table();
    this.kernels = new Table();
    this.groups = new Table();
    this.layouts = kept.layouts;
    this.inFlight = 0; // maps and other waits for the GPU that are pending
    this.awaited = 0; // those of them that Go waits for
    this.due = []; // readbacks that are to be mapped
    this.wake = null;
    this.timer = new Timer(this);
  }

  // createBuffer returns a handle once the GPU process has agreed. What uploads go through makes room where there is none.
  async createBuffer(...given) {
    try {
      return await this.#create(...given);
    } catch (e) {
      if (e.kind !== OUT_OF_MEMORY || !(this.#ring || this.#full)) throw e;
      await (this.#full ??= this.finished(this.settleUploads()));
      return this.#create(...given);
    }
  }

  async #create(label, size, usage) {
    const {device} = this;
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
    const scopes = [device.popErrorScope(), device.popErrorScope()];
    const [memory, validation] = await Promise.all(scopes);
    if (!thrown && !memory && !validation) {
      return this.buffers.add({buffer, map: MAP_NONE, first: false, span: 0, epoch: 0, awaited: false, error: '', handle: 0, pointer: 0, size: 0});
    }
    buffer?.destroy();
    if (memory || thrown instanceof RangeError) throw new Failure(OUT_OF_MEMORY, text(memory ?? thrown));
    throw thrown ?? new Error(text(validation));
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

  // recallKernel returns the handle of a kernel that was compiled for who had the device before, or 0.
  recallKernel(code, bindings) {
    const pipeline = this.kept.recall(bindings + code);
    return pipeline ? this.kernels.add({pipeline, layout: this.layout(bindings)}) : 0;
  }

  // createKernel returns a handle; a shader that does not compile is a Failure with {line, message}.
  async createKernel(label, code, bindings) {
    const layout = this.layout(bindings);
    return this.kernels.add({pipeline: await this.kept.pipeline(bindings + code, () => this.compile(label, code, layout)), layout});
  }

  // compile asks for the pipeline before anything is known of the shader: what is wrong with it is only looked for where there is none.
  async compile(label, code, layout) {
    const {device} = this;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({label, code});
    const scope = device.popErrorScope();
    try {
      const [pipeline] = await Promise.all([device.createComputePipelineAsync({label, layout: layout.pipeline, compute: {module}}), scope]);
      return pipeline;
    } catch (e) {
      const error = (await module.getCompilationInfo()).messages.find((m) => m.type === 'error');
      const invalid = await scope;
      if (!error && !invalid) throw e;
      await this.lossOrMoment(); // Firefox says of a lost device that the shader is wrong
      throw new Failure(SHADER, {line: error?.lineNum ?? 0, message: error?.message ?? text(invalid)});
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
            pass = encoder.beginComputePass(next < 0 ? undefined : {timestampWrites: this.timer.writes(next)});
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
    if (timed > 0) this.timer.resolve(encoder);
    this.mapDue();
    queue.submit([encoder.finish()]);
    if (timed > 0) this.timer.map();
    if (maps !== null) {
      const first = this.inFlight === 0;
      for (const i of maps) {
        const entry = buffers.get(tape[i + 1]);
        entry.map = MAP_DUE;
        entry.first = first;
        entry.span = bytes(tape[i + 2]);
        this.inFlight++;
        this.due.push(entry);
      }
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
    if (timed > 0) this.timer.prepare(timed);
    return timed;
  }

  // mapDue maps what submitted tapes have filled: with the next submission, or once somebody waits, for each submission and each
  // map by itself is a message to the process that has the GPU.
  mapDue() {
    for (const entry of this.due) this.map(entry);
    this.due.length = 0;
  }

  map(entry) {
    const epoch = ++entry.epoch;
    entry.map = MAP_PENDING;
    const landed = (state, error) => {
      if (entry.epoch !== epoch) return;
      this.inFlight--;
      entry.map = state;
      entry.error = error;
      if (!entry.awaited) return;
      entry.awaited = false;
      this.awaited--;
      this.host.notify(-this.id, this.fetch(entry) ? MAPPED : BROKEN, entry.handle);
    };
    entry.buffer.mapAsync(1, 0, entry.span).then(() => landed(MAP_READY, ''), async (e) => {
      if (entry.epoch !== epoch) return;
      await this.lossOrMoment(LATE);
      landed(MAP_FAILED, text(e));
    });
  }

  // lossOrMoment lets the news of a lost device overtake the failures that come of it.
  lossOrMoment(moment = MOMENT) {
    return Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, moment))]);
  }

  // settle forgets a map that is pending or was not fetched.
  settle(entry) {
    if (entry.map === MAP_NONE) return;
    if (entry.map === MAP_DUE) this.mapDue();
    if (entry.map === MAP_PENDING) this.inFlight--;
    if (entry.awaited) this.awaited--;
    entry.awaited = false;
    entry.epoch++;
    entry.map = MAP_NONE;
    entry.buffer.unmap();
  }

  // fetch copies a landed readback to where Go wants it and reports whether it could; entry.error says why not.
  fetch(entry) {
    if (entry.map !== MAP_READY) return false;
    try {
      const mapped = entry.buffer.getMappedRange(0, (entry.size + 3) & ~3);
      new Uint8Array(this.host.memory.buffer, entry.pointer, entry.size).set(new Uint8Array(mapped, 0, entry.size));
    } catch (e) {
      entry.map = MAP_FAILED;
      entry.error = text(e);
      return false;
    } finally {
      entry.buffer.unmap();
    }
    entry.map = MAP_NONE;
    return true;
  }

  // take copies a readback to pointer and returns true if it has landed. Otherwise it will be copied when it lands, and
  // MAPPED notified; BROKEN if it does not land, and take then says why.
  take(handle, pointer, size) {
    const entry = this.buffers.get(handle);
    if (entry.map === MAP_NONE) throw new Error('no submitted tape reads into this readback');
    Object.assign(entry, {handle, pointer, size});
    if (entry.map === MAP_DUE) this.mapDue();
    if (entry.map === MAP_PENDING) {
      if (!entry.awaited) {
        entry.awaited = true;
        this.awaited++;
        this.wake?.start(entry.first);
      }
      return false;
    }
    if (this.fetch(entry)) return true;
    entry.map = MAP_NONE;
    throw new Error(entry.error);
  }

  // mapped lends a readback's memory, once what was submitted has filled it.
  async mapped(handle, size, use) {
    const {buffer} = this.buffers.get(handle);
    await this.finished(buffer.mapAsync(1, 0, size));
    try {
      return await use(buffer);
    } catch (e) {
      if (e.name === 'OperationError') await this.lossOrMoment(LATE); // it is not mapped any more
      throw e;
    } finally {
      buffer.unmap();
    }
  }

  // ring is what uploads go through; null where that has no room.
  get ring() {
    return this.#full ? null : this.#ring ??= new Ring(this.device);
  }

  // settleUploads gives the memory for uploads back, until the next.
  async settleUploads() {
    const ring = this.#ring;
    this.#ring = null;
    await ring?.close();
  }

  idle() {
    return this.finished(this.queue.onSubmittedWorkDone());
  }

  // finished awaits a promise that the GPU's work settles, and has the browser notice that.
  async finished(promise) {
    this.inFlight++;
    this.awaited++;
    this.wake?.start(false);
    try {
      return await promise.finally(() => {
        this.inFlight--;
        this.awaited--;
      });
    } catch (e) {
      await this.lossOrMoment(LATE);
      throw e;
    }
  }

  // timings returns the bytes of one float64 a pass: nanoseconds.
  async timings(passes) {
    return new Uint8Array((await this.timer.read(passes)).buffer);
  }
}
