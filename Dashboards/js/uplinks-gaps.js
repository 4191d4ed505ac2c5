// The gap map: a cell for each hour of the last days, marked with the worst that happened in it.

import { later } from './civil-time.js';
import { byId, el, show } from './dom.js';
import { grouped, settled, sum, worst } from './uplinks-state.js';
import { count, longDay, shortDay, weekday } from './uplinks-words.js';
import { number, t } from './words.js';

const hour = 3_600_000;
const legend = ['accepted', 'open', 'refused', 'expired', 'none', 'unknown'];
// What a mark is without its colour.
const signs = { open: '○', refused: '×', expired: '!', unknown: '?' };

/** What is drawn: `{ uplink, days, now, rows }`, and the hour that the reader has chosen. */
let map = null;
let at = null;

const tile = (mark) => el('span', { class: `tile ${mark}`, 'aria-hidden': 'true' }, signs[mark] ?? '');

/** `2026-11-21T14` as people say it. */
function hourWords(key) {
  return t('hourOf', longDay(key.slice(0, 10)), `${key.slice(11)}:00`, `${String(Number(key.slice(11)) + 1).padStart(2, '0')}:00`);
}

/** `owed 6: accepted 4, refused 2`. */
function countsWords(row) {
  if (worst(row) === 'none') return t('mark_none');
  const parts = settled.filter(([key]) => row[key] !== 0).map(([key, mark]) => t('countOf', t(`mark_${mark}`), count(row[key])));
  return t('counts', count(row.owed), parts.join(t('comma')));
}

function words(key, rows, isAhead) {
  if (isAhead) return `${hourWords(key)} · ${t('mark_ahead')}`;
  const lines = [`${hourWords(key)} · ${countsWords(sum(rows))}`];
  if (grouped(rows, (row) => row.kind).size > 1) {
    for (const [kind, own] of grouped(rows, (row) => row.kind)) lines.push(t('ofKind', kind, countsWords(sum(own))));
  }
  return lines.join('\n');
}

function drawLegend() {
  const hasUnknown = map.rows.some((row) => worst(row) === 'unknown');
  show(byId('gaps-legend'), legend.filter((mark) => mark !== 'unknown' || hasUnknown).map((mark) => el('li', {}, tile(mark), t(`mark_${mark}`))),
    el('li', { class: 'muted' }, t('worst')));
}

function drawHour() {
  const place = byId('hour');
  if (!at) return show(place, el('span', { class: 'muted' }, t('hourHint')));
  const rows = map.rows.filter((row) => row.start.startsWith(at));
  const isAhead = at > map.now.slice(0, 13);
  const lines = words(at, rows, isAhead).split('\n').map((line) => el('span', { class: 'line' }, line));
  const canFill = rows.length > 0 && !isAhead;
  const civil = `${at}:00`;
  show(place, lines, canFill ? el('button', { type: 'button', class: 'fill', 'data-fill-from': civil, 'data-fill-to': later(civil, hour) }, t('fillHour')) : '');
}

function cell(key, rows, isAhead) {
  const mark = isAhead ? 'ahead' : worst(sum(rows));
  return el('td', {
    class: `tile ${mark}${key === at ? ' here' : ''}`, role: 'gridcell', tabindex: key === at ? '0' : '-1', 'data-at': key, title: words(key, rows, isAhead),
    'aria-label': words(key, rows, isAhead), 'aria-selected': String(key === at),
  }, signs[mark] ?? '');
}

function draw() {
  const byHour = grouped(map.rows, (row) => row.start.slice(0, 13));
  const current = map.now.slice(0, 13);
  const hours = [...Array(24)].map((_, i) => String(i).padStart(2, '0'));
  const table = el('table', { class: 'map', role: 'grid', 'aria-label': t('gapsOf', map.uplink) },
    el('thead', {}, el('tr', { role: 'row' }, el('th', { scope: 'col' }, el('span', { class: 'for-readers' }, t('day'))),
      hours.map((h) => el('th', { scope: 'col', class: Number(h) % 6 === 0 ? 'num' : 'num fine' }, number(Number(h), 0))))),
    el('tbody', {}, map.days.toReversed().map((day) => el('tr', { role: 'row' },
      el('th', { scope: 'row', class: 'num' }, el('span', { class: 'weekday' }, weekday(day)), ' ', shortDay(day)),
      hours.map((h) => cell(`${day}T${h}`, byHour.get(`${day}T${h}`) ?? [], `${day}T${h}` > current))))));
  // Somebody who goes through the hours by keyboard begins with the present one.
  if (!table.querySelector('[tabindex="0"]')) table.querySelector(`[data-at="${current}"]`)?.setAttribute('tabindex', '0');
  show(byId('gaps'), table);
}

/** @param next `{ uplink, days, now, rows }`: civil days, the time now in RFC 3339, and the rows of the kind that is looked at; null while they are awaited. */
export function drawGaps(next) {
  if (next?.uplink !== map?.uplink) at = null;
  map = next;
  if (!map) {
    show(byId('gaps-legend'));
    show(byId('hour'));
    return show(byId('gaps'), el('p', { class: 'muted', role: 'status' }, t('loading')));
  }
  drawLegend();
  draw();
  drawHour();
}

function choose(element) {
  at = element.dataset.at;
  for (const before of byId('gaps').querySelectorAll('[tabindex="0"]')) {
    before.classList.remove('here');
    before.setAttribute('tabindex', '-1');
    before.setAttribute('aria-selected', 'false');
  }
  element.classList.add('here');
  element.setAttribute('tabindex', '0');
  element.setAttribute('aria-selected', 'true');
  drawHour();
}

const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** A click or the arrow keys choose an hour. */
export function listenForHours() {
  const place = byId('gaps');
  place.addEventListener('click', (event) => {
    const found = event.target.closest('[data-at]');
    if (found) choose(found);
  });
  place.addEventListener('keydown', (event) => {
    const found = event.target.closest('[data-at]');
    const step = steps[event.key];
    if (!found || (!step && event.key !== 'Enter')) return;
    event.preventDefault();
    const rows = found.closest('tbody').rows;
    const row = rows[found.parentElement.sectionRowIndex + (step?.[0] ?? 0)];
    const next = row?.cells[found.cellIndex + (step?.[1] ?? 0)];
    if (!next?.dataset.at) return;
    next.focus();
    choose(next);
  });
}
