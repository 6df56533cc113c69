// Wake keeps asking the GPU process a trifle while Go waits for the only readback in flight: Chromium notices finished
// work only when something reaches that process. An empty error scope is answered at once, so that the answer paces the
// next question and nothing spins. After LONG milliseconds what is gained no longer counts.
export class Wake {
  static LONG = 20;
  #running = false;
  #since = 0;

  constructor(owner) {
    this.owner = owner;
  }

  start() {
    this.#since = performance.now();
    if (this.#running) return;
    this.#running = true;
    this.#ask();
  }

  #ask = () => {
    const {inFlight, awaited, device} = this.owner;
    if (!this.#running || awaited !== 1 || inFlight !== 1 || performance.now() - this.#since > Wake.LONG) {
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
