// Reads statements of the gateway: facts and tables by their keys, cells with their reasons.

import { el } from './dom.js';
import { exact, glance, unitName } from './energy-words.js';
import { inBoth, stampWithYear, t } from './words.js';

export const factOf = (statement, key) => statement?.facts.find((fact) => fact.key === key) ?? null;
export const tableOf = (statement, key) => statement?.tables.find((table) => table.key === key) ?? null;

/** The number of a cell; null where nobody knows, never 0 instead. */
export const numberOf = (cell) => (typeof cell?.value === 'number' ? cell.value : null);
export const textOf = (cell) => inBoth(cell?.text);
/** Why a cell has no number. */
export const reasonOf = (cell) => inBoth(cell?.missing) || t('notKnown');

/** The rows of a table that are no sums, and the first that is one. */
export const rowsOf = (table) => (table?.rows ?? []).filter((_, i) => !table.sums.includes(i));
export const sumOf = (table) => (table?.sums.length ? table.rows[table.sums[0]] : null);

/** A number on which a click tells how it came about, or the reason why there is none. */
export function figure(cell, unit, { withUnit = true } = {}) {
  const value = numberOf(cell);
  if (value === null) return el('span', { class: 'missing' }, `— ${reasonOf(cell)}`);
  const shown = glance(value, unit);
  const parts = [cell.estimated ? '≈ ' : null, shown.text, withUnit && shown.unit ? el('small', {}, ` ${shown.unit}`) : null];
  const title = `${exact(value, unit)}${cell.estimated ? ` · ${t('estimated')}` : ''}`;
  if (!cell.trace) return el('span', { class: 'num', title }, parts);
  return el('button', { type: 'button', class: 'trace num', title: `${title} · ${t('howItCame')}`, 'data-trace': cell.trace }, parts);
}

const instants = /\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)/g;
const isInstant = (text) => text.replace(instants, '') === '' && text !== '';
/** A text with its instants as people write them. */
export const readable = (text) => text.replace(instants, (at) => stampWithYear(Date.parse(at)));

function plain(cell, column) {
  const text = inBoth(cell.text);
  if (isInstant(text)) return readable(text);
  if (cell.text) return column?.number === undefined && column?.unit ? `${text} ${unitName(column.unit)}` : text;
  const value = numberOf(cell);
  if (value === null) return el('span', { class: 'missing' }, `— ${reasonOf(cell)}`);
  return `${cell.estimated ? '≈ ' : ''}${exact(value, column?.unit ?? '')}`;
}

/** Words may break into lines; numbers and instants never do. */
const looksOf = (cell, column) => (column.number ? 'right num' : isInstant(inBoth(cell.text)) ? 'num' : null);

/** A table of a statement as it stands, every column; for the details behind a figure. */
export function wholeTable(table) {
  const heads = table.columns.map((c) => el('th', { scope: 'col', class: c.number ? 'right' : null }, inBoth(c.title)));
  const rows = table.rows.map((row) => el('tr', {}, table.columns.map((c) => el('td', { class: looksOf(row[c.key], c) }, plain(row[c.key], c)))));
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { colspan: String(table.columns.length) }, t('nothingHere'))));
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': inBoth(table.title) },
    el('table', { class: 'plain' }, el('caption', {}, inBoth(table.title)), el('thead', {}, el('tr', {}, heads)), el('tbody', {}, rows)));
}

export function wholeFacts(facts) {
  return el('dl', { class: 'facts' }, facts.map((fact) => el('div', {}, el('dt', {}, inBoth(fact.title)), el('dd', { class: 'num' }, plain(fact.value, fact)))));
}

/** A bar of a width in per cent, set from script because the page's policy forbids style attributes. */
export function bar(share, look = '', from = 0) {
  const element = el('span', { class: `bar ${look}` });
  element.style.left = `${Math.max(0, Math.min(100, from))}%`;
  element.style.width = `${Math.max(0, Math.min(100 - from, share))}%`;
  return element;
}

/** Buttons of which one is chosen. */
export function choices(place, keys, chosen, prefix, choose) {
  place.replaceChildren(...keys.map((key) => {
    const button = el('button', { type: 'button', 'aria-pressed': String(key === chosen) }, t(prefix + key));
    button.addEventListener('click', () => choose(key));
    return button;
  }));
  place.hidden = keys.length < 2;
}
