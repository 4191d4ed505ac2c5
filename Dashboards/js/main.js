// Composes the page: what is asked when, what is drawn, and what is said when the gateway is away.

import { drawAlarms, drawOutlook } from './alarms.js';
import { drawDevices, tickAges } from './devices.js';
import { byId, el, icon, severityLook } from './dom.js';
import { drawDust, loadDust, newestDust } from './dust.js';
import { drawEnergy, siteMeter } from './energy.js';
import { ask, askAll, listen, Refusal } from './gateway.js';
import { label, onLooks } from './labels.js';
import { drawFeeds, drawUplinks } from './uplinks.js';
import { date, inBoth, language, moment, number, pretty, quantity, setZone, t, timeWithSeconds, word } from './words.js';

let resolution = '15min';
let clockShift = 0;
let sequence = null;
let streaming = false;
let lostAt = null;
const data = {};

// Every part of the page: how it is read, how it is drawn, and how often at the least (seconds).
const parts = {
  site: { load: () => ask('site'), draw: drawSite, every: 10, place: null },
  alarms: { load: () => ask('alarms', { open: 'true', limit: '50' }), draw: drawAlarms, every: 15, place: 'alarms' },
  outlook: { load: () => ask('outlook'), draw: drawOutlook, every: 15, place: null },
  devices: { load: () => askAll('devices', 'devices'), draw: drawDevices, every: 5, place: 'devices' },
  dust: { load: () => loadDust(resolution), draw: (d) => drawDust(d, data.site?.utc_offset_seconds ?? 0), every: 60, place: 'dust-chart' },
  energy: { load: () => ask('energy'), draw: drawEnergy, every: 60, place: 'energy-note' },
  uplinks: { load: () => ask('uplinks'), draw: drawUplinks, every: 15, place: 'uplinks' },
  feeds: { load: () => ask('feeds'), draw: drawFeeds, every: 15, place: 'feeds' },
};
const asked = Object.fromEntries(Object.keys(parts).map((name) => [name, -Infinity]));
const busy = new Set();

async function refresh(name) {
  if (busy.has(name)) return;
  busy.add(name);
  asked[name] = performance.now();
  const part = parts[name];
  try {
    const answer = await part.load();
    data[name] = answer;
    reached();
    part.draw(answer);
    drawGlance();
    settle();
  } catch (error) {
    // A refusal is an answer: the gateway lives, only this part could not be read.
    if (error instanceof Refusal) {
      reached();
      if (part.place && !data[name]) byId(part.place).replaceChildren(el('p', { class: 'broken' }, t('failed', error.message)));
    } else if (error instanceof TypeError || error.name === 'TimeoutError' || error.name === 'AbortError') {
      lost();
    } else {
      console.error(error);
    }
  } finally {
    busy.delete(name);
  }
}

function settle() {
  if (Object.keys(parts).every((name) => data[name])) document.documentElement.dataset.ready = 'true';
}

// MARK: whether the gateway answers

function lost() {
  lostAt ??= Date.now() + clockShift;
  document.documentElement.dataset.offline = 'true';
  drawOffline();
  drawOverall();
}

function reached() {
  if (lostAt === null) return;
  lostAt = null;
  document.documentElement.dataset.offline = 'false';
  drawOffline();
  // The gateway was away, so everything may have changed.
  for (const name of Object.keys(parts)) asked[name] = -Infinity;
}

function drawOffline() {
  const banner = byId('offline');
  banner.hidden = lostAt === null;
  banner.textContent = lostAt === null ? '' : t('offline', timeWithSeconds(lostAt));
}

// MARK: the header and the figures at a glance

function drawSite(site) {
  clockShift = Date.parse(site.time) - Date.now();
  sequence = site.newest_sequence;
  setZone(site.timezone);
  document.title = `${site.name} · Plumbline`;
  byId('site-name').textContent = site.name;
  const area = site.floor_area.value;
  byId('site-facts').textContent = [word('phase', site.phase), area === null ? null : t('area', number(area, 0)), site.id].filter(Boolean).join(' · ');
  byId('zone').textContent = `${date(Date.now() + clockShift)} · ${site.timezone}`;
  drawOverall();
  tick();
}

function overall() {
  if (lostAt !== null) return ['is-bad', 'bad', t('offlineState')];
  const site = data.site;
  if (!site) return ['is-quiet', 'info', t('loading')];
  if (site.fault) return ['is-bad', 'alarm', t('fault', site.fault)];
  const alarms = data.alarms?.alarms.length ?? site.open_alarms;
  if (alarms > 0) {
    const looks = (data.alarms?.alarms ?? []).map((a) => severityLook(a.severity));
    const worst = ['is-bad', 'is-warn', 'is-info'].map((look) => looks.find((l) => l.look === look)).find(Boolean) ?? severityLook('high');
    return [worst.look, worst.icon, alarms === 1 ? t('alarmStateOne') : t('alarmState', alarms)];
  }
  const total = Object.values(site.devices).reduce((a, b) => a + b, 0);
  if (site.devices.ok < total) return ['is-warn', 'warn', t('attention', total - site.devices.ok, total)];
  if (!site.ready) return ['is-quiet', 'info', t('starting')];
  return ['is-ok', 'ok', t('allOk')];
}

