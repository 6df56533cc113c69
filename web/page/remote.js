// A model of the server, asked as this page's prompts ask the engine in the tab.

export class Remote {
  // What the model has of its own is left to the server.
  defaults = {temperature: '', topP: '', minP: ''};

  constructor(server, {id, max_model_len: context}) {
    this.server = server;
    this.id = id;
    this.info = {chat: true, context};
  }

  generate(request) {
    return new RemoteGeneration(this.server, this.id, request);
  }

  async close() {}
}

class RemoteGeneration {
  result;
  promptIds = [];
  dropped = 0; // messages that the context had no room for
  #abort = new AbortController();
  #settle;

  constructor(server, model, request) {
    this.server = server;
    this.model = model;
    this.request = request;
    this.result = new Promise((resolve, reject) => { this.#settle = {resolve, reject}; });
    this.result.catch(() => {});
  }

  cancel() {
    this.#abort.abort();
  }

  async *[Symbol.asyncIterator]() {
    const start = performance.now(), texts = [], reasons = [];
    let first = 0, come = 0, usage = null;
    const end = (reason) => {
      const tokens = usage?.completion_tokens ?? come, ms = performance.now() - start - first;
      this.#settle.resolve({
        text: texts[0] ?? '', choices: Array.from({length: this.request.n || 1}, (_, i) => ({reason: reasons[i] ?? reason, limit: this.request.maxTokens ? 'maxTokens' : 'context'})),
        figures: {generatedTokens: tokens, timeToFirst: first, decodePerSecond: tokens > 1 ? 1000 * (tokens - 1) / ms : 0, promptPerSecond: 0},
      });
    };
    try {
      for await (const event of await this.#ask()) {
        usage = event.usage ?? usage;
        for (const {index, delta, text = delta?.content, finish_reason: reason} of event.choices) {
          reasons[index] = reason ?? reasons[index];
          if (!text) continue;
          come++;
          first ||= performance.now() - start;
          texts[index] = (texts[index] ?? '') + text;
          yield {text, index};
        }
      }
      end('stop');
    } catch (e) {
      if (this.#abort.signal.aborted) {
        end('cancelled');
        return;
      }
      this.#settle.reject(e);
      throw e;
    } finally {
      this.#abort.abort();
    }
  }

  // ask gives the answer's events. The oldest messages are left out for as long as the context has no room for all.
  async #ask() {
    const {messages, prompt, seed, temperature, maxTokens, topP, minP, n} = this.request, {signal} = this.#abort;
    const asked = {model: this.model, seed, temperature, max_tokens: maxTokens, top_p: topP, min_p: minP, n, stream_options: {include_usage: true}};
    if (!messages) return this.server.complete({...asked, prompt}, {signal});
    for (;;) {
      try {
        return await this.server.chat({...asked, messages: messages.slice(this.dropped)}, {signal});
      } catch (e) {
        if (e.name !== 'ErrContextTooLong' || this.dropped + 2 >= messages.length) throw e;
        this.dropped += 2;
      }
    }
  }
}
