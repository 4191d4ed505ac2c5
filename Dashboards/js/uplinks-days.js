// What was owed and taken day by day, and why the rest was not taken.

import { later } from './civil-time.js';
import { byId, el, icon, show } from './dom.js';
import { grouped, sum, worst } from './uplinks-state.js';
import { count, longDay, shortDay, weekday } from './uplinks-words.js';
import { number, percent, stamp, t } from './words.js';

const day = 86_400_000;
const columns = [['owed', 'owedAll'], ['accepted', 'accepted_'], ['rejected', 'rejected_'], ['expired', 'expired_'], ['open', 'open_'], ['attempts', 'attempts_']];
const shout = { rejected: 'shout', expired: 'shout', open: 'wait' };

/** Days whose kinds and scopes the reader wants to see. */
const opened = new Set();
let table = null;

function complete(row) {
  if (typeof row.owed !== 'number' || typeof row.accepted !== 'number') return t('notKnown');
  if (row.owed === 0) return '–';
  return row.accepted === row.owed ? '100\u00a0%' : `${percent((row.accepted / row.owed) * 100)}\u00a0%`;
}

function cells(row) {
  return [
    ...columns.map(([key, name]) => el('td', {
      class: `num right${row[key] === 0 ? ' none' : ''}${row[key] > 0 ? ` ${shout[key] ?? ''}` : ''}`, 'data-label': t(name),
    }, count(row[key]))),
    el('td', { class: 'num right complete-day', 'data-label': t('complete_') }, complete(row)),
  ];
}

const look = { expired: ['alarm', 'shout'], refused: ['bad', 'shout'], open: ['warn', 'wait'], unknown: ['never', ''], accepted: ['ok', 'well'], none: ['never', ''] };

function dayRows([civil, rows]) {
  const whole = sum(rows);
  const [shape, colour] = look[worst(whole)];
  const isOpen = opened.has(civil);
  const lost = rows.some((row) => row.rejected > 0 || row.expired > 0);
  const head = el('tr', { class: 'whole' },
    el('th', { scope: 'row', class: 'num' },
      el('button', { type: 'button', class: 'opener', 'data-day': civil, 'aria-expanded': String(isOpen), 'aria-label': t('openDay', longDay(civil)) },
        el('span', { class: 'arrow', 'aria-hidden': 'true' }, isOpen ? '▾' : '▸'), el('span', { class: colour, title: t(`mark_${worst(whole)}`) }, icon(shape)), el('span', {}, `${shortDay(civil)} `, el('span', { class: 'muted' }, weekday(civil))))),
    cells(whole),
    el('td', { class: `right act${lost ? '' : ' none'}` }, lost ? el('button', {
      type: 'button', class: 'fill', 'data-fill-from': `${civil}T00:00`, 'data-fill-to': `${later(civil, day)}T00:00`, 'aria-label': t('fillDayOf', longDay(civil)),
    }, t('fillDay')) : null));
  if (!isOpen) return [head];
  return [head, ...rows.map((row) => el('tr', { class: 'part' }, el('th', { scope: 'row' }, el('span', { class: 'kind' }, row.kind), el('span', { class: 'muted' }, ` ${row.scope ?? ''}`)), cells(row), el('td', { class: 'none' })))];
}

function draw() {
  if (table.rows.length === 0) return show(byId('days'), el('p', { class: 'muted' }, t(table.isPart ? 'noDaysOfKind' : 'noDays')));
  const days = [...grouped(table.rows, (row) => row.day)].sort(([a], [b]) => (a < b ? 1 : -1));
  show(byId('days'),
    el('table', { class: 'days' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('day')), columns.map(([, name]) => el('th', { scope: 'col', class: 'right' }, t(name))), el('th', { scope: 'col', class: 'right' }, t('complete_')), el('td', {}))),
      el('tbody', {}, days.map(dayRows)),
      el('tfoot', {}, el('tr', { class: 'whole' }, el('th', { scope: 'row' }, t('allDays')), cells(sum(table.rows)), el('td', { class: 'none' })))),
    el('p', { class: 'note' }, t('daysNote')));
}

/** @param next `{ rows, isPart }`: the days of the kind that is looked at; null while they are awaited. */
export function drawDays(next) {
  table = next;
  if (!table) return show(byId('days'), el('p', { class: 'muted', role: 'status' }, t('loading')));
  draw();
}

export function listenForDays() {
  byId('days').addEventListener('click', (event) => {
    const civil = event.target.closest('[data-day]')?.dataset.day;
    if (!civil) return;
    if (!opened.delete(civil)) opened.add(civil);
    draw();
  });
}

function reason(row) {
  const [shape, mark] = row.outcome === 'expired' ? ['alarm', 'expired'] : ['bad', 'refused'];
  return el('li', {},
    el('span', { class: 'tag is-bad' }, icon(shape), t(`mark_${mark}`)),
    el('span', { class: 'what' }, row.reason || t('noReason'), el('small', { class: 'muted num' }, `${row.kind} · ${t('firstLast', stamp(Date.parse(row.first)), stamp(Date.parse(row.last)))}`)),
    el('b', { class: 'num' }, t('times', typeof row.count === 'number' ? number(row.count, 0) : t('notKnown'))));
}

/** @param next `{ rows, isPart }`: the reasons of the kind that is looked at; null while they are awaited. */
export function drawReasons(next) {
  const place = byId('reasons');
  if (!next) return show(place, el('p', { class: 'muted', role: 'status' }, t('loading')));
  if (next.rows.length === 0) return show(place, el('p', { class: 'all-well' }, icon('ok'), t(next.isPart ? 'noReasonsOfKind' : 'noReasons')));
  show(place, el('ul', {}, next.rows.toSorted((a, b) => (b.count ?? 0) - (a.count ?? 0)).map(reason)));
}
