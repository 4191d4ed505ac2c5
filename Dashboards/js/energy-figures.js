// How much: one card for each figure of the month, with what it is compared with and what it lacks.

import { byId, el, icon } from './dom.js';
import { change, glanceText, midMonth } from './energy-words.js';
import { factOf, figure, numberOf, reasonOf, rowsOf, tableOf, textOf } from './statement.js';
import { number, percent, t } from './words.js';

// What a figure is called, and why the gateway would leave it out of the statement.
const cards = [
  { title: 'gross', key: 'electricity_gross', absent: 'notStated' },
  { title: 'net', key: 'electricity_net', absent: 'notStated' },
  { title: 'perArea', key: 'per_area_net', absent: 'noAreaGiven' },
  { title: 'cost', key: 'energy_cost', absent: 'noTariff', lacking: lackingPrice },
  { title: 'co2', key: 'co2', absent: 'noFactor', lacking: (month) => lacking(month, 'co2', t('noFactor0')) },
];

/** Whether any carrier was counted; sums over nothing are nought, and nought would be a claim. */
function isCounted(statement) {
  const carriers = tableOf(statement, 'carriers');
  return carriers === null || carriers.rows.some((row) => numberOf(row.imported) !== null);
}

function valueOf(statement, key) {
  const sumsUp = key === 'energy_cost' || key === 'co2';
  return sumsUp && !isCounted(statement) ? null : numberOf(factOf(statement, key)?.value);
}

/** The carriers that a sum over all of them leaves out, with the reason of each; `otherwise` where none is given. */
function lacking(month, column, otherwise = t('notKnown')) {
  const reason = (cell) => (cell?.missing?.en && cell.missing.en !== 'not known' ? reasonOf(cell) : otherwise);
  return rowsOf(tableOf(month, 'carriers'))
    .filter((row) => numberOf(row[column]) === null && numberOf(row.imported) !== 0)
    .map((row) => t('without', textOf(row.carrier), numberOf(row.imported) === null ? t('none0') : reason(row[column])));
}

function lackingPrice(month) {
  const bills = month.tables.filter((table) => table.key.startsWith('tariff_energy'));
  const gaps = bills.flatMap((table) => rowsOf(table).filter((row) => numberOf(row.amount) === null).map((row) => [numberOf(row.quantity), table.columns.find((c) => c.key === 'quantity').unit]));
  return [...lacking(month, 'energy_cost'), ...gaps.filter(([amount]) => amount).map(([amount, unit]) => t('unpriced', glanceText(amount, unit)))];
}

/** One line: how the figure stands beside another month. */
function beside(now, month, which, { statement, label, problem }, isRunning) {
  const name = midMonth(label);
  const then = statement ? valueOf(statement, which.key) : null;
  if (then === null || then === 0) {
    const reason = problem ?? (then === 0 ? number(0, 0) : t('none0'));
    return el('li', { class: 'missing' }, t('noBefore', name, reason));
  }
  const known = numberOf(factOf(statement, 'completeness_percent')?.value);
  const doubt = known !== null && known < 100 ? ` (${t('onlyComplete', percent(known))})` : '';
  if (isRunning) return el('li', {}, t('soFarOf', number((now / then) * 100, 0), name), doubt);
  return el('li', {}, el('b', { class: 'num' }, change(((now - then) / Math.abs(then)) * 100)), ` ${t(month, name)}`, doubt);
}

/** How far the electricity is known, on which every card rests. */
function quality(month, which) {
  const complete = numberOf(factOf(month, 'completeness_percent')?.value);
  const estimated = numberOf(factOf(month, 'estimated_percent')?.value);
  const words = [
    complete !== null && complete < 100 ? t('onlyComplete', percent(complete)) : null,
    estimated !== null && estimated > 0 ? t('estimatedShare', percent(estimated)) : null,
  ].filter(Boolean);
  return which.lacking && words.length ? [t('electricityIs', words.join(', '))] : words;
}

function card(which, month, before, yearBefore, isRunning) {
  const fact = factOf(month, which.key);
  const value = valueOf(month, which.key);
  const lines = [];
  let shown;
  if (value === null) {
    const reason = fact === null ? t(which.absent) : isCounted(month) ? reasonOf(fact.value) : t('nothingCounted');
    shown = [el('span', { class: 'missing' }, '—')];
    lines.push(el('li', { class: 'missing' }, reason));
  } else {
    shown = [figure(fact.value, fact.unit)];
    lines.push(beside(value, 'before', which, before, isRunning), beside(value, 'yearBefore', which, yearBefore, isRunning));
  }
  const doubts = value === null ? [] : [...quality(month, which), ...(which.lacking?.(month) ?? [])];
  return el('dl', { class: 'figure' }, el('dt', {}, t(which.title)), el('dd', { class: 'value num' }, shown),
    el('dd', { class: 'more' }, el('ul', {}, lines), doubts.length ? el('p', { class: 'doubt' }, icon('warn'), doubts.join(' · ')) : null));
}

/** @param before, yearBefore `{ label, statement, problem }`; the statement is null where it could not be read. */
export function drawFigures(month, before, yearBefore, isRunning) {
  byId('figures').replaceChildren(...cards.map((which) => card(which, month, before, yearBefore, isRunning)));
}
