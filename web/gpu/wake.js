// Wake sends empty submissions while Go waits for the only readback in flight: Chromium notices finished work only when
// something reaches its GPU process. After LONG milliseconds what is gained no longer counts.
export class Wake {
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
