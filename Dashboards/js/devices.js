// Every device as a card: its state in a word, the age of its last good reading, its main values.

import { byId, el, icon, stateLook } from './dom.js';
import { inBoth, length, pointName, quantity, t, word } from './words.js';

// What a reader wants first of each kind of device.
const main = {
  station: ['pm10', 'pm2_5', 'sound_level', 'wind_speed', 'air_temperature', 'relative_humidity'],
  crane: ['load_mass', 'load_moment_ratio', 'trolley_radius', 'hook_height', 'slew_angle', 'wind_speed'],
  meter: ['active_power.total', 'active_energy.import.total', 'voltage.l1', 'current.l1', 'power_factor.total', 'frequency'],
  inverter: ['active_power.total', 'active_energy.export.total', 'voltage.l1', 'current.l1', 'frequency', 'active_energy.import.total'],
};
const most = 6;

const ages = [];

function chosen(device) {
  const wanted = main[device.kind.split('.')[0]] ?? [];
  const found = wanted.map((point) => device.readings.find((r) => r.point === point)).filter(Boolean);
  const numbers = device.readings.filter((r) => ['gauge', 'counter'].includes(r.kind) && !found.includes(r));
  return [...found, ...numbers].slice(0, most);
}

/** A device's own alarms are shouted only when they are not normal. */
const shouts = (device) => device.readings.filter((r) => r.point.startsWith('alarm_') && ['warning', 'alarm'].includes(r.value));

function value(reading, isCurrent) {
  const good = reading.quality === 'good';
  const shown = good ? reading.value : reading.last_good_value;
  const name = pointName(reading.point, reading.title);
  const cell = shown === null || shown === undefined ? { text: '—', unit: '' } : quantity(shown, reading.unit, reading.point);
  const look = good && isCurrent ? 'num' : 'num old';
  const why = good ? null : word('reason', reading.quality);
  return [el('dt', { title: name }, name), el('dd', { class: look, title: why }, cell.text), el('dd', { class: 'unit' }, cell.unit)];
}

function reason(device) {
  if (device.state === 'ok' || device.state === 'never') return null;
  const look = stateLook[device.state];
  return el('p', { class: `reason ${look.tag}` }, word('reason', device.last_bad_reason ?? ''));
}

function card(device) {
  const look = stateLook[device.state] ?? stateLook.never;
  const isCurrent = device.state === 'ok';
  const age = el('p', { class: 'age num' });
  ages.push({ element: age, age: device.age_seconds, at: performance.now() });
  if (device.rule.period_seconds) age.title = t('rule', length(device.rule.period_seconds), length(device.rule.limit_seconds));
  const alarms = shouts(device).map((r) => [
    el('dt', { class: 'shout' }, pointName(r.point, r.title)), el('dd', { class: 'shout' }, word('value', r.value)), el('dd', { class: 'unit' }),
  ]);
  return el('li', { class: `card ${look.card}`, 'data-state': device.state, 'data-device': device.id },
    el('div', {}, el('h3', {}, inBoth(device.title) || device.id), el('p', { class: 'id' }, `${device.id} · ${device.link}`)),
    el('div', { class: 'stands' }, el('span', { class: `tag ${look.tag}` }, icon(look.icon), word('state', device.state)), age),
    reason(device),
    !isCurrent && device.state !== 'never' ? el('p', { class: 'heading' }, t('lastKnown')) : null,
    el('dl', { class: 'values' }, alarms, chosen(device).map((reading) => value(reading, isCurrent))));
}

/** Ages grow while nothing comes: that is the point of showing them. */
export function tickAges() {
  for (const { element, age, at } of ages) {
    element.textContent = age === null ? t('neverRead') : t('lastReading', length(age + (performance.now() - at) / 1000));
  }
}

export function drawDevices(answer) {
  const list = byId('devices');
  ages.length = 0;
  if (answer.devices.length === 0) {
    list.replaceChildren(el('li', { class: 'muted' }, t('noDevices')));
  } else {
    list.replaceChildren(...answer.devices.map(card));
  }
  tickAges();
  const states = ['ok', 'stale', 'dead', 'silent', 'never'];
  const parts = states.map((s) => [s, answer.devices.filter((d) => d.state === s).length]).filter(([, n]) => n > 0);
  byId('devices-count').textContent = parts.map(([s, n]) => `${n} ${word('state', s)}`).join(' · ');
}
