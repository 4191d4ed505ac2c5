// For what: the month's electricity by end use, zone, machine or price band, as bars beside their numbers.

import { byId, el } from './dom.js';
import { bar, choices, figure, numberOf, reasonOf, rowsOf, sumOf, tableOf, textOf } from './statement.js';
import { inBoth, number, t } from './words.js';

let chosen = null;
const notAssigned = '-';

/** The parts of a table of the statement: name, amount and share, the greatest first and the unassigned last. */
function partsOf(table) {
  const parts = rowsOf(table).map((row) => ({
    name: textOf(row.title), amount: row.amount, share: numberOf(row.share_percent), isRest: textOf(row.part) === notAssigned,
  }));
  return parts.toSorted((a, b) => a.isRest - b.isRest || (numberOf(b.amount) ?? -1) - (numberOf(a.amount) ?? -1));
}

/** The price bands, in the order of the bill; what has no price is grey. */
function bandsOf(table) {
  const rows = rowsOf(table);
  const whole = rows.reduce((sum, row) => sum + (numberOf(row.quantity) ?? 0), 0);
  const several = new Set(rows.filter((row) => row.table.text).map((row) => textOf(row.table))).size > 1;
  return rows.map((row) => ({
    name: several && row.table.text ? `${textOf(row.band)} · ${textOf(row.table)}` : textOf(row.band),
    amount: row.quantity, share: whole && numberOf(row.quantity) !== null ? (numberOf(row.quantity) / whole) * 100 : null,
    isRest: numberOf(row.amount) === null, price: row.price, cost: row.amount,
  }));
}

function views(month) {
  const list = new Map();
  for (const key of ['items', 'zones', 'machines']) {
    const table = tableOf(month, key);
    if (table) list.set(key, { title: inBoth(table.title), parts: partsOf(table), total: sumOf(table)?.amount });
  }
  const bill = tableOf(month, 'tariff_energy_electricity');
  if (bill && rowsOf(bill).length) list.set('bands', { title: inBoth(bill.title), parts: bandsOf(bill), hasCost: true, costUnit: bill.columns.find((c) => c.key === 'amount').unit });
  return list;
}

/** A band without a price has the reason as its name already. */
const costOf = (part, unit) => (numberOf(part.cost) === null ? el('span', { class: 'missing', title: reasonOf(part.cost) }, '—') : figure(part.cost, unit));

function row(part, view, longest) {
  const amount = numberOf(part.amount);
  const look = `${part.isRest ? 'rest' : ''} ${part.amount?.estimated ? 'hatched' : ''}`;
  const width = amount === null || longest === 0 ? 0 : (Math.max(0, amount) / longest) * 100;
  return el('tr', { class: part.isRest ? 'rest' : null },
    el('th', { scope: 'row' }, part.name),
    el('td', { class: 'track', 'aria-hidden': 'true' }, amount === null ? null : bar(width, look)),
    el('td', { class: 'right' }, figure(part.amount, 'kWh')),
    el('td', { class: 'right num share' }, amount === null || part.share === null ? '' : `${number(part.share, 1)}\u00a0%`),
    view.hasCost ? el('td', { class: 'right cost' }, costOf(part, view.costUnit)) : null);
}

export function drawUses(month) {
  const list = views(month);
  const keys = [...list.keys()];
  if (!list.has(chosen)) chosen = keys[0] ?? null;
  choices(byId('uses-choice'), keys, chosen, 'by_', (key) => { chosen = key; drawUses(month); });
  if (chosen === null) return byId('uses').replaceChildren(el('p', { class: 'muted' }, t('noSplit')));
  const view = list.get(chosen);
  const longest = Math.max(0, ...view.parts.map((p) => numberOf(p.amount) ?? 0));
  const total = numberOf(view.total) === null ? null : el('p', { class: 'note num' }, `${t('total')} `, figure(view.total, 'kWh'));
  const hasEstimate = view.parts.some((p) => p.amount?.estimated);
  byId('uses').replaceChildren(
    el('table', { class: `uses-table${view.hasCost ? ' with-cost' : ''}` },
      el('caption', { class: 'for-readers' }, view.title),
      el('thead', { class: 'for-readers' }, el('tr', {}, ['part', 'amount', 'share', ...(view.hasCost ? ['cost'] : [])].map((key) => el('th', { scope: 'col' }, t(key))))),
      el('tbody', {}, view.parts.map((part) => row(part, view, longest)))),
    ...[total, hasEstimate ? el('p', { class: 'note' }, t('estimatedNote')) : null].filter(Boolean));
}
