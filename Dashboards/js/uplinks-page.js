// Composes the page of platforms: which one is looked at, what is asked when, and what is said when the gateway is away.

import { instantOf, later, rfc3339 } from './civil-time.js';
import { byId, el, icon, show } from './dom.js';
import { ask, askAll, Refusal } from './gateway.js';
import { label, onLooks } from './labels.js';
import { drawCards, inTrouble, listenForChoice, stateTag } from './uplinks-cards.js';
import { drawDays, drawReasons, listenForDays } from './uplinks-days.js';
import { drawGaps, listenForHours } from './uplinks-gaps.js';
import { drawResend, listenForResend } from './uplinks-resend.js';
import { inOrder } from './uplinks-state.js';
import { drawStatement, listenForPeriod } from './uplinks-statement.js';
import { longDay } from './uplinks-words.js';
import { date, language, number, setZone, t, timeWithSeconds, word, zoneName } from './words.js';

const dayLength = 86_400_000;
const days = 30;
const asked = new URLSearchParams(location.search);

let chosen = asked.get('uplink');
let kind = asked.get('kind');
let clockShift = 0;
let lostAt = null;
/** What was answered last, by part: `{ value, problem }`. */
let answers = {};

// MARK: asking

/** The civil day at the site. */
const today = () => answers.uplinks.value.time.slice(0, 10);
const firstDay = () => later(today(), -(days - 1) * dayLength);
const detail = (path, parameters) => ask(`uplinks/${encodeURIComponent(chosen)}/${path}`, parameters);
const range = () => ({ from: rfc3339(instantOf(`${firstDay()}T00:00`)), to: answers.uplinks.value.time });

// Every part of the page: how it is read, how often at the least (seconds), and whether it is of the chosen platform.
const parts = {
  site: { load: () => ask('site'), every: 60 },
  uplinks: { load: () => askAll('uplinks', 'uplinks', { limit: '200' }), every: 10 },
  hours: { load: () => detail('hours', range()), every: 60, isDetail: true },
  days: { load: () => detail('days', { from: firstDay(), to: today() }), every: 60, isDetail: true },
  reasons: { load: () => detail('reasons', range()), every: 60, isDetail: true },
};
const lastAsked = Object.fromEntries(Object.keys(parts).map((name) => [name, -Infinity]));
const busy = new Map();

async function refresh(name) {
  const part = parts[name];
  if (part.isDetail && (!chosen || !answers.uplinks?.value)) return;
  const about = part.isDetail ? chosen : '';
  if (busy.get(name) === about) return;
  busy.set(name, about);
  lastAsked[name] = performance.now();
  try {
    const value = await part.load();
    reached();
    take(name, about, { value });
  } catch (error) {
    // A refusal is an answer: the gateway lives, only this part could not be read.
    if (error instanceof Refusal) {
      reached();
      take(name, about, { value: answers[name]?.value, problem: error.message });
    } else if (error instanceof TypeError || error.name === 'TimeoutError' || error.name === 'AbortError') {
      lost();
    } else {
      console.error(error);
    }
  } finally {
    if (busy.get(name) === about) busy.delete(name);
  }
}

/** Keeps and draws an answer, unless the reader has gone on to another platform meanwhile. */
function take(name, about, answer) {
  if (parts[name].isDetail && about !== chosen) return;
  const before = chosen;
  answers[name] = answer;
  if (name === 'site' && answer.value) {
    clockShift = Date.parse(answer.value.time) - Date.now();
    const before = zoneName();
    setZone(answer.value.timezone);
    // What was asked with the reader's zone is asked again with the site's.
    if (before !== zoneName()) for (const part of Object.keys(parts)) if (parts[part].isDetail) lastAsked[part] = -Infinity;
  }
  if (name === 'uplinks') keepChoice();
  draw(name);
  if (chosen !== before) readDetails();
  settle();
}

function settle() {
  const names = Object.keys(parts).filter((name) => !parts[name].isDetail || chosen);
  if (names.every((name) => answers[name])) document.documentElement.dataset.ready = 'true';
}

