// While work is awaited, something must be sent to the process that has the GPU: browsers look for what has finished
// when something arrives there. How much that matters and what helps differs.

import {FIREFOX} from './browser.js';

// Wake keeps asking Chromium's GPU process a trifle while a readback is awaited with FEW at most in flight, or the first, whatever has
// been submitted behind it: it notices finished work up to 2 milliseconds late. An empty error scope is answered at once,
// so that the answer paces the next question and nothing spins. After long milliseconds, of a prompt on a large GPU, what is
// gained no longer counts. Software adapters gain nothing and lose the time of a core.
class Wake {
  static FEW = 2; // steps hardly run ahead
  #running = false;
  #since = 0;
  #first = false;

  constructor(owner) {
    this.owner = owner;
    this.long = owner.description.type === 'discrete' ? 150 : 20;
  }

  start(first) {
    this.#since = performance.now();
    this.#first = first;
    if (this.#running) return;
    this.#running = true;
    this.#ask();
  }

  #ask = () => {
    const {inFlight, awaited, device} = this.owner;
    if (!this.#running || awaited !== 1 || inFlight > Wake.FEW && !this.#first || performance.now() - this.#since > this.long) {
      this.#running = false;
      return;
    }
    device.pushErrorScope('validation');
    device.popErrorScope().then(this.#ask, () => { this.#running = false; });
  };

  close() {
    this.#running = false;
  }
}

// Pulse submits nothing as long as anything is awaited: Firefox looks for finished work at a submission, otherwise every
// 100 milliseconds. Timers make a millisecond 4 after the first few.
class Pulse {
  static EVERY = 1;
  #timer = 0; // 0: nothing is awaited

  constructor(owner) {
    this.owner = owner;
  }

  start() {
    if (this.#timer === 0 && this.owner !== null) this.#beat();
  }

  #beat = () => {
    if (this.owner.awaited === 0) {
      this.#timer = 0;
      return;
    }
    this.owner.queue.submit([]);
    this.#timer = setTimeout(this.#beat, Pulse.EVERY);
  };

  close() {
    clearTimeout(this.#timer);
    this.owner = null;
  }
}

// waker gives what this browser needs for a device, or null. What a page can ask does not tell, only the browser's name.
export function waker(device, {wakeSoftware, pulse}) {
  if (FIREFOX || pulse) return new Pulse(device);
  return device.description.type !== 'cpu' || wakeSoftware ? new Wake(device) : null;
}
