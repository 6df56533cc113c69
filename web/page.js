// The page: a model, prompts that run in one engine at once, settings and figures.

import {platformProblem, show} from './page/advice.js';
import {Figures} from './page/figures.js';
import {ModelForm} from './page/model.js';
import {Prompt} from './page/prompt.js';

const $ = (id) => document.getElementById(id);

const FIRST = ['Tell me a story about a fox and a kite.', 'Tell me a story about a girl and a lost boat.'];

const figures = new Figures();
const prompts = [];
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
    refresh();
  },
  closed() {
    figures.close();
    refresh();
  },
  recovering({stage, done, total}) {
    const over = stage === 'kernels' && done === total;
    show($('platform'), over ? null : {
      title: 'The GPU was taken away; recovering', message: 'Everything that runs goes on by itself in a moment.', advice: '',
    });
  },
});

// request reads the settings for a prompt.
function request(text) {
  const number = (id) => ($(id).value === '' ? undefined : $(id).valueAsNumber);
  const input = $('mode').value === 'chat' ? {messages: [{role: 'user', content: text}]} : {prompt: text};
  const seed = number('seed');
  return {
    ...input, temperature: number('temperature'), maxTokens: number('max-tokens'), topP: number('top-p'), minP: number('min-p'),
    ...(seed !== undefined && {seed}),
  };
}

function add(text = '') {
  const prompt = new Prompt(++made, text, {
    engine: () => form.quire,
    settings(text) {
      queueMicrotask(() => figures.started());
      return request(text);
    },
    ended: (f) => figures.ended(f),
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
}
