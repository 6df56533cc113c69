// What answers conversations: the model that is loaded, in this tab or of the server that the page comes from.

// Backend asks what a form loads.
export class Backend {
  #form;

  constructor(form) {
    this.#form = form;
  }

  // quire is the model that is loaded; null: none is.
  get quire() {
    return this.#form.quire;
  }

  get name() {
    return nameOf(this.#form.quire);
  }

  // ready loads the model first, where none is. What is thrown has the problem that keeps it from that, or is an AbortError.
  async ready() {
    const quire = this.#form.quire ?? await this.#form.load();
    if (quire) return quire;
    const {problem} = this.#form;
    throw problem ? Object.assign(new Error(problem.message), {problem}) : new DOMException('Loading was given up.', 'AbortError');
  }

  // answer gives a chat's events. A model without a chat template goes on with what was said, as it is.
  async answer(request, signal) {
    const quire = await this.ready();
    if (quire.server) return quire.server.chat({...request, model: quire.id}, {signal});
    if (quire.info.chat) return quire.chat.completions.create(request, {signal});
    const {messages, truncation, tools, reasoning_effort, max_completion_tokens: most = quire.info.context, ...rest} = request;
    return chatEvents(await quire.completions.create({...rest, max_tokens: most, prompt: messages.map((m) => m.content).join('')}, {signal}));
  }
}

export const nameOf = (quire) => quire && (quire.id || quire.info.name || quire.info.architecture);

// chatEvents gives events of a text as those of a chat.
async function* chatEvents(stream) {
  for await (const {choices, ...event} of stream) {
    yield {...event, choices: choices.map(({index, text, finish_reason}) => ({index, delta: {content: text}, finish_reason}))};
  }
}
