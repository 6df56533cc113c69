// The page that measures attention: a form, a run that can be stopped, and what it has found so far.

import {adviceFor, platformProblem, show} from '../page/advice.js';
import {bytes} from '../page/format.js';
import {Quire, QuireError} from '../quire.js';
import {measure} from './measure.js';
import {readPlan} from './plan.js';
import {forget, showReport} from './show.js';

const $ = (id) => document.getElementById(id);

let running = null; // what aborts the run

function stage(text, share) {
  $('stage').textContent = text;
  const bar = $('bar');
  bar.setAttribute('aria-valuenow', Math.round(100 * share));
  bar.setAttribute('aria-valuetext', text);
  bar.firstElementChild.style.transform = `scaleX(${share})`;
}

function progress(p) {
  if (p.report) showReport(p);
  else if (p.stage === 'engine') stage(`Fetching the engine, ${bytes(p.done)}`, 0);
  else stage(`${p.done + 1} of ${p.total}: ${p.stage}`, p.done / p.total);
}

async function run() {
  show($('error'), null);
  $('status').textContent = '';
  const abort = new AbortController();
  try {
    const plan = readPlan($('measure'));
    running = abort;
    forget();
    $('run').textContent = 'Stop';
    $('run').classList.add('stop');
    stage('Starting', 0);
    showReport(await measure($('adapter').value, plan, progress, abort.signal));
    stage('Done.', 1);
    $('status').textContent = 'The measurement is done.';
  } catch (e) {
    stage(abort.signal.aborted ? 'Stopped. What was measured stays.' : 'Nothing runs.', 0);
    if (!abort.signal.aborted) show($('error'), adviceFor(e));
  } finally {
    running = null;
    $('run').textContent = 'Run';
    $('run').classList.remove('stop');
  }
}

$('measure').addEventListener('submit', (e) => {
  e.preventDefault();
  if (running) running.abort();
  else run();
});

const problem = platformProblem();
if (problem) {
  show($('platform'), problem);
  $('run').disabled = true;
} else {
  Quire.adapters().then((list) => {
    if (list.length === 0) throw new QuireError({name: 'ErrNoAdapter', message: 'The browser has WebGPU but offers no adapter.'});
    for (const {index, name} of list) $('adapter').add(new Option(name, index));
  }).catch((e) => show($('platform'), adviceFor(e)));
}
