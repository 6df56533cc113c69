// Numbers and sizes in words.

const UNITS = ['bytes', 'kB', 'MB', 'GB'];

// bytes writes a size with three digits at most.
export function bytes(n) {
  let unit = 0;
  while (n >= 1000 && unit < UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 ? n : n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0)} ${UNITS[unit]}`;
}

// binary writes a size of memory, in the units that its settings take.
export function binary(n) {
  if (n >= 2 ** 30) return `${(n / 2 ** 30).toFixed(2)} GiB`;
  return n >= 2 ** 20 ? `${(n / 2 ** 20).toFixed(1)} MiB` : `${(n / 2 ** 10).toFixed(1)} KiB`;
}

// count writes a whole number with its noun.
export const count = (n, noun) => `${whole(n)} ${noun}${n === 1 ? '' : 's'}`;

export const whole = (n) => n.toLocaleString('en');

// about writes a large count in millions and the like.
export function about(n) {
  for (const [unit, name] of [[1e9, 'billion'], [1e6, 'million'], [1e3, 'thousand']]) {
    if (n >= unit) return `${(n / unit).toFixed(1)} ${name}`;
  }
  return String(n);
}

export const rate = (n) => `${n < 10 ? n.toFixed(1) : Math.round(n)} tokens/s`;

export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
