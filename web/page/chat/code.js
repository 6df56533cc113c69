// Code to be read and copied.

import {iconButton, make} from './icons.js';

// codeBlock shows code under its language.
export function codeBlock(text, language) {
  const place = make('pre', {tabIndex: 0}, make('code', {textContent: text}));
  place.setAttribute('aria-label', language ? `Code, ${language}` : 'Code');
  place.setAttribute('role', 'group');
  const bar = make('div', {className: 'code-bar'}, make('span', {textContent: language || 'text'}), copyButton(() => place.textContent, 'Copy the code'));
  return make('div', {className: 'code'}, bar, place);
}

// copy tells whether a text is on the clipboard, which pages that did not come securely have not.
export const copy = async (text) => navigator.clipboard?.writeText(text).then(() => true, () => false) ?? false;

// copyButton copies a text and says so for a moment.
export function copyButton(text, label) {
  const button = iconButton('copy', label, async () => {
    const copied = await copy(text());
    const [now] = [iconButton(copied ? 'check' : 'close', label)];
    button.replaceChildren(...now.childNodes);
    button.setAttribute('aria-label', copied ? 'Copied' : 'It could not be copied');
    setTimeout(() => {
      button.replaceChildren(...iconButton('copy', label).childNodes);
      button.setAttribute('aria-label', label);
    }, 1500);
  });
  return button;
}
