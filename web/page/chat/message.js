// One message as it is shown.

import {show} from '../advice.js';
import {count, duration, rate, whole} from '../format.js';
import {Calls} from './calls.js';
import {codeBlock, copyButton} from './code.js';
import {iconButton, make} from './icons.js';
import {Markdown, pretty} from './markdown.js';

// MessageView shows a message. It tells edit(message, text), again(message), choose(message), beside(message) and results(message, texts),
// which the tools give that it calls; nothing is asked while busy().
export class MessageView {
  node;
  #message;
  #page;
  #body = make('div', {className: 'body'});
  #markdown = new Markdown();
  #thoughts = null;
  #calls = new Calls((texts) => this.#page.results(this.#message, texts));
  #note = make('p', {className: 'note figures-note'});
  #problem = make('div');
  #branches = make('span', {className: 'branches'});
  #tools = make('div', {className: 'tools'});
  #editing = false;
  #problemShown = null;

  constructor(message, page) {
    this.#message = message;
    this.#page = page;
    const own = message.role === 'user', tool = message.role === 'tool';
    this.node = make('li', {className: `message ${own ? 'asked' : tool ? 'gave' : 'told'}`});
    const name = make('h2', {className: 'hidden', textContent: own ? 'You' : tool ? 'Result of a tool' : 'Answer'});
    this.#problem.setAttribute('role', 'alert');
    this.node.append(name, ...(own || tool ? [this.#body] : this.#parts()), this.#problem, this.#tools);
    if (own) this.#asked();
    if (tool) this.#gave();
    const copy = copyButton(() => message.text, 'Copy');
    this.#tools.append(this.#branches, copy);
    if (own) this.#tools.append(iconButton('edit', 'Edit', () => this.#edit()));
    else if (!tool) this.#tools.append(iconButton('again', 'Answer again', () => page.again(message)), this.#note);
  }

  #parts() {
    this.#body.append(this.#markdown.node);
    this.#body.classList.add('prose');
    return [this.#calls.node, this.#body];
  }

  // update shows what a message has become, and its place: among its branches {index, count, beside}, and whether it is the last.
  update(place, running) {
    const m = this.#message;
    if (m.role === 'assistant') {
      this.#think(m);
      if (m.calls?.length) this.#calls.show(m.calls, place.last && m.state !== 'running');
      this.#markdown.show(m.text, m.state !== 'running');
      this.node.setAttribute('aria-busy', m.state === 'running');
      if ((m.problem ?? null) !== this.#problemShown) show(this.#problem, this.#problemShown = m.problem ?? null);
      this.#note.textContent = noteOf(m);
    }
    this.#tools.hidden = m.state === 'running';
    for (const button of this.#tools.querySelectorAll('.icon-button')) {
      if (['Edit', 'Answer again'].includes(button.title)) button.disabled = running;
    }
    this.#place(place);
  }

  // wait says what an answer waits for, above what has come.
  wait(text, percent) {
    let line = this.node.querySelector('.waiting');
    if (!text) {
      line?.remove();
      return;
    }
    if (!line) {
      line = make('div', {className: 'waiting note'}, make('span'), make('i'));
      this.#body.before(line);
    }
    line.firstChild.textContent = text;
    line.lastChild.style.transform = `scaleX(${percent === null ? 0 : percent / 100})`;
  }

  // focus takes it to the button with a title, or to the first.
  focus(title) {
    const buttons = [...this.#tools.querySelectorAll('button:enabled')];
    (buttons.find((b) => b.title === title) ?? buttons[0])?.focus();
  }

  #think(m) {
    if (!m.thoughts) return;
    if (!this.#thoughts) {
      this.#thoughts = make('details', {className: 'thoughts'}, make('summary'), make('div'));
      this.node.querySelector('h2').after(this.#thoughts);
    }
    const thinks = m.state === 'running' && !m.thinking?.ms;
    this.#thoughts.firstChild.textContent = thinks ? 'Thinking' : m.thinking?.ms ? `Thought for ${duration(m.thinking.ms)}` : 'Thoughts';
    grow(this.#thoughts.lastChild, m.thoughts);
  }

  #gave() {
    const {name, text} = this.#message;
    this.#body.append(make('p', {className: 'note'}, 'Result of ', make('strong', {textContent: name})), codeBlock(pretty(text) ?? text, pretty(text) ? 'json' : ''));
  }

  #asked() {
    const {text, files = []} = this.#message;
    if (files.length > 0) this.#body.append(make('ul', {className: 'files'}, ...files.map((f) => make('li', {textContent: f.name}))));
    if (text) this.#body.append(make('p', {textContent: text}));
  }

  #place({index, count: n, beside}) {
    this.#branches.hidden = n < 2;
    if (n < 2) return;
    const key = `${index}/${n}${beside}`;
    if (this.#branches.dataset.key === key) return;
    this.#branches.dataset.key = key;
    const focused = this.#branches.contains(document.activeElement) ? document.activeElement.title : null;
    const m = this.#message, step = (by) => this.#page.choose(m, index + by);
    const at = make('span', {textContent: `${index + 1}/${n}`});
    if (beside) {
      this.#branches.replaceChildren(make('button', {type: 'button', className: 'quiet', textContent: 'Go on with this', onclick: () => this.#page.choose(m, index)}));
    } else {
      const left = iconButton('left', 'The branch before', () => step(-1)), right = iconButton('right', 'The next branch', () => step(1));
      left.disabled = index === 0;
      right.disabled = index === n - 1;
      this.#branches.replaceChildren(left, at, right, ...(m.role !== 'assistant' ? [] : [iconButton('beside', 'Side by side', () => this.#page.beside(m))]));
    }
    if (focused) [...this.#branches.querySelectorAll('button')].find((b) => b.title === focused)?.focus();
  }

  #edit() {
    if (this.#editing) return;
    this.#editing = true;
    const area = make('textarea', {value: this.#message.text, rows: Math.min(12, this.#message.text.split('\n').length + 1)});
    area.setAttribute('aria-label', 'Edit the message');
    const end = () => {
      this.#editing = false;
      form.remove();
      this.#body.hidden = this.#tools.hidden = false;
      this.#tools.querySelector('[title="Edit"]').focus();
    };
    const form = make('form', {className: 'edit'}, area, make('div', {className: 'bar'},
      make('button', {type: 'submit', className: 'primary', textContent: 'Ask this'}),
      make('button', {type: 'button', textContent: 'Cancel', onclick: end})));
    form.onsubmit = (e) => {
      e.preventDefault();
      if (!area.value.trim() || this.#page.busy()) return;
      end();
      this.#page.edit(this.#message, area.value);
    };
    area.onkeydown = (e) => {
      if (e.key === 'Escape') {
        e.stopPropagation();
        end();
      } else if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
        e.preventDefault();
        form.requestSubmit();
      }
    };
    this.#body.hidden = this.#tools.hidden = true;
    this.#body.after(form);
    area.focus();
  }
}

// grow shows a text, whose beginning is mostly there.
function grow(node, text) {
  const {textContent: old} = node;
  if (text.startsWith(old)) node.append(text.slice(old.length));
  else node.textContent = text;
}

const ENDINGS = {
  stopped: 'Stopped', cut: 'Cut off when the page was left', length: 'Cut off: the most tokens are reached', failed: '', done: '', running: '',
};

// noteOf says how an answer ended, and what it took.
function noteOf({state, figures: f, model, dropped}) {
  const parts = [ENDINGS[state]];
  if (dropped) parts.push(`Without the oldest ${count(dropped, 'message')}, for which the context has no room`);
  if (f?.tokens > 0) {
    parts.push(count(f.tokens, 'token'));
    if (f.perSecond > 0) parts.push(rate(f.perSecond));
    parts.push(`prompt ${whole(f.prompt)}${f.cached > 0 ? `, ${whole(f.cached)} cached` : ''}`);
  }
  if (model) parts.push(model);
  return parts.filter(Boolean).join(' · ');
}
