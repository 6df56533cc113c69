// A conversation's system prompt and parameters.

const $ = (id) => document.getElementById(id);

const NUMBERS = {'chat-temperature': 'temperature', 'chat-top-p': 'topP', 'chat-min-p': 'minP', 'chat-top-k': 'topK', 'chat-max-tokens': 'maxTokens', 'chat-seed': 'seed', 'chat-answers': 'answers'};

// Parameters is a dialog, which tells changed(conversation, field).
export class Parameters {
  #dialog = $('parameters');
  #talk = null;
  #adapters = []; // names

  constructor(changed) {
    $('open-parameters').onclick = () => this.#dialog.showModal();
    this.#dialog.addEventListener('input', (e) => {
      if (this.#take(e.target)) changed(this.#talk, e.target.id);
    });
    $('tools').addEventListener('input', () => this.#check());
  }

  // show shows a conversation's; defaults is what a model draws by unless it is told.
  show(talk, defaults) {
    this.#talk = talk;
    $('system').value = talk.system;
    for (const [id, name] of Object.entries(NUMBERS)) {
      $(id).value = talk.settings[name] ?? '';
      if (Number.isFinite(defaults?.[name])) $(id).placeholder = Math.round(1000 * defaults[name]) / 1000;
    }
    $('effort').value = talk.settings.effort ?? '';
    $('keep').checked = talk.settings.keep ?? false;
    this.#showAdapters();
    $('tools').value = talk.settings.tools ?? '';
    this.#check();
  }

  // offer lists the adapters that are loaded.
  offer(names) {
    this.#adapters = names;
    this.#showAdapters();
  }

  #showAdapters() {
    const chosen = this.#talk?.settings.adapter ?? '', names = chosen && !this.#adapters.includes(chosen) ? [...this.#adapters, chosen] : this.#adapters;
    $('lora-field').hidden = names.length === 0;
    $('lora').replaceChildren(new Option('None', ''), ...names.map((name) => new Option(this.#adapters.includes(name) ? name : `${name}, not loaded`, name)));
    $('lora').value = chosen;
  }

  // take puts what was entered into the conversation, and says whether it is of use.
  #take(field) {
    const {id, value} = field, {settings} = this.#talk;
    if (id === 'system') this.#talk.system = value;
    else if (id === 'keep') set(settings, id, field.checked || '');
    else if (id === 'effort' || id === 'tools') set(settings, id, value);
    else if (id === 'lora') set(settings, 'adapter', value);
    else if (!field.checkValidity()) return false;
    else set(settings, NUMBERS[id], value === '' ? '' : field.valueAsNumber);
    return true;
  }

  #check() {
    const problem = toolsProblem($('tools').value);
    $('tools').setAttribute('aria-invalid', Boolean(problem));
    $('tools-problem').textContent = problem;
  }
}

function set(settings, name, value) {
  if (value === '') delete settings[name];
  else settings[name] = value;
}

function toolsProblem(text) {
  if (!text.trim()) return '';
  try {
    return Array.isArray(JSON.parse(text)) ? '' : 'A list of tools is wanted: [{"type": "function", …}].';
  } catch (e) {
    return `This is not JSON: ${e.message}.`;
  }
}

// fieldsOf gives a conversation's settings as the API names them.
export function fieldsOf(settings) {
  const fields = {
    temperature: settings.temperature, top_p: settings.topP, min_p: settings.minP, top_k: settings.topK,
    max_completion_tokens: settings.maxTokens, seed: settings.seed, reasoning_effort: settings.effort,
    lora: settings.adapter && [{name: settings.adapter}],
    tools: settings.tools && !toolsProblem(settings.tools) ? JSON.parse(settings.tools) : undefined,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
