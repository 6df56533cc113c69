// Reads the form's lists.

import {QuireError} from '../quire.js';

const refuse = (message) => { throw new QuireError({name: 'ErrBadRequest', message}); };

const wholes = (name, text) => text.split(/[\s,]+/).filter(Boolean).map((part) => {
  if (!/^[1-9]\d{0,8}$/.test(part)) refuse(`${name}: “${part}” is no whole number above 0.`);
  return Number(part);
});

function heads(text) {
  if (text.trim() === '') return {query: 0, kv: 0};
  const found = /^\s*([1-9]\d{0,4})\s*(?:\/\s*([1-9]\d{0,4})\s*)?$/.exec(text) ?? refuse('Heads: give a count above 0, or two as in 32/8.');
  return {query: Number(found[1]), kv: Number(found[2] ?? found[1])};
}

// readPlan gives the plan that a form asks for, as package attend takes it.
export function readPlan(form) {
  const value = (id) => form.elements[id].value;
  const kinds = [...form.elements.kind].filter((box) => box.checked).map((box) => box.value);
  if (kinds.length === 0) refuse('Choose at least one thing to measure.');
  const variants = value('variant').split(/[\s,]+/).filter(Boolean);
  const h = heads(value('heads')), batches = wholes('Sequences', value('batches'));
  return {
    kinds, lengths: wholes('Lengths', value('lengths')), contexts: wholes('Decode contexts', value('contexts')),
    headDims: wholes('Head dims', value('head-dims')), heads: h, decodeHeads: h, batches, decodeBatches: batches, full: value('mask') === 'full',
    kvType: value('kv-type'), forwardKVType: value('kv-type'), variants,
  };
}
