// Composes the energy page: which month is shown, what is asked for it, and what is said when an answer is missing.

import { byId, el, icon } from './dom.js';
import { listenForTraces, redrawExplanation } from './energy-explanation.js';
import { drawFigures } from './energy-figures.js';
import { drawMeters } from './energy-meters.js';
import { drawMonths } from './energy-months.js';
import { drawQuotas } from './energy-quotas.js';
import { drawCompliance, drawNotes, drawStatements } from './energy-statements.js';
import { drawUses } from './energy-uses.js';
import { longMonth } from './energy-words.js';
import { ask, Refusal } from './gateway.js';
import { label, onLooks } from './labels.js';
import { inBoth, language, number, setZone, stamp, t, word } from './words.js';

/** Years of accounts take longer than what the gateway holds ready. */
const patience = 60_000;
/** Accounts change with each hour; a page on the wall reads them anew this often, in milliseconds. */
const every = 300_000;
const offeredMonths = 36;

let site = null;
let today = null;
let chosen = /^\d{4}-(0[1-9]|1[0-2])$/.exec(new URLSearchParams(location.search).get('period') ?? '')?.[0] ?? null;
let following = chosen === null;
/** What was answered for the month that is shown: `{ value }` or `{ problem }` by part. */
let answers = {};
let round = 0;
let isLost = false;

const monthBefore = (month, count = 1) => {
  const [y, m] = month.split('-').map(Number);
  return new Date(Date.UTC(y, m - 1 - count, 1)).toISOString().slice(0, 7);
};
const current = () => today.slice(0, 7);
const yearOf = (month) => month.slice(0, 4);

// MARK: asking

/** Every part of the page: what it asks, in the order in which a reader wants it. */
function questions(month) {
  const statement = (kind, period) => () => ask('energy/statement', { kind, period }, patience);
  const year = yearOf(month);
  return {
    month: statement('monthly', month),
    before: statement('monthly', monthBefore(month)),
    yearBefore: statement('monthly', monthBefore(month, 12)),
    quota: statement('quota', year),
    year: statement('yearly', year),
    lastYear: statement('yearly', String(Number(year) - 1)),
    compliance: () => ask('energy/compliance', { period: month }, patience),
  };
}

async function answered(question) {
  try {
    return { value: await question() };
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.message };
    return { problem: t('partFailed'), isLost: true };
  }
}

async function readSite() {
  site = await ask('site');
  setZone(site.timezone);
  // The site's own calendar day, whatever clock the reader has.
  today = new Date(Date.parse(site.time) + site.utc_offset_seconds * 1000).toISOString().slice(0, 10);
  if (following || chosen > current()) chosen = current();
}

/** Reads everything anew; what has been drawn stays until there is something to put in its place. */
async function load({ isNewMonth = false } = {}) {
  const mine = ++round;
  const asked = await answered(readSite);
  if (mine !== round) return;
  reached(!asked.isLost);
  if (asked.problem && !site) {
    document.documentElement.dataset.ready = 'true';
    return byId('figures').replaceChildren(el('p', { class: 'broken' }, t('failed', asked.problem)));
  }
  if (asked.isLost && !isNewMonth) return;
  drawHead();
  if (isNewMonth) waiting();
  const found = {};
  // One after the other: the gateway's first duty is to its meters.
  for (const [name, question] of Object.entries(questions(chosen))) {
    found[name] = await answered(question);
    if (mine !== round) return;
    if (found[name].isLost && answers[name]?.value && !isNewMonth) return reached(false);
    if (isNewMonth) { answers = { ...found }; draw(); }
  }
  answers = found;
  reached(!answers.month.isLost);
  draw();
  document.documentElement.dataset.ready = 'true';
}

function reached(isReached) {
  isLost = !isReached;
  const banner = byId('offline');
  banner.hidden = isReached;
  banner.textContent = isReached ? '' : answers.month?.value ? t('kept', stamp(Date.parse(site.time))) : t('noAnswer');
}

// MARK: drawing

