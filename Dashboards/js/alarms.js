// Open alarms, each with the figures that it rests on.

import { byId, el, icon, severityLook } from './dom.js';
import { inBoth, length, moment, number, pretty, t, word } from './words.js';

const standing = { active_unacknowledged: 'activeUnack', active_acknowledged: 'activeAck', returned_unacknowledged: 'returnedUnack', latched: 'latched' };
const rank = { 'is-bad': 0, 'is-warn': 1, 'is-info': 2 };

function window(evidence) {
  const seconds = (Date.parse(evidence.window_end) - Date.parse(evidence.window_start)) / 1000;
  return seconds > 0 ? t('mean', length(seconds)) : t('reading');
}

// A word of the device, a span of time, or a figure beside its limit.
function evidence(alarm) {
  const e = alarm.evidence;
  if (e.word !== null) return [el('b', {}, t('deviceSays', word('alarmWord', e.word)))];
  if (e.unit === 's' && e.limit !== null) {
    return [el('b', { class: 'num' }, t('lasting', length(e.value))), `, ${t('limit', length(e.limit))}`];
  }
  const coverage = e.coverage === null ? t('coverageUnknown') : t('coverage', number(e.coverage * 100, 0));
  return [
    el('b', { class: 'num' }, `${window(e)} ${pretty(e.value, e.unit)}`),
    `, ${t('limit', pretty(e.limit, e.unit))}, ${coverage}`,
  ];
}

function row(alarm, now) {
  const look = severityLook(alarm.severity);
  const place = inBoth(alarm.device_title) || alarm.device;
  return el('li', { class: `alarm ${look.look}` },
    icon(look.icon),
    el('p', { class: 'what' }, `${inBoth(alarm.title)} · ${place}`),
    el('p', { class: 'kind' }, word('severity', alarm.severity)),
    el('p', { class: 'why' }, evidence(alarm), `, ${t('since', moment(Date.parse(alarm.onset), now))}`),
    el('p', { class: 'stand' }, t(standing[alarm.state] ?? 'activeUnack'), alarm.actor ? ` · ${alarm.actor}${alarm.note ? `: ${alarm.note}` : ''}` : '', alarm.backfill ? ` · ${t('history')}` : ''));
}

export function drawAlarms(answer) {
  const now = Date.parse(answer.time);
  const list = byId('alarms');
  if (answer.alarms.length === 0) {
    list.replaceChildren(el('li', { class: 'all-well' }, icon('ok'), el('span', {}, t('noAlarms')), el('span', { class: 'muted' }, t('noAlarmsMore'))));
    return;
  }
  const sorted = answer.alarms.toSorted((a, b) => rank[severityLook(a.severity).look] - rank[severityLook(b.severity).look]);
  list.replaceChildren(...sorted.map((alarm) => row(alarm, now)));
}

// What will be exceeded if things go on as they do: said while somebody can still act.
export function drawOutlook(answer) {
  byId('outlook').replaceChildren(...answer.outlook.slice(0, 5).map((line) => el('li', { class: 'alarm is-info' },
    icon('warn'),
    el('p', { class: 'what' }, `${inBoth(line.title)} · ${line.device_title ? inBoth(line.device_title) : line.device}`),
    el('p', { class: 'kind' }, t('ahead', length(Math.max(60, Math.ceil(line.left_seconds / 60) * 60)))),
    el('p', { class: 'why' }, el('b', { class: 'num' }, `${t('mean', length(line.over_seconds))} ${pretty(line.mean, line.unit)}`), `, ${t('limit', pretty(line.limit, line.unit))}`))));
}
