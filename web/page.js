// The page: a model, prompts that run in one engine at once, settings and figures.

import {adviceFor, platformProblem, show} from './page/advice.js';
import {CacheView} from './page/cache.js';
import {Figures} from './page/figures.js';
import {ModelForm} from './page/model.js';
import {Prompt} from './page/prompt.js';
import {QuireError} from './quire.js';

const $ = (id) => document.getElementById(id);

const FIRST = ['Tell me a story about a fox and a kite.', 'Tell me a story about a girl and a lost boat.'];

const RECOVERING = {
  title: 'The GPU was taken away; recovering', message: 'What runs goes on by itself when the model is back.', advice: '',
};

const figures = new Figures();
const prompts = [];
const asked = new WeakMap(); // generations: {number of the prompt, answers}
const cache = new CacheView((generation) => generation && asked.get(generation));
let made = 0;

const form = new ModelForm({
  opened(quire) {
    const {temperature, topP, minP} = quire.defaults;
    $('temperature').value = temperature;
    $('top-p').value = topP;
    $('min-p').value = minP;
    $('mode').value = quire.info.chat ? 'chat' : 'raw';
    $('mode').options[0].disabled = !quire.info.chat;
    figures.open(quire);
    cache.open(quire);
    refresh();
  },
  closed() {
    figures.close();
    cache.close();
    show($('notice'), null);
    refresh();
  },
  recovering(now) {
    show($('notice'), now ? RECOVERING : null);
  },
});

// request reads the settings for a prompt.
function request(text) {
  const number = (id) => ($(id).value === '' ? undefined : $(id).valueAsNumber);
  const input = $('mode').value === 'chat' ? {messages: [{role: 'user', content: text}]} : {prompt: text};
  return {
    ...input, seed: number('seed'), temperature: number('temperature'), maxTokens: number('max-tokens'), topP: number('top-p'),
    minP: number('min-p'), n: number('answers'),
  };
}

function add(text = '') {
  const prompt = new Prompt(++made, text, {
    engine: () => form.quire,
    settings: request,
    started(generation, number, answers) {
      asked.set(generation, {number, answers});
      figures.started();
    },
    first: (tokens, ms) => figures.first(tokens, ms),
    failed: () => form.giveUpRecovering(),
    ended: () => figures.ended(),
    removed(p) {
      prompts.splice(prompts.indexOf(p), 1);
      refresh();
      $('add').focus();
    },
  });
  prompts.push(prompt);
  $('prompts').append(prompt.node);
  refresh();
  return prompt;
}

function refresh() {
  for (const p of prompts) p.show();
  $('run-all').disabled = !form.quire || prompts.length === 0;
}

$('add').onclick = () => add().area.focus();
$('run-all').onclick = () => prompts.forEach((p) => p.run());
addEventListener('keydown', (e) => {
  if (e.key === 'Escape') prompts.forEach((p) => p.stop());
});

FIRST.forEach((text) => add(text));

const problem = platformProblem();
if (problem) {
  show($('platform'), problem);
  form.disable();
} else {
  form.offerAdapters().then((list) => {
    if (list.length === 0) throw new QuireError({name: 'ErrNoAdapter', message: 'The browser has WebGPU but offers no adapter.'});
  }).catch((e) => show($('platform'), adviceFor(e)));
}