function waiting() {
  answers = {};
  document.documentElement.dataset.ready = 'false';
  for (const place of ['figures', 'uses', 'quotas', 'meters', 'notes']) byId(place).replaceChildren(el(place === 'quotas' ? 'li' : 'p', { class: 'muted', role: 'status' }, t('loading')));
  for (const place of ['uses-choice', 'months-choice', 'months-legend', 'months-table']) byId(place).replaceChildren();
  byId('months-summary').textContent = t('loading');
  byId('months-note').textContent = '';
  byId('quotas-time').textContent = '';
  byId('months-place').hidden = true;
  byId('compliance').hidden = true;
}

/** Draws a part, or says why it cannot be drawn; a part that is still awaited stays as it is. */
function part(place, answer, paint) {
  if (!answer) return;
  if (answer.value) return paint(answer.value);
  byId(place).replaceChildren(el(byId(place).tagName === 'UL' ? 'li' : 'p', { class: 'broken' }, t('failed', answer.problem)));
}

function drawHead() {
  document.title = `${t('pageEnergy')} · ${site.name} · Plumbline`;
  byId('site-name').textContent = site.name;
  const area = site.floor_area.value;
  byId('site-facts').textContent = [word('phase', site.phase), area === null ? null : t('area', number(area, 0)), site.id].filter(Boolean).join(' · ');
  byId('live').textContent = t('asOf', stamp(Date.parse(site.time)));
  const months = [...Array(offeredMonths)].map((_, i) => monthBefore(current(), i));
  if (!months.includes(chosen)) months.push(chosen);
  byId('month').replaceChildren(...months.map((m) => el('option', { value: m, selected: m === chosen }, longMonth(m))));
  byId('month').value = chosen;
  byId('later').disabled = chosen >= current();
  const isRunning = chosen === current();
  const days = new Date(Date.UTC(Number(chosen.slice(0, 4)), Number(chosen.slice(5)), 0)).getUTCDate();
  byId('progress').replaceChildren(...(isRunning ? [icon('info'), t('running', longMonth(chosen), number(Number(today.slice(8)) - 1, 0), number(days, 0))] : []));
  drawStatements(chosen);
}

function draw() {
  const isRunning = chosen === current();
  const beside = (name, months) => ({ label: monthBefore(chosen, months), statement: answers[name]?.value ?? null, problem: answers[name] ? answers[name].problem : t('loading') });
  part('figures', answers.month, (month) => drawFigures(month, beside('before', 1), beside('yearBefore', 12), isRunning));
  part('uses', answers.month, drawUses);
  part('meters', answers.month, (month) => drawMeters(month, isRunning));
  part('notes', answers.month, drawNotes);
  part('quotas', answers.quota, (quota) => drawQuotas(quota, yearOf(chosen), today));
  part('months-summary', answers.year && answers.lastYear && answers.year, (year) => drawMonths(
    { label: yearOf(chosen), statement: year }, { label: String(Number(yearOf(chosen)) - 1), statement: answers.lastYear.value ?? null, problem: answers.lastYear.problem }, chosen, current()));
  if (answers.year?.problem) byId('months-place').hidden = true;
  if (answers.compliance) drawCompliance(answers.compliance.value ?? null);
}

// MARK: choosing

function choose(month) {
  chosen = month;
  following = month === current();
  const query = new URLSearchParams(location.search);
  if (following) query.delete('period');
  else query.set('period', month);
  history.replaceState(null, '', query.size ? `?${query}` : location.pathname);
  load({ isNewMonth: true });
}

byId('earlier').addEventListener('click', () => choose(monthBefore(chosen)));
byId('later').addEventListener('click', () => choose(monthBefore(chosen, -1)));
byId('month').addEventListener('change', (event) => choose(event.target.value));
onLooks(() => {
  label();
  if (site) { drawHead(); draw(); redrawExplanation(); }
});

language.choose();
label();
waiting();
listenForTraces();
load({ isNewMonth: true });
setInterval(() => load(), every);
setInterval(() => { if (isLost) load({ isNewMonth: !answers.month?.value }); }, 5000);