function readDetails() {
  for (const name of Object.keys(parts)) if (parts[name].isDetail) refresh(name);
}

// MARK: whether the gateway answers

function lost() {
  lostAt ??= Date.now() + clockShift;
  document.documentElement.dataset.offline = 'true';
  drawOffline();
  drawOverall();
  drawAsOf();
  if (!answers.uplinks) show(byId('platforms'));
  // All that can be shown for now is shown.
  document.documentElement.dataset.ready = 'true';
}

function reached() {
  if (lostAt === null) return;
  lostAt = null;
  document.documentElement.dataset.offline = 'false';
  drawOffline();
  // The gateway was away, so everything may have changed.
  for (const name of Object.keys(parts)) lastAsked[name] = -Infinity;
}

function drawOffline() {
  const banner = byId('offline');
  banner.hidden = lostAt === null;
  banner.textContent = lostAt === null ? '' : t(answers.uplinks?.value ? 'offline' : 'offlineEmpty', timeWithSeconds(lostAt));
}

// MARK: which platform, which kind

const list = () => answers.uplinks?.value?.uplinks ?? [];
const one = () => list().find((uplink) => uplink.id === chosen) ?? null;
const kinds = () => [...new Set(['hours', 'days', 'reasons'].flatMap((name) => answers[name]?.value?.[name] ?? []).map((row) => row.kind))].sort();

/** Somebody who has chosen nothing looks at the platform that stands worst. */
function keepChoice() {
  if (!answers.uplinks.value || one()) return;
  forget();
  chosen = inOrder(list())[0]?.id ?? null;
}

function forget() {
  for (const name of Object.keys(parts)) if (parts[name].isDetail) delete answers[name];
}

function keepInAddress() {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of [['uplink', chosen], ['kind', kind]]) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(null, '', query.size ? `?${query}` : location.pathname);
}

function choose(id) {
  if (id !== chosen) {
    chosen = id;
    kind = null;
    forget();
    keepInAddress();
    drawAll();
    readDetails();
  }
  const title = byId('chosen-title');
  title.focus({ preventScroll: true });
  if (title.getBoundingClientRect().bottom > innerHeight * 0.7) title.scrollIntoView({ block: 'start' });
}

function chooseKind(next) {
  kind = next;
  keepInAddress();
  drawDetails();
}

// MARK: drawing

function draw(name) {
  if (name === 'site') drawSite();
  if (name === 'site' || name === 'uplinks') return drawAll();
  drawDetails();
}

function drawAll() {
  drawOverall();
  drawAsOf();
  const { value, problem } = answers.uplinks ?? {};
  if (value) drawCards(value, chosen);
  else if (problem) show(byId('platforms'), el('li', { class: 'no-cards broken' }, t('failed', problem)));
  drawDetails();
}

function drawDetails() {
  const uplink = one();
  for (const place of document.querySelectorAll('.chosen, .gaps, .aside, .by-day')) place.hidden = !uplink;
  if (!uplink) return;
  const now = answers.uplinks.value.time;
  show(byId('chosen-title'), el('span', {}, uplink.id), ' ', stateTag(uplink, Date.parse(now)));
  byId('chosen-range').textContent = t('lastDays', longDay(firstDay()), longDay(today()));
  const known = kinds();
  // A kind that the address names and nobody is owed shows everything.
  if (kind && answers.hours && answers.days && answers.reasons && !known.includes(kind)) kind = null;
  drawKinds(known);
  part('hours', (rows) => drawGaps(rows && { uplink: chosen, days: civilDays(), now, rows }), 'gaps');
  part('days', (rows) => drawDays(rows && { rows, isPart: kind !== null }), 'days');
  part('reasons', (rows) => drawReasons(rows && { rows, isPart: kind !== null }), 'reasons');
  drawResend(chosen, known);
  drawStatement(chosen, today());
}

