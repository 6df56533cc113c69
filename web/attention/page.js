// The page that measures attention: a form, a run that can be stopped, and what it has found so far.

import {platformProblem, show} from '../page/advice.js';
import {bytes} from '../page/format.js';
import {Quire, QuireError} from '../quire.js';
import {advised} from './advice.js';
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
  let plan;
  try {
    plan = readPlan($('measure'));
  } catch (e) {
    show($('error'), advised(e));
    return;
  }
  const abort = running = new AbortController();
  try {
    forget();
    toggle(true);
    stage('Starting', 0);
    showReport(await measure($('adapter').value, plan, progress, abort.signal));
    stage('Done.', 1);
    $('status').textContent = 'The measurement is done.';
  } catch (e) {
    const stopped = abort.signal.aborted, stays = $('download').hidden ? 'Nothing was measured.' : 'What was measured stays.';
    stage(`${stopped ? 'Stopped' : 'Failed'}. ${stays}`, 0);
    if (stopped) $('status').textContent = 'Stopped.';
    else show($('error'), advised(e));
  } finally {
    running = null;
    toggle(false);
  }
}

// toggle makes the button stop the run, or start one. While it stops, no Enter in a field presses it.
function toggle(stops) {
  $('run').textContent = stops ? 'Stop' : 'Run';
  $('run').type = stops ? 'button' : 'submit';
  $('run').classList.toggle('stop', stops);
}

$('run').addEventListener('click', (e) => {
  if (!running) return;
  e.preventDefault(); // it submits again before this click is over
  running.abort();
});

$('measure').addEventListener('submit', (e) => {
  e.preventDefault();
  if (!running) run();
});

const problem = platformProblem();
if (problem) {
  show($('platform'), problem);
  $('run').disabled = true;
} else {
  Quire.adapters().then((list) => {
    if (list.length === 0) throw new QuireError({name: 'ErrNoAdapter', message: 'The browser has WebGPU but offers no adapter.'});
    for (const {index, name} of list) $('adapter').add(new Option(name, index));
  }).catch((e) => {
    show($('platform'), advised(e));
    $('run').disabled = true;
  });
}
