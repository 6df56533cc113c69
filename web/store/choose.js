import {Fault} from '../gpu/fault.js';
import {isModelFile, written} from './name.js';

// Which files of a repository a name means, as "quire pull" has it.

const PART = /-(\d{5})-of-(\d{5})\.gguf$/i;
const QUANT = /(?:^|[-._/ ])((?:UD-)?(?:(?:IQ|TQ|Q)\d(?:_[A-Z0-9]+)*|BF16|F16|F32|FP16|FP32|MXFP4(?:_[A-Z0-9]+)*|NVFP4))(?=[-._/ ]|$)/gi;

// What is taken where no quantization is named, the best first.
const PREFERRED = ['Q4_K_M', 'Q4_K_S', 'Q4_K_L', 'UD-Q4_K_XL', 'Q4_0', 'IQ4_XS', 'IQ4_NL', 'Q4_1', 'MXFP4', 'MXFP4_MOE', 'Q5_K_M', 'Q5_K_S',
  'Q5_0', 'Q5_1', 'Q6_K', 'Q8_0', 'Q3_K_L', 'Q3_K_M', 'Q3_K_S', 'BF16', 'F16', 'F32'];

const MOST = 40; // named in an error

const baseOf = (path) => path.slice(path.lastIndexOf('/') + 1);

/** Finds the quantization in a file's name, or else in its folder's. */
function quantOf(path) {
  const stem = path.replace(PART, '').replace(/\.gguf$/i, '');
  for (const text of [baseOf(stem), stem.slice(0, Math.max(0, stem.lastIndexOf('/')))]) {
    const found = [...text.matchAll(QUANT)].at(-1);
    if (found) return same(found[1]);
  }
  return '';
}

// same gives a quantization one spelling.
const same = (quant) => quant.toUpperCase().replaceAll('FP16', 'F16').replaceAll('FP32', 'F32');

// A projector, or an importance matrix, which models that were made with it are named after.
function isBeside(path) {
  const name = baseOf(path).toLowerCase();
  return name.includes('mmproj') || (name.includes('imatrix') && quantOf(name) === '');
}

// variants sorts files into models: {quant, parts, files}.
function variants(files) {
  const all = new Map();
  for (const file of files) {
    if (!isModelFile(file.path) || isBeside(file.path)) continue;
    const mark = PART.exec(file.path);
    const stem = (mark ? `${file.path.slice(0, mark.index)}-of-${mark[2]}` : file.path).toLowerCase();
    if (!all.has(stem)) all.set(stem, {quant: quantOf(file.path), parts: mark ? Number(mark[2]) : 1, files: []});
    all.get(stem).files.push(file);
  }
  for (const {files} of all.values()) files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return [...all.values()];
}

// matching are the models of a quantization: by its whole name, or else as a part of the file's name, which may go on before it.
function matching(all, text) {
  const quant = same(text), end = quantOf(quant);
  const escaped = quant.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const part = new RegExp(`(^|[^A-Za-z0-9])${escaped}([^A-Za-z0-9_]|$)`, 'i');
  const exact = all.filter((v) => v.quant === quant);
  return exact.length > 0 ? exact : all.filter((v) => part.test(v.quant) || (v.quant === end && part.test(v.files[0].path)));
}

// offers lists models by what one would write.
function offers(name, all) {
  const few = (v) => v.quant && all.filter(({quant}) => quant === v.quant).length === 1;
  const names = all.map((v) => written({...name, ...(few(v) ? {file: '', quant: v.quant} : {file: v.files[0].path})})).sort();
  return `${[...names.slice(0, MOST), ...(names.length > MOST ? [`and ${names.length - MOST} more`] : [])].join(', ')}`;
}

/** Gives the files that a name means, in order. */
export function choose(name, files) {
  const refuse = (reason) => { throw new Fault(written(name), 'ErrNotFound', reason); };
  const all = variants(files);
  if (all.length === 0) refuse('there is no GGUF file in this repository. Many models are in a repository of their own as GGUF, often called owner/repo-GGUF');
  let found = all;
  if (name.quant) {
    found = matching(all, name.quant);
    if (found.length === 0) refuse(`the repository has no ${name.quant}. There are ${offers(name, all)}`);
  } else if (all.length > 1) {
    found = PREFERRED.map((quant) => matching(all, quant)).find((some) => some.length > 0) ?? all;
  }
  for (const better of [(v) => v.parts === 1, (v) => !v.files[0].path.includes('/')]) {
    if (found.some(better)) found = found.filter(better);
  }
  if (found.length > 1) refuse(`the repository has several such models. Name one of ${offers(name, found)}`);
  const [{files: chosen, parts}] = found;
  const missing = namesOf(chosen[0].path).findIndex((path) => !chosen.some((file) => file.path === path));
  if (chosen.length !== parts && missing >= 0) {
    refuse(`the model lies in ${parts} files, and number ${missing + 1} of them, ${namesOf(chosen[0].path)[missing]}, is not in the repository`);
  }
  return chosen;
}

/** Gives the names of all files of a model of which one is named. */
export function namesOf(path) {
  const mark = PART.exec(path);
  if (!mark || Number(mark[1]) < 1 || Number(mark[1]) > Number(mark[2])) return [path];
  const digits = (n) => String(n).padStart(5, '0');
  return Array.from({length: Number(mark[2])}, (_, i) => path.replace(PART, (all) => `-${digits(i + 1)}${all.slice(6)}`));
}