const civilDays = () => [...Array(days)].map((_, i) => later(firstDay(), i * dayLength));

/** Draws a part of the chosen platform, of the kind that is looked at; or says why there is none. */
function part(name, paint, place) {
  const { value, problem } = answers[name] ?? {};
  const note = byId(`${place}-problem`);
  note.hidden = !problem;
  note.textContent = problem ? t(value ? 'notRead' : 'failed', problem) : '';
  if (problem && !value) return show(byId(place));
  paint(value ? value[name].filter((row) => !kind || row.kind === kind) : null);
}

function drawKinds(known) {
  const place = byId('kinds');
  place.hidden = known.length < 2;
  show(place, [null, ...known].map((one) => el('button', { type: 'button', 'data-kind': one ?? '', 'aria-pressed': String(one === kind) }, one ?? t('allKinds'))));
}

function drawSite() {
  const site = answers.site.value;
  if (!site) return;
  document.title = `${t('pageUplinks')} · ${site.name} · Plumbline`;
  byId('site-name').textContent = site.name;
  byId('site-facts').textContent = [word('phase', site.phase), site.id].filter(Boolean).join(' · ');
  byId('zone').textContent = `${date(Date.now() + clockShift)} · ${site.timezone}`;
  tick();
}

function overall() {
  if (lostAt !== null) return ['is-bad', 'bad', t('offlineState')];
  if (!answers.uplinks) return ['is-quiet', 'info', t('loading')];
  const total = list().length;
  if (total === 0) return answers.uplinks.value ? ['is-quiet', 'info', t('overallNone')] : ['is-bad', 'bad', t('overallUnread')];
  const trouble = inTrouble(list());
  if (trouble > 0) return ['is-warn', 'warn', t('overallTrouble', number(trouble, 0), number(total, 0))];
  return ['is-ok', 'ok', t('overallOk')];
}

function drawOverall() {
  const [look, shape, text] = overall();
  const place = byId('overall');
  if (place.dataset.text === look + text) return;
  place.dataset.text = look + text;
  place.className = `overall ${look}`;
  place.replaceChildren(icon(shape), text);
}

function drawAsOf() {
  const value = answers.uplinks?.value;
  byId('live').textContent = value ? t('asOf', timeWithSeconds(Date.parse(value.time)), number(parts.uplinks.every, 0)) : '';
}

// MARK: the pulse

function tick() {
  const now = Date.now() + clockShift;
  byId('clock').textContent = answers.site?.value ? timeWithSeconds(now) : '';
  byId('clock').dateTime = new Date(now).toISOString();
}

/** Asks for whatever is older than it may be; while the gateway is away, only whether it is back. */
function pulse() {
  tick();
  if (document.hidden) return;
  const names = lostAt === null ? Object.keys(parts) : ['uplinks'];
  for (const name of names) {
    const every = lostAt === null ? parts[name].every : 3;
    if (performance.now() - lastAsked[name] >= every * 1000) refresh(name);
  }
}

function start() {
  // Until the site has said where it is, times are those of the reader.
  setZone(Intl.DateTimeFormat().resolvedOptions().timeZone);
  label();
  drawOverall();
  show(byId('platforms'), el('li', { class: 'muted', role: 'status' }, t('loading')));
  listenForChoice(choose);
  listenForHours();
  listenForDays();
  listenForPeriod();
  listenForResend(() => kind ?? undefined, () => {
    for (const name of Object.keys(parts)) lastAsked[name] = -Infinity;
    pulse();
  });
  byId('kinds').addEventListener('click', (event) => {
    const button = event.target.closest('[data-kind]');
    if (button) chooseKind(button.dataset.kind || null);
  });
  onLooks(() => { label(); if (answers.site) drawSite(); drawOffline(); drawAll(); });
  // The zone comes first: with it the other answers are read.
  refresh('site').then(() => refresh('uplinks')).then(readDetails);
  setInterval(pulse, 1000);
  document.addEventListener('visibilitychange', pulse);
}

language.choose();
start();
