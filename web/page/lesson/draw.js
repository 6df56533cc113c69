// What the lesson draws: blocks, tables, scores and vectors. All of it follows the page's colours.

import {make} from '../chat/icons.js';

// shown makes a token's text visible.
export const shown = (text) => text.replace(/\n/g, '↵').replace(/^ | $/g, '␣') || '∅';

// short is a number with as many digits as one can take in.
export function short(x) {
  if (!Number.isFinite(x)) return x < 0 ? '−∞' : '∞';
  const size = Math.abs(x), text = size !== 0 && (size < 0.001 || size >= 10000) ? x.toExponential(1) : x.toFixed(size < 10 ? 3 : 1);
  return text.replace('-', '−');
}

const hue = (n) => `var(--hue-${1 + n % 6})`;

// tokens shows a text as the model reads it, in groups of a block's size.
export function tokens(pieces, blockSize, ids, weights = null) {
  const groups = [];
  for (let first = 0; first < pieces.length; first += blockSize) {
    const group = make('li', {className: 'lesson-group'}, ...pieces.slice(first, first + blockSize).map((text, i) => {
      const piece = make('span', {className: 'lesson-token', textContent: shown(text), title: `token ${first + i + 1}${ids ? `, id ${ids[first + i]}` : ''}`});
      if (weights) piece.style.setProperty('--weight', `${Math.round(100 * Math.sqrt(weights[first + i]))}%`);
      return piece;
    }));
    group.style.setProperty('--hue', hue(groups.length));
    groups.push(group);
  }
  return make('ol', {className: 'lesson-tokens'}, ...groups);
}

// block shows one block of the cache: its number, how many of its slots are taken, and whether others have it, too.
function block(id, taken, size, n, {shared = false, state = ''} = {}) {
  const slots = Array.from({length: size}, (_, i) => make('i', {className: i < taken ? 'taken' : ''}));
  const node = make('li', {className: `lesson-block ${state} ${shared ? 'shared' : ''}`}, make('b', {textContent: id || '–'}), make('span', {className: 'slots'}, ...slots));
  node.style.setProperty('--hue', hue(n));
  return node;
}

// table shows a block table: a row of blocks in the order of the text. shared tells of each place, state of each what it is now.
export function table(ids, length, size, {shared = () => false, state = () => ''} = {}) {
  return make('ol', {className: 'lesson-table'}, ...ids.map((id, n) =>
    block(id, Math.max(0, Math.min(size, length - n * size)), size, n, {shared: shared(n), state: state(n)})));
}

// memory shows where a table's blocks lie in the cache: a stretch of it, in the order of the numbers.
export function memory(tables, blocks) {
  const used = tables.flat().filter(Boolean), lowest = Math.min(...used), most = 96;
  const first = Math.max(1, lowest - 4), last = Math.min(blocks, Math.max(...used, first + 23) + 4);
  const cells = [];
  for (let id = first; id <= last && cells.length < most; id++) {
    const holders = tables.filter((ids) => ids.includes(id)).length;
    const cell = make('li', {className: holders > 1 ? 'held shared' : holders ? 'held' : '', textContent: holders ? id : ''});
    const owner = tables.find((ids) => ids.includes(id));
    if (owner) cell.style.setProperty('--hue', hue(owner.indexOf(id)));
    cells.push(cell);
  }
  return make('ol', {className: 'lesson-memory'}, ...cells);
}

// scores draws a tile's scores as bars over their tokens, up and down from zero, on one scale for all tiles; n is the tile's number.
export function scores(tile, pieces, [low, high], max, n) {
  const range = high - low || 1, at = (s) => (s - low) / range;
  const bars = tile.scores.map((s, i) => {
    const bar = make('li', {className: s === null ? 'unseen' : s === max ? 'most' : ''}, make('span', {className: 'bar'}, make('i')),
      make('span', {className: 'name', textContent: shown(pieces[tile.first + i])}));
    bar.style.setProperty('--from', at(Math.min(0, s ?? 0)));
    bar.style.setProperty('--size', Math.abs(s ?? 0) / range);
    return bar;
  });
  const chart = make('ol', {className: 'lesson-scores'}, ...bars);
  for (const [name, value] of [['--max', at(max)], ['--zero', at(0)], ['--hue', hue(n)]]) chart.style.setProperty(name, value);
  return chart;
}

// vector draws numbers as cells, of one hue above zero and of another below; most is the largest of all that are compared.
export function vector(list, most, label) {
  const cells = Array.from(list, (x) => {
    const cell = make('i', {className: x < 0 ? 'below' : ''});
    cell.style.setProperty('--share', `${Math.round(100 * Math.min(1, Math.abs(x) / (most || 1)))}%`);
    return cell;
  });
  const strip = make('div', {className: 'lesson-vector'}, ...cells);
  strip.setAttribute('role', 'img');
  strip.setAttribute('aria-label', label);
  return strip;
}

// paren puts a number below zero into parentheses, to be taken away from another.
export const paren = (x) => (x < 0 ? `(${short(x)})` : short(x));

// figures shows what is known after a step: [name, before, after].
export function figures(list) {
  return make('dl', {className: 'lesson-figures'}, ...list.map(([name, before, after]) => make('div', {},
    make('dt', {textContent: name}),
    make('dd', {}, ...(before === null ? [] : [make('span', {textContent: before}), make('span', {className: 'arrow', textContent: ' → '})]), make('strong', {textContent: after})))));
}

// numbers is a tile as a table, for those who want to count along.
export function numbers(tile, pieces) {
  const head = make('tr', {}, ...['Token', 'Score', 'exp(score − m)'].map((name) => make('th', {textContent: name, scope: 'col'})));
  const rows = tile.scores.map((s, i) => make('tr', {}, make('th', {scope: 'row', textContent: shown(pieces[tile.first + i])}),
    ...[s === null ? '–' : short(s), s === null ? '–' : short(tile.parts[i])].map((text) => make('td', {textContent: text}))));
  return make('details', {}, make('summary', {textContent: 'In numbers'}), make('table', {className: 'lesson-numbers'}, make('thead', {}, head), make('tbody', {}, ...rows)));
}
