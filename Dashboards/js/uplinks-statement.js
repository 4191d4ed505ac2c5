// The statement of a month for the inspector, to open or to download.

import { byId, el, show } from './dom.js';
import { address } from './gateway.js';
import { longMonth } from './uplinks-words.js';
import { language, t } from './words.js';

const offered = 13;
const formats = [['html', 'HTML'], ['csv', 'CSV']];
let uplink = null;

const monthBefore = (month, number) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1 - number, 1)).toISOString().slice(0, 7);

function drawFiles() {
  const period = byId('statement-period').value;
  show(byId('statement-files'), formats.map(([format, name]) => {
    const href = address(`uplinks/${encodeURIComponent(uplink)}/statement`, { period, format, language: language.tag });
    const opens = format === 'html' ? { target: '_blank', rel: 'noopener' } : { download: `${uplink}-${period}.${format}` };
    return el('a', { href, 'aria-label': t('fileOf', uplink, longMonth(period), name), ...opens }, name);
  }));
}

/** @param today the site's civil day. */
export function drawStatement(next, today) {
  uplink = next;
  const period = byId('statement-period');
  const months = [...Array(offered)].map((_, i) => monthBefore(today.slice(0, 7), i));
  const chosen = months.includes(period.value) ? period.value : months[0];
  show(period, months.map((month) => el('option', { value: month }, longMonth(month))));
  period.value = chosen;
  drawFiles();
}

export function listenForPeriod() { byId('statement-period').addEventListener('change', drawFiles); }
