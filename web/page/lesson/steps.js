// The lesson's steps. Each is {title, text, nodes()}: what a reader is told, and what is drawn.

import {count, whole} from '../format.js';
import {figures, memory, numbers, paren, scores, short, table, tokens, vector} from './draw.js';
import {apart, keyOf, plain, scoresOf, tiles} from './softmax.js';

// stepsOf gives the steps for a look {look, pieces, begun: {look, pieces}, head, blocks}: pieces are the tokens' texts.
export function stepsOf(lesson) {
  const walk = tiles(lesson.look, lesson.head);
  walk.large = Math.max(...walk.tiles.map(({out}) => Math.max(...out.map(Math.abs))));
  return [reads(lesson), pages(lesson), shares(lesson), asks(lesson), ...walk.tiles.map((tile, n) => takes(lesson, walk, tile, n)), divides(lesson, walk)];
}

function reads({look, pieces}) {
  const {blockSize: size} = look, n = pieces.length;
  return {
    title: 'Text becomes tokens',
    text: `The model reads ${count(n, 'token')}. For each it computes, in every layer, a key and a value, which later tokens come back to. They are kept in blocks of ${size}: here ${count(Math.ceil(n / size), 'block')}.`,
    nodes: () => [tokens(pieces, size, look.promptIds)],
  };
}

function pages({begun: {look}, blocks}) {
  const [ids] = look.tables, {blockSize: size} = look, n = look.position + 1;
  return {
    title: 'Blocks lie anywhere',
    text: `The sequence has a block table: ${ids.slice(0, Math.ceil(n / size)).map((id) => id || 'none').join(', ')}. Its blocks were free when they were needed, and need not lie together. Nothing is reserved ahead, so at most ${size - 1} slots of a sequence are idle.`,
    nodes: () => [named('Block table, in the order of the text', table(ids.slice(0, Math.ceil(n / size)), n, size)),
      named(`Memory: ${whole(blocks)} blocks, a stretch of them`, memory([ids.slice(0, Math.ceil(n / size))], blocks))],
  };
}

function shares({begun: {look, pieces}, blocks}) {
  const [a, b] = look.tables, {blockSize: size} = look, n = look.position + 1;
  const same = (i) => a[i] === b[i], common = a.filter((id, i) => id === b[i]).length;
  const copied = a.findIndex((id, i) => id !== b[i] && i * size < n);
  const end = copied < 0 ? 'The prompt ends with a full block, so that each answer begins with a new one.'
    : `The last block was not full. Both answers write there, so one of them took a copy: ${a[copied]} and ${b[copied]}.`;
  const said = (i) => `Answer ${'ab'[i]}: ${pieces[i] ? `“${pieces[i].trim()}…”` : 'begins'}`;
  return {
    title: 'A fork shares what was read',
    text: `Two answers to one prompt: both tables name the same ${common === 1 ? 'block' : `${common} blocks`} of it, which are counted, not copied. ${end} Another request that begins with this text finds its whole blocks in the same way.`,
    nodes: () => [...[a, b].map((ids, i) => named(said(i), table(ids, n + 1, size, {shared: same}))), named('In memory; striped blocks are in both tables', memory([a, b], blocks))],
  };
}

function asks({look, pieces, head}) {
  const {headDim: d, position, heads, kvHeads, layer, scale, softcap} = look;
  const q = look.query.subarray(head * d, (head + 1) * d), all = scoresOf(look, head);
  const best = all.indexOf(Math.max(...all.filter((x) => x !== null))), word = pieces[best].trim() || pieces[best];
  const key = keyOf(look, head, best), products = q.map((x, i) => x * key[i]), sum = products.reduce((a, b) => a + b, 0);
  const strip = (list) => vector(list, Math.max(...list.map(Math.abs)), `${d} numbers from ${short(Math.min(...list))} to ${short(Math.max(...list))}`);
  const group = heads === kvHeads ? '' : ` ${heads / kvHeads} heads share each key.`;
  return {
    title: 'A query asks all keys',
    text: `In layer ${layer + 1}, head ${head + 1} of ${heads} makes a query of the token “${pieces[position].trim() || pieces[position]}”: ${d} numbers.${group} A token’s score is its key times this query, all ${d} products added up, times ${short(scale)}${softcap ? `, kept within ±${softcap}` : ''}. Softmax makes shares of the scores: it needs the largest of them, and the sum of all exponentials. So that no score has to be written down, blocks are taken one by one, and both are kept as far as they are known.`,
    nodes: () => [named('The query', strip(q)), named(`The key of “${word}”`, strip(key)), named(`Their products, ${d} of them: times ${short(scale)} they add up to ${short(scale * sum)}`, strip(products))],
  };
}

