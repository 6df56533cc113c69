// The page: a model, and two views of the engine that runs it. One is a chat; the other has prompts, settings and figures.

import {adviceFor, platformProblem, show} from './page/advice.js';
import {Bench} from './page/bench.js';
import {CacheView} from './page/cache.js';
import {Adapters} from './page/chat/adapters.js';
import {nameOf, Backend} from './page/chat/backend.js';
import {Chat} from './page/chat/chat.js';
import {learn} from './page/chat/forecast.js';
import {icon} from './page/chat/icons.js';
import {Library} from './page/chat/library.js';
import {Figures} from './page/figures.js';
import {forget, keep, recall} from './page/keep.js';
import {Lesson} from './page/lesson/lesson.js';
import {ModelForm} from './page/model.js';
import {keepEngine, keepPage} from './page/offline.js';
import {Prompt} from './page/prompt.js';
import {request, suit} from './page/settings.js';
import {View} from './page/view.js';
import {QuireError} from './quire.js';

const $ = (id) => document.getElementById(id);

const FIRST = ['Tell me a story about a fox and a kite.', 'Tell me a story about a girl and a lost boat.'];

const RECOVERING = {
  title: 'The GPU was taken away; recovering', message: 'What runs goes on by itself when the model is back.', advice: '',
};

const figures = new Figures();
const bench = new Bench();
const lesson = new Lesson();
const prompts = [];
const asked = new WeakMap(); // generations: {number of the prompt, answers}
const cache = new CacheView((generation) => generation && asked.get(generation));
let made = 0;

const view = new View();

const form = new ModelForm({
  opened(quire) {
    suit(quire);
    refresh();
    $('chip').textContent = nameOf(quire);
    library.stage('', 0, false);
    chat.wait('');
    chat.suit(quire.defaults);
    lesson.open(quire);
    adapters.suit(quire.loadLora ? quire : null);
    if (!quire.watch) return; // a server's
    if (form.address && !$('kv-memory').value && !$('context').value) learn(form.address, quire.info);
    figures.open(quire);
    cache.open(quire);
    bench.open(quire);
    quire.watch(held);
    keepEngine();
  },
  stage(text, percent) {
    const loads = !form.quire && percent !== 0;
    if (loads) $('chip').textContent = percent === null ? 'Loading' : `Loading ${Math.round(percent)} %`;
    else if (!form.quire) $('chip').textContent = 'Models';
    library.stage(text, percent, loads);
    if (!form.quire) chat.wait(loads ? `Loading the model: ${text[0].toLowerCase()}${text.slice(1)}` : text, percent);
  },
  closed() {
    $('chip').textContent = 'Models';
    figures.close();
    cache.close();
    bench.close();
    lesson.close();
    adapters.suit(null);
    show($('notice'), null);
    refresh();
  },
  dropped(files) {
    const texts = view.name === 'chat' && !files.some((f) => f.name.endsWith('.gguf'));
    if (texts) chat.attach(files);
    return texts;
  },
  chosen() {
    if (view.name === 'chat') form.load();
  },
  recovering(now) {
    show($('notice'), now ? RECOVERING : null);
  },
});

const chat = new Chat({backend: new Backend(form), measure: figures, failed: () => form.giveUpRecovering()});
const adapters = new Adapters(form, (names) => chat.adapt(names));
const library = new Library(form, adapters);
$('library-engine').onclick = () => $('library').close();

// held tells prompts how many blocks their sequences hold.
function held({sequences}) {
  if (form.recovering) return;
  const blocks = new Map();
  for (const s of sequences) blocks.set(s.generation, (blocks.get(s.generation) ?? 0) + s.blocks);
  for (const p of prompts) {
    if (p.generation && blocks.has(p.generation)) p.holds(blocks.get(p.generation));
  }
}

function add(text = '', kept = null) {
  const prompt = new Prompt(++made, text, {
    engine: () => form.quire,
    load: () => form.load(),
    settings: request,
    started(generation, number, answers) {
      asked.set(generation, {number, answers});
      figures.started();
    },
    first: (tokens, ms) => figures.first(tokens, ms),
    failed: () => form.giveUpRecovering(),
    changed: save,
    ended(result) {
      figures.ended(result);
      save();
    },
    removed(p) {
      prompts.splice(prompts.indexOf(p), 1);
      save();
      refresh();
      $('add').focus();
    },
  });
  if (kept) prompt.restore(kept);
  prompts.push(prompt);
  $('prompts').append(prompt.node);
  refresh();
  return prompt;
}

function refresh() {
  for (const p of prompts) p.show();
  $('run-all').disabled = !form.quire || prompts.length === 0;
}

const save = () => keep(prompts.map((p) => p.kept()));

function clear() {
  for (const p of prompts.splice(0)) p.discard();
  forget();
  made = 0;
  FIRST.forEach((text) => add(text));
}

$('add').onclick = () => add().area.focus();
$('clear').onclick = clear;
$('run-all').onclick = () => prompts.forEach((p) => p.run());
addEventListener('keydown', (e) => {
  if (e.key !== 'Escape' || e.defaultPrevented || document.querySelector('dialog[open], :popover-open')) return;
  if (view.name === 'chat') chat.stop();
  else prompts.forEach((p) => p.stop());
});
addEventListener('pagehide', save);

const kept = recall();
if (kept) kept.forEach((p) => add(p.text, p));
else FIRST.forEach((text) => add(text));

const ICONS = {'#open-list': 'menu', '#attach': 'clip', '#open-parameters': 'sliders', '#export-talk': 'save', '#delete-talk': 'bin', '.close': 'close'};
for (const [selector, name] of Object.entries(ICONS)) document.querySelectorAll(selector).forEach((b) => b.append(icon(name)));
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', (e) => e.target === dialog && dialog.close()); // beside it
}
chat.start();

const problem = platformProblem();
if (form.served) {
  form.load().then((quire) => {
    if (!quire && view.name === 'chat') library.open(); // there is a field for the key
  });
}
if (problem && !form.served) {
  show($('platform'), problem);
  form.disable();
} else if (!problem) {
  form.offerAdapters().then((list) => {
    if (list.length === 0) throw new QuireError({name: 'ErrNoAdapter', message: 'The browser has WebGPU but offers no adapter.'});
  }).catch((e) => { if (!form.served) show($('platform'), adviceFor(e)); });
}
keepPage();
