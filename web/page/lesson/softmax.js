// Online softmax over a look's blocks, tile by tile, in float64, and plain softmax to compare it with.

// scoresOf gives a head's scores, one a token; null for tokens that the query does not see.
export function scoresOf(look, head) {
  const {position, from, headDim, scale, softcap} = look;
  const query = look.query.subarray(head * headDim, (head + 1) * headDim);
  return Array.from({length: position + 1}, (_, token) => {
    if (token < from) return null;
    const key = keyOf(look, head, token);
    let sum = 0;
    for (let i = 0; i < headDim; i++) sum += key[i] * query[i];
    const score = scale * sum;
    return softcap ? softcap * Math.tanh(score / softcap) : score;
  });
}

// keyOf gives a token's key, as a head has it.
export function keyOf({heads, kvHeads, headDim, keys}, head, token) {
  const at = (token * kvHeads + Math.floor(head * kvHeads / heads)) * headDim;
  return keys.subarray(at, at + headDim);
}

// valuesOf gives what a token adds to a head's answer.
function valuesOf({heads, kvHeads, headDim, values}, head, token) {
  const at = (token * kvHeads + Math.floor(head * kvHeads / heads)) * headDim;
  return values.subarray(at, at + headDim);
}

// tiles walks the blocks. Each state has what was known before its tile and after: the running maximum, the sum of exponentials, and
// the accumulator, which is what came before, scaled, and what this tile adds.
export function tiles(look, head) {
  const {blockSize, headDim, sinks} = look;
  const scores = scoresOf(look, head), list = [];
  let max = -Infinity, sum = 0, out = new Float64Array(headDim);
  for (let first = 0; first < scores.length; first += blockSize) {
    const own = scores.slice(first, first + blockSize);
    const seen = own.filter((s) => s !== null);
    const before = {max, sum, out};
    max = Math.max(max, ...seen);
    const scale = sum === 0 ? 0 : Math.exp(before.max - max); // there is nothing to scale at first
    const parts = own.map((s) => (s === null ? 0 : Math.exp(s - max)));
    out = before.out.map((x) => x * scale);
    parts.forEach((part, i) => valuesOf(look, head, first + i).forEach((v, d) => { out[d] += part * v; }));
    sum = before.sum * scale + parts.reduce((a, b) => a + b, 0);
    list.push({first, scores: own, parts, before, scale, max, sum, out});
  }
  const sink = sinks.length > 0 ? sinks[head] : null;
  const total = sink === null ? sum : sum + Math.exp(sink - max);
  return {tiles: list, scores, max, sum: total, sink, out: out.map((x) => x / total)};
}

// plain takes all scores at once.
export function plain(look, head) {
  const scores = scoresOf(look, head), seen = scores.filter((s) => s !== null);
  const all = look.sinks.length > 0 ? [...seen, look.sinks[head]] : seen;
  const max = Math.max(...all), sum = all.reduce((a, s) => a + Math.exp(s - max), 0);
  const weights = scores.map((s) => (s === null ? 0 : Math.exp(s - max) / sum));
  const out = new Float64Array(look.headDim);
  weights.forEach((w, token) => valuesOf(look, head, token).forEach((v, d) => { out[d] += w * v; }));
  return {weights, out};
}

// apart is the largest difference of two vectors.
export const apart = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);

// liveliest is the head whose running maximum rises most often, and of those the one whose answer is least of one token.
export function liveliest(look) {
  const {blockSize, from, sinks} = look;
  const rank = (head) => {
    const scores = scoresOf(look, head);
    let max = -Infinity, rises = 0;
    for (let first = 0; first < scores.length; first += blockSize) {
      const most = Math.max(max, ...scores.slice(Math.max(first, from), first + blockSize));
      if (first > 0 && most > max) rises++;
      max = most;
    }
    const own = sinks.length > 0 ? Math.exp(sinks[head] - max) : 0;
    return rises - 1 / scores.slice(from).reduce((sum, s) => sum + Math.exp(s - max), own);
  };
  const ranks = Array.from({length: look.heads}, (_, head) => rank(head));
  return ranks.indexOf(Math.max(...ranks));
}