// takes is one tile: a block's keys and values.
function takes({look, pieces, begun}, walk, tile, n) {
  const {blockSize: size, position} = look, [ids] = begun.look.tables;
  const seen = walk.scores.filter((s) => s !== null), range = [Math.min(...seen, 0), Math.max(...seen, 0)];
  const place = `Tile ${n + 1} of ${walk.tiles.length}, block ${look.tables[0][n] || 'none'}`;
  const blank = tile.scores.every((s) => s === null);
  const most = tile.scores.indexOf(Math.max(...tile.scores.filter((s) => s !== null)));
  const rises = tile.max > tile.before.max, first = tile.before.sum === 0;
  const change = first ? `The largest score so far is ${short(tile.max)}, at “${pieces[tile.first + most]?.trim()}”.`
    : rises ? `“${pieces[tile.first + most].trim()}” has a larger score than all before: m rises to ${short(tile.max)}. What was added up counted from the old maximum, so it is scaled by exp(${short(tile.before.max)} − ${paren(tile.max)}) = ${short(tile.scale)}.`
      : `No score is above the running maximum of ${short(tile.max)}, so what was added up stays as it is.`;
  return {
    title: place,
    text: blank ? `Tokens ${tile.first + 1} to ${Math.min(tile.first + size, position + 1)} are out of this layer’s window: the block was given back, and is passed over.`
      : `Tokens ${tile.first + 1} to ${tile.first + tile.scores.length}. ${change} Each value joins the accumulator by exp(score − m), and ℓ is now ${short(tile.sum)}.`,
    nodes: () => [
      table(look.tables[0].slice(0, walk.tiles.length), position + 1, size, {state: (i) => (i < n ? 'done' : i === n ? 'now' : 'later')}),
      ...(blank ? [] : [
        scores(tile, pieces, range, tile.max, n),
        figures([['Running maximum, m', first ? null : short(tile.before.max), short(tile.max)], ['Scale of what was', null, first ? '–' : `× ${short(tile.scale)}`], ['Running sum, ℓ', first ? null : short(tile.before.sum), short(tile.sum)]]),
        named('Accumulator before, scaled', vector(tile.before.out.map((x) => x * tile.scale), walk.large, 'The accumulator before this tile, scaled')),
        named('and with this tile', vector(tile.out, walk.large, 'The accumulator with this tile')),
        numbers(tile, pieces),
      ]),
    ],
  };
}

function divides({look, pieces, head}, walk) {
  const {headDim: d} = look, whole = plain(look, head), kernel = look.out.subarray(head * d, (head + 1) * d);
  const most = Math.max(...Array.from(walk.out, Math.abs));
  const sink = walk.sink === null ? '' : ` This model adds a sink of ${short(walk.sink)} to the sum, which has no value.`;
  const best = whole.weights.indexOf(Math.max(...whole.weights));
  return {
    title: 'Divided once, at the end',
    text: `The accumulator divided by ℓ = ${short(walk.sum)} is the head’s answer.${sink} Plain softmax over all ${look.position + 1 - look.from} scores at once differs by at most ${apart(walk.out, whole.out).toExponential(1)}, and what the GPU has computed by ${apart(walk.out, kernel).toExponential(1)}. Most of it, ${Math.round(100 * whole.weights[best])} %, comes from “${pieces[best].trim() || pieces[best]}”.`,
    nodes: () => [
      named('How much of each token is in the answer', tokens(pieces, look.blockSize, look.promptIds, whole.weights)),
      named('Online, tile by tile', vector(walk.out, most, 'The answer, tile by tile')),
      named('Plain softmax', vector(whole.out, most, 'The answer by plain softmax')),
      named('The GPU, as this model runs', vector(kernel, most, 'The answer of the GPU')),
    ],
  };
}

// named puts a caption above what is drawn.
function named(caption, node) {
  const figure = document.createElement('figure');
  figure.className = 'lesson-figure';
  const line = document.createElement('figcaption');
  line.className = 'note';
  line.textContent = caption;
  figure.append(line, node);
  return figure;
}
