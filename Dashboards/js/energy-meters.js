// Meter by meter: the tree with each amount, its share of the one above, and what those below leave unaccounted.

import { byId, el, icon } from './dom.js';
import { change, glanceText } from './energy-words.js';
import { factOf, figure, numberOf, reasonOf, rowsOf, tableOf, textOf } from './statement.js';
import { number, percent, t } from './words.js';

/** From where on, in per cent, something is worth a look, as the statement says; null where the site has not said. */
function lookAt(month, key) {
  const value = Number.parseFloat(textOf(factOf(month, `${key}_percent`)?.value));
  return Number.isFinite(value) ? value : null;
}

/** How deep each meter stands below a root. */
function depths(rows) {
  const parents = new Map(rows.map((row) => [textOf(row.meter), textOf(row.parent)]));
  const depth = (id, seen = 0) => (parents.get(id) && seen < rows.length ? 1 + depth(parents.get(id), seen + 1) : 0);
  return new Map([...parents.keys()].map((id) => [id, depth(id)]));
}

function unaccounted(balance, worthALook) {
  if (!balance) return '';
  const share = numberOf(balance.unaccounted_percent);
  if (share === null) return el('span', { class: 'missing' }, `— ${reasonOf(balance.unaccounted_percent)}`);
  const amount = numberOf(balance.unaccounted);
  const title = amount === null ? null : glanceText(amount, textOf(balance.unit));
  if (share < 0) return el('span', { class: 'tag is-bad num', title }, icon('alarm'), `${t('belowMore')} ${number(-share, 1)} %`);
  if (worthALook !== null && share > worthALook) return el('span', { class: 'tag is-warn num', title }, icon('warn'), `${number(share, 1)} %`);
  return el('span', { class: 'num', title }, `${number(share, 1)} %`);
}

function completeness(row, hardlyComplete) {
  const complete = numberOf(row.completeness_percent);
  const estimated = numberOf(row.estimated_percent);
  const parts = [];
  if (complete === null) parts.push(el('span', { class: 'missing' }, `— ${reasonOf(row.completeness_percent)}`));
  else if (hardlyComplete !== null && complete < hardlyComplete) parts.push(el('span', { class: 'tag is-warn num' }, icon('warn'), `${percent(complete)} %`));
  else parts.push(el('span', { class: 'num' }, `${complete < 100 ? percent(complete) : '100'} %`));
  if (estimated > 0) parts.push(el('span', { class: 'muted num' }, ` ${t('ownPlus', percent(estimated))}`));
  return parts;
}

function changed(cell) {
  const value = numberOf(cell);
  return value === null ? el('span', { class: 'missing' }, `— ${reasonOf(cell)}`) : el('span', { class: 'num' }, change(value));
}

export function drawMeters(month, isRunning) {
  const rows = rowsOf(tableOf(month, 'meters'));
  if (rows.length === 0) return byId('meters').replaceChildren(el('p', { class: 'muted' }, t('noMeters')));
  const balances = new Map(rowsOf(tableOf(month, 'balances')).map((row) => [textOf(row.meter), row]));
  const depth = depths(rows);
  const [worthALook, hardlyComplete] = [lookAt(month, 'look_unaccounted'), lookAt(month, 'look_complete')];
  const columns = [
    ['amount', (row) => figure(row.amount, textOf(row.unit))],
    ['ofParent', (row) => (numberOf(row.share_percent) === null ? '' : el('span', { class: 'num' }, `${number(numberOf(row.share_percent), 1)} %`))],
    ...(isRunning ? [] : [['againstBefore', (row) => changed(row.before_change_percent)], ['againstYear', (row) => changed(row.year_change_percent)]]),
    ['unaccounted', (row) => unaccounted(balances.get(textOf(row.meter)), worthALook)],
    ['complete', (row) => completeness(row, hardlyComplete)],
  ];
  const body = rows.map((row) => {
    const level = Math.min(depth.get(textOf(row.meter)), 6);
    const name = textOf(row.title);
    return el('tr', { class: level === 0 ? 'root' : null },
      el('th', { scope: 'row', class: `level-${level}` }, name, name === textOf(row.meter) ? null : el('small', { class: 'muted' }, ` ${textOf(row.meter)}`)),
      columns.map(([key, draw]) => {
        const shown = draw(row);
        return el('td', { class: `right ${key}${shown === '' ? ' none' : ''}`, 'data-label': t(key) }, shown);
      }));
  });
  byId('meters').replaceChildren(
    el('table', { class: 'tree' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('meteringPoint')), columns.map(([key]) => el('th', { scope: 'col', class: 'right' }, t(key))))),
      el('tbody', {}, body)),
    el('p', { class: 'note' }, worthALook === null ? '' : t('unaccountedNote', number(worthALook, 0)), isRunning ? ` ${t('metersNote')}` : ''));
}
