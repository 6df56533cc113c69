// Small pictures of what buttons do, in strokes of one width.

const PATHS = {
  plus: ['M12 5v14M5 12h14'],
  send: ['M12 19V5M6 11l6-6 6 6'],
  stop: ['M7 7h10v10H7z'],
  copy: ['M9 9h10v10H9z', 'M5 15V5h10'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  again: ['M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4'],
  edit: ['M5 19l1-4L16 5l3 3L9 18z'],
  left: ['M14 6l-6 6 6 6'],
  right: ['M10 6l6 6-6 6'],
  beside: ['M4 5h16v14H4zM12 5v14'],
  clip: ['M18 11l-6.5 6.5a4 4 0 0 1-5.7-5.7L13 4.6a2.7 2.7 0 0 1 3.8 3.8L9.700 15.5a1.300 1.300 0 0 1-1.900-1.900L14 7.500'],
  sliders: ['M4 8h9M17 8h3M4 16h3M11 16h9', 'M15 6v4M9 14v4'],
  menu: ['M4 7h16M4 12h16M4 17h16'],
  bin: ['M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12'],
  save: ['M12 4v11M7 10l5 5 5-5M5 20h14'],
  load: ['M12 15V4M7 9l5-5 5 5M5 20h14'],
  close: ['M6 6l12 12M18 6L6 18'],
};

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

// iconButton makes a button with a picture and a name.
export function iconButton(name, label, act) {
  const button = make('button', {type: 'button', className: 'icon-button', title: label, onclick: act}, icon(name));
  button.setAttribute('aria-label', label);
  return button;
}

// make makes an element with properties and children.
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
