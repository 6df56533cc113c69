// Keeps prompts and their answers for the tab across a reload. A page may be without storage, or not allowed to use it: then
// nothing is kept, and nobody is bothered.

const KEY = 'quire.prompts';
const MOST = 500_000; // characters in all: a tab may store some five million bytes, two a character

const text = (value) => typeof value === 'string';
const texts = (value) => Array.isArray(value) && value.every(text);
const problem = (value) => value === null || (text(value.title) && text(value.message) && text(value.advice));
const turn = (t) => text(t?.text) && text(t?.answer);
const whole = (p) => text(p.text) && texts(p.answers) && texts(p.endings) && text(p.status) && problem(p.problem) &&
  (p.turns ?? []).every(turn);

const size = (p) => [p.text, ...p.answers, ...(p.turns ?? []).flatMap((t) => [t.text, t.answer])].reduce((sum, t) => sum + t.length, 0);

// keep stores prompts as Prompt.kept gives them. Where they are too much, the first lose their answers, then all.
export function keep(prompts) {
  const list = prompts.map((p) => ({...p}));
  let left = list.reduce((sum, p) => sum + size(p), 0);
  for (const p of list) {
    if (left <= MOST) break;
    if (p.answers.length === 0 && !p.turns?.length) continue;
    left -= size(p) - p.text.length;
    Object.assign(p, {answers: [], endings: [], turns: [], unseen: 0, asked: null, status: 'The answer was too long to be kept'});
  }
  while (left > MOST) left -= size(list.shift());
  try {
    sessionStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    forget(); // better nothing than what was there before
  }
}

// recall gives the prompts that were kept; null: none.
export function recall() {
  try {
    const list = JSON.parse(sessionStorage.getItem(KEY));
    return list.length > 0 && list.every(whole) ? list : null;
  } catch {
    return null;
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // nothing was kept
  }
}
