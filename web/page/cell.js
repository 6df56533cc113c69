// Paints one block of the KV cache. Every state has a shape, a pattern or a letter beside its colour.

// TONES are how far answers' colours go from their prompt's to the paper.
export const TONES = [0, 0.3, 0.52, 0.7];
const LABELLED = 18; // pixels a cell needs for its letters
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

export const letter = (index) => LETTERS[index % LETTERS.length];

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function mix(from, to, share) {
  const target = parts(to);
  return parts(from).map((c, i) => Math.round(c + (target[i] - c) * share));
}

const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;
const dark = ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b < 140;

// Palette reads the page's colours, which follow the scheme.
export class Palette {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.hues = [1, 2, 3, 4, 5, 6].map((n) => read(`--hue-${n}`));
    [this.sheet, this.ink, this.faded, this.rule, this.edge] = ['--sheet', '--ink', '--faded', '--rule', '--edge'].map(read);
  }

  // hue is a prompt's colour; prompts count from 1.
  hue(prompt) {
    return this.hues[(prompt - 1) % this.hues.length];
  }

  // tone is an answer's colour.
  tone(prompt, index) {
    return mix(this.hue(prompt), this.sheet, TONES[index % TONES.length]);
  }
}

// paint draws a block {references, cached, prompt, index, answers, label} into a square; prompt 0 is nobody's.
export function paint(c, palette, x, y, size, block) {
  const side = size - 2;
  x += 1;
  y += 1;
  if (block.references === 0) {
    c.strokeStyle = block.cached ? palette.edge : palette.rule;
    c.lineWidth = 1;
    c.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    if (!block.cached) return;
    c.fillStyle = palette.edge;
    const dot = Math.max(2, Math.round(side / 4));
    c.fillRect(x + (side - dot) / 2, y + (side - dot) / 2, dot, dot);
    return;
  }
  const {prompt, index} = block;
  const shared = block.references > 1;
  const fill = prompt === 0 ? parts(palette.faded) : shared ? parts(palette.hue(prompt)) : palette.tone(prompt, index);
  c.fillStyle = css(fill);
  c.fillRect(x, y, side, side);
  if (shared) stripe(c, palette, x, y, side);
  c.strokeStyle = shared ? palette.ink : prompt === 0 ? palette.faded : palette.hue(prompt);
  c.lineWidth = shared ? Math.max(1.5, side / 12) : 1;
  c.strokeRect(x + c.lineWidth / 2, y + c.lineWidth / 2, side - c.lineWidth, side - c.lineWidth);
  if (size < LABELLED || prompt === 0) return;
  const text = shared ? `×${block.references}` : block.label ?? `${prompt}${block.answers > 1 ? letter(index) : ''}`;
  c.font = `600 ${Math.round(Math.min(13, side * 0.46))}px system-ui, sans-serif`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  if (shared) {
    const width = c.measureText(text).width + 4;
    const height = Math.min(side - 4, 14);
    c.fillStyle = palette.sheet;
    c.fillRect(x + (side - width) / 2, y + (side - height) / 2, width, height);
    c.fillStyle = palette.ink;
  } else {
    c.fillStyle = dark(fill) ? '#fff' : '#000';
  }
  c.fillText(text, x + side / 2, y + side / 2 + 0.5);
}

// stripe marks what is shared.
function stripe(c, palette, x, y, side) {
  c.save();
  c.beginPath();
  c.rect(x, y, side, side);
  c.clip();
  c.strokeStyle = palette.sheet;
  c.lineWidth = Math.max(1, side / 10);
  const step = Math.max(3, side / 3);
  c.beginPath();
  for (let at = step / 2; at < 2 * side; at += step) {
    c.moveTo(x + at, y);
    c.lineTo(x + at - side, y + side);
  }
  c.stroke();
  c.restore();
}

// What marks look like, in a square of side 1.
const SHAPES = {
  copied: (p) => p.arc(0.5, 0.5, 0.3, 0, 2 * Math.PI),
  evicted: (p) => line(p, [[0.2, 0.2], [0.8, 0.8]], [[0.8, 0.2], [0.2, 0.8]]),
  preempted: (p) => line(p, [[0.35, 0.18], [0.35, 0.82]], [[0.65, 0.18], [0.65, 0.82]]),
  'swapped out': (p) => line(p, [[0.5, 0.2], [0.5, 0.8]], [[0.25, 0.55], [0.5, 0.8], [0.75, 0.55]]),
  'swapped in': (p) => line(p, [[0.5, 0.8], [0.5, 0.2]], [[0.25, 0.45], [0.5, 0.2], [0.75, 0.45]]),
};

function line(path, ...strokes) {
  for (const points of strokes) points.forEach(([x, y], i) => (i === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
}

// mark draws what happened to a block over it, as strongly as alpha says.
export function mark(c, palette, x, y, size, kind, alpha) {
  const path = new Path2D();
  const shape = new Path2D();
  SHAPES[kind](shape);
  path.addPath(shape, new DOMMatrix().translate(x, y).scale(size));
  c.save();
  c.globalAlpha = alpha;
  c.fillStyle = palette.sheet;
  c.fillRect(x, y, size, size);
  c.strokeStyle = palette.ink;
  c.lineWidth = Math.max(1.5, size / 9);
  c.strokeRect(x + c.lineWidth / 2, y + c.lineWidth / 2, size - c.lineWidth, size - c.lineWidth);
  c.stroke(path);
  c.restore();
}
