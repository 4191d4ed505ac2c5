// Will the quota hold: for each one bar from nought over what is used and expected to what is allowed.

import { byId, el, icon } from './dom.js';
import { glanceText, unitName } from './energy-words.js';
import { bar, numberOf, reasonOf, rowsOf, tableOf, textOf } from './statement.js';
import { number, t } from './words.js';

const looks = {
  within: { tag: 'is-ok', icon: 'ok', bar: 'ok' },
  risk: { tag: 'is-warn', icon: 'warn', bar: 'warn' },
  exceeded: { tag: 'is-bad', icon: 'alarm', bar: 'bad' },
  unknown: { tag: 'is-quiet', icon: 'never', bar: 'quiet' },
};

/** The judgement's own word; what a newer gateway might say is not known here. */
const stateOf = (row) => ({ within: 'within', 'at-risk': 'risk', exceeded: 'exceeded' })[row.state_code?.text?.en] ?? 'unknown';

/** Why nothing can be said: what stands behind the colon of the sentence. */
const whyUnknown = (row) => textOf(row.state).replace(/^[^::]*[::]\s*/, '');

function mark(at, look, text) {
  const element = el('span', { class: `mark ${look}` }, text ? el('span', {}, text) : null);
  element.style.left = `${at}%`;
  return element;
}

function drawing(row, look, unit) {
  const [allowance, used, expected, low, high] = ['allowance', 'used', 'expected', 'low', 'high'].map((key) => numberOf(row[key]));
  if (allowance === null || used === null) return null;
  const end = Math.max(allowance, used, expected ?? 0, high ?? 0) * 1.04;
  const at = (value) => (Math.max(0, value) / end) * 100;
  const parts = [];
  if (expected !== null && expected > used) parts.push(bar(at(expected) - at(used), `expected ${look}`, at(used)));
  parts.push(bar(at(used), `used ${look}`));
  if (low !== null && high !== null) parts.push(bar(at(high) - at(low), 'whisker', at(low)));
  if (expected !== null) parts.push(mark(at(expected), 'point'));
  parts.push(mark(at(allowance), 'end'));
  const words = [`${t('usedSoFar')} ${glanceText(used, unit)}`, expected === null ? t('noForecast') : `${t('expectedEnd')} ${glanceText(expected, unit)}`, `${t('allowance')} ${glanceText(allowance, unit)}`];
  return el('div', { class: 'quota-bar', role: 'img', 'aria-label': words.join(', ') }, parts);
}

function line(row, key, percentKey, unit, name) {
  const value = numberOf(row[key]);
  if (value === null) return null;
  const percent = numberOf(row[percentKey]);
  return el('div', { class: key }, el('dt', {}, t(name)), el('dd', { class: 'num' }, percent === null ? null : el('b', {}, `${number(percent, 1)} %`), ` ${glanceText(value, unit)}`));
}

function quota(row, currency) {
  const state = stateOf(row);
  const look = looks[state];
  const limitUnit = textOf(row.unit);
  const unit = limitUnit.split('/')[0];
  const [low, high, excess, surcharge, limit, allowance] = ['low', 'high', 'excess', 'surcharge', 'limit', 'allowance'].map((key) => numberOf(row[key]));
  const facts = [
    line(row, 'used', 'used_percent', unit, 'usedSoFar'),
    line(row, 'expected', 'expected_percent', unit, 'expectedEnd'),
    low === null || high === null ? null : el('div', {}, el('dt', {}), el('dd', { class: 'num' }, t('between', glanceText(low, unit), glanceText(high, unit)))),
    allowance === null ? el('div', {}, el('dt', {}, t('allowance')), el('dd', { class: 'missing' }, `— ${reasonOf(row.allowance)}`))
      : el('div', { class: 'allowance' }, el('dt', {}, t('allowance')), el('dd', { class: 'num' }, glanceText(allowance, unit))),
  ];
  const more = [
    limit === null || !limitUnit.includes('/') ? null : t('limitOf', `${number(limit, Number.isInteger(limit) ? 0 : 2)} ${unitName(limitUnit)}`),
    excess > 0 ? t('expectedExcess', glanceText(excess, unit)) : null,
    surcharge > 0 ? t('surcharge', glanceText(surcharge, currency)) : null,
  ].filter(Boolean);
  return el('li', { class: 'quota' },
    el('div', { class: 'head' },
      el('h3', {}, `${textOf(row.title) || textOf(row.quota)} `, el('span', { class: 'strength' }, textOf(row.strength))),
      el('span', { class: `tag ${look.tag}` }, icon(look.icon), t(`state_${state}`))),
    drawing(row, look.bar, unit),
    state === 'unknown' ? el('p', { class: 'why' }, whyUnknown(row)) : null,
    el('dl', { class: 'quota-facts' }, facts),
    more.length ? el('p', { class: 'muted num' }, more.join(' · ')) : null);
}

/** How much of the year has passed, so that what is used can be held against it. */
function passed(year, today) {
  if (!today.startsWith(year)) return '';
  const start = Date.parse(`${year}-01-01T00:00:00Z`);
  const days = Math.round((Date.parse(`${Number(year) + 1}-01-01T00:00:00Z`) - start) / 86_400_000);
  const day = Math.round((Date.parse(`${today}T00:00:00Z`) - start) / 86_400_000) + 1;
  return t('yearPassed', number((day / days) * 100, 0), year, number(day, 0), number(days, 0));
}

export function drawQuotas(statement, year, today) {
  const table = tableOf(statement, 'quotas');
  const rows = rowsOf(table);
  byId('quotas-time').textContent = rows.length ? passed(year, today) : '';
  if (rows.length === 0) return byId('quotas').replaceChildren(el('li', { class: 'muted' }, t('noQuotas', year)));
  const currency = table.columns.find((c) => c.key === 'surcharge')?.unit ?? '';
  byId('quotas').replaceChildren(...rows.map((row) => quota(row, currency)));
}
