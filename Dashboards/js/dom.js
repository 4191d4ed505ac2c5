// Small pieces of markup, built without innerHTML, so that a device's name can never be code.

const svgSpace = 'http://www.w3.org/2000/svg';

/** An element with properties (`class`, `title`, `data-…`) and children; null children are left out. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'class') element.className = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(name, properties = {}, ...children) {
  const element = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(properties)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const shapes = {
  ok: ['M20 6 9 17l-5-5'],
  warn: ['M12 9v4', 'M12 17h.01', 'M10.3 3.9 1.8 18a2 2 0 0 0 1.7 3h17a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z'],
  bad: ['M18 6 6 18', 'M6 6l12 12'],
  alarm: ['M12 8v5', 'M12 16.5h.01', 'M7.9 2h8.2L22 7.9v8.2L16.1 22H7.9L2 16.1V7.9z'],
  info: ['M12 11v6', 'M12 7.5h.01', 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z'],
  silent: ['M11 5 6 9H3v6h3l5 4z', 'M22 9l-6 6', 'M16 9l6 6'],
  never: ['M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z', 'M8 12h8'],
};

export function icon(name) {
  const drawing = svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' });
  for (const d of shapes[name] ?? shapes.info) drawing.append(svg('path', { d }));
  return drawing;
}

/** A piece of line as the chart draws it, for legends. */
export function swatch(colour, dash = []) {
  const line = svg('line', { x1: 1, y1: 5, x2: 27, y2: 5, stroke: colour, 'stroke-width': 3 });
  if (dash.length) line.setAttribute('stroke-dasharray', dash.join(' '));
  return svg('svg', { viewBox: '0 0 28 10', 'aria-hidden': 'true' }, line);
}

export function box(colour) {
  return svg('svg', { viewBox: '0 0 28 10', 'aria-hidden': 'true' }, svg('rect', { x: 8, y: 0, width: 10, height: 10, rx: 2, fill: colour }));
}

const looks = new WeakMap();
const nameOf = (element) => `${element.tagName} ${JSON.stringify({ ...element.dataset })}`;

/** Puts nodes into a place unless it looks like them already, and keeps the place of who goes by keyboard. */
export function show(place, ...nodes) {
  const look = nodes.flat(Infinity).map((node) => node.outerHTML ?? node).join('');
  if (looks.get(place) === look && place.childNodes.length > 0) return;
  looks.set(place, look);
  const held = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  place.replaceChildren(...nodes.flat(Infinity));
  if (held) [...place.querySelectorAll('[tabindex], button, a, input')].find((element) => nameOf(element) === held)?.focus({ preventScroll: true });
}

export const byId = (id) => document.getElementById(id);
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** How severe a severity word is: the class and icon that go with it. */
export function severityLook(severity) {
  if (['critical', 'urgent', 'high', 'alarm'].includes(severity)) return { look: 'is-bad', icon: 'alarm' };
  if (['warning', 'medium'].includes(severity)) return { look: 'is-warn', icon: 'warn' };
  return { look: 'is-info', icon: 'info' };
}

export const stateLook = {
  ok: { tag: 'is-ok', card: '', icon: 'ok' },
  stale: { tag: 'is-warn', card: 'warn', icon: 'warn' },
  dead: { tag: 'is-bad', card: 'bad', icon: 'bad' },
  silent: { tag: 'is-bad', card: 'bad', icon: 'silent' },
  never: { tag: 'is-quiet', card: 'quiet', icon: 'never' },
};