function drawOverall() {
  const [look, shape, text] = overall();
  const place = byId('overall');
  if (place.dataset.text === look + text) return;
  place.dataset.text = look + text;
  place.className = `overall ${look}`;
  place.replaceChildren(icon(shape), text);
}

function figure(title, value, unit, more, look = '') {
  return el('dl', { class: `figure ${look}` }, el('dt', {}, title), el('dd', { class: 'value num' }, value, unit ? el('small', {}, ` ${unit}`) : null), el('dd', { class: 'more' }, more || '\u00a0'));
}

function drawGlance() {
  const { site, devices, alarms, energy, dust } = data;
  if (!site) return;
  const list = [];
  if (devices) {
    const ok = devices.devices.filter((d) => d.state === 'ok').length;
    const others = devices.devices.filter((d) => d.state !== 'ok').map((d) => inBoth(d.title) || d.id);
    list.push(figure(t('devicesInOrder'), number(ok, 0), t('ofTotal', devices.devices.length), others.slice(0, 2).join(', ') + (others.length > 2 ? ' …' : ''), others.length ? 'warn' : ''));
  }
  if (alarms) {
    const oldest = alarms.alarms.map((a) => Date.parse(a.onset)).sort((a, b) => a - b)[0];
    list.push(figure(t('alarmsNow'), number(alarms.alarms.length, 0), '', oldest ? t('oldest', moment(oldest, Date.parse(alarms.time))) : t('none'), oldest ? 'warn' : ''));
  }
  if (dust) {
    const newest = newestDust(devices?.devices ?? []);
    const limit = Math.min(...dust.stations.flatMap((s) => s.limits.map((l) => l.above)), Infinity);
    if (newest) {
      const q = quantity(newest.reading.value, newest.reading.unit);
      const name = inBoth(newest.device.title) || newest.device.id;
      list.push(figure(t('dustNow'), q.text, q.unit, `${name} · ${t('newestReading')}`, newest.reading.value > limit ? 'warn' : ''));
    }
  }
  if (energy) {
    const root = siteMeter(energy);
    const now = root?.figures.at(-1);
    const quality = !now ? '' : [inBoth(root.title), now.quality === 'estimated' ? t('estimated') : t('soFar')].filter(Boolean).join(' · ');
    const q = now?.amount === null || !now ? { text: '—', unit: '' } : quantity(now.amount, 'kWh');
    list.push(figure(t('energyNow'), (now?.quality === 'estimated' ? '≈ ' : '') + q.text, q.unit, quality));
    const i = now?.intensity ?? null;
    const area = energy.floor_area.value;
    list.push(figure(t('intensityNow'), i === null ? '—' : number(i, i < 0.01 ? 5 : 4), i === null ? '' : 'kWh/m²', area === null ? t('noArea') : t('perArea', number(area, 0))));
  }
  byId('figures').replaceChildren(...list);
  drawOverall();
}

// MARK: language and choices

function press() {
  label();
  for (const button of document.querySelectorAll('[data-resolution]')) button.setAttribute('aria-pressed', String(button.dataset.resolution === resolution));
}

function redraw() {
  press();
  for (const [name, part] of Object.entries(parts)) if (data[name]) part.draw(data[name]);
  drawGlance();
  drawOffline();
  tick();
}

onLooks(redraw);
for (const button of document.querySelectorAll('[data-resolution]')) {
  button.addEventListener('click', () => { resolution = button.dataset.resolution; press(); refresh('dust'); });
}

// MARK: the pulse

function tick() {
  const now = Date.now() + clockShift;
  const clock = byId('clock');
  clock.textContent = data.site ? timeWithSeconds(now) : '';
  clock.dateTime = new Date(now).toISOString();
  tickAges();
  byId('live').textContent = [streaming ? t('live') : t('polling', 5), sequence === null ? null : t('rowNumber', number(sequence, 0))].filter(Boolean).join(' · ');
}

/** Asks for whatever is older than it may be; while the gateway is away, only whether it is back. */
function pulse() {
  tick();
  const names = lostAt === null ? Object.keys(parts) : ['site'];
  const now = performance.now();
  for (const name of names) {
    const every = lostAt === null ? parts[name].every : 3;
    if (now - asked[name] >= every * 1000) refresh(name);
  }
}

let charts = null;
function start() {
  press();
  drawOverall();
  charts = typeof Dygraph !== 'undefined' && typeof Chart !== 'undefined';
  if (!charts) {
    // Without the libraries the figures are still worth reading.
    delete parts.dust;
    for (const id of ['dust-note', 'energy-note']) byId(id).textContent = t('failed', 'vendor/dygraph.min.js, vendor/chart.js');
    parts.energy.draw = () => {};
  }
  refresh('site').then(() => { for (const name of Object.keys(parts)) if (name !== 'site') refresh(name); });
  setInterval(pulse, 1000);
  listen({
    open: () => { streaming = true; reached(); },
    lost: () => { streaming = false; },
    commit: (event) => {
      sequence = event.sequence;
      if (performance.now() - asked.devices >= 1800) refresh('devices');
    },
    alarm: () => { refresh('alarms'); refresh('site'); },
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) pulse(); });
}

language.choose();
start();
