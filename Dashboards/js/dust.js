// PM10 of every station over the last 24 hours, with the limit lines of the alarm rules.

import { byId, colour, el, swatch } from './dom.js';
import { ask, askAll, table } from './gateway.js';
import { inBoth, number, pretty, stamp, t, time } from './words.js';

const step = { '1min': 60_000, '15min': 900_000 };
const dashes = [[], [9, 4], [3, 3], [12, 4, 3, 4]];
let chart = null;
let drawn = null;

/** The page writes its own legend; the library's sets style attributes, which the page's policy forbids. */
function leaveOutLegend() {
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
}

export async function loadDust(resolution) {
  const { series } = await askAll('series', 'series', { point: 'pm10' });
  const answers = await Promise.all(series.map((s) => ask(`series/${encodeURIComponent(s.id)}/rollups`, { resolution })));
  return { resolution, stations: series.map((s, i) => ({ ...s, range: answers[i], means: table(answers[i]) })) };
}

/** Rows for the chart: one for each bucket of the range; a bucket without a mean is a gap. */
function rows(data) {
  const width = step[data.resolution];
  const first = data.stations[0].range;
  const start = Math.ceil(Date.parse(first.from) / width) * width;
  const end = Date.parse(first.to);
  const byTime = data.stations.map((s) => new Map(s.means.map((m) => [Date.parse(m.start), m.mean])));
  const list = [];
  for (let at = start; at < end; at += width) list.push([at, ...byTime.map((means) => means.get(at) ?? null)]);
  return list;
}

function limits(data) {
  const seen = new Map();
  for (const line of data.stations.flatMap((s) => s.limits)) if (!seen.has(line.above)) seen.set(line.above, line);
  return [...seen.values()];
}

const palette = () => [1, 2, 3, 4, 5].map((n) => colour(`--series-${n}`));

function legend(data, at) {
  const colours = palette();
  const unit = data.stations[0]?.unit ?? '';
  const items = data.stations.map((station, i) => {
    const name = inBoth(station.device_title) || station.device;
    const mean = at ? at[i + 1] : station.means.findLast((m) => m.mean !== null)?.mean;
    return el('li', {}, swatch(colours[i % colours.length], dashes[i % dashes.length]), `${name} `,
      el('b', { class: 'num' }, mean === null || mean === undefined ? t('noValue') : pretty(mean, unit)));
  });
  for (const line of limits(data)) {
    items.push(el('li', { title: inBoth(line.title) }, swatch(colour('--limit'), [6, 4]), t('limit', pretty(line.above, line.unit))));
  }
  if (at) items.push(el('li', { class: 'muted num' }, stamp(at[0])));
  byId('dust-legend').replaceChildren(...items);
}

/** Ticks at whole hours of the site's own clock, wherever the reader sits. */
function hourTicks(from, to, pixels, offset) {
  const hours = pixels < 420 ? 6 : pixels < 760 ? 4 : 2;
  const width = hours * 3_600_000;
  const ticks = [];
  for (let at = Math.ceil((from + offset) / width) * width - offset; at <= to; at += width) ticks.push({ v: at, label: time(at) });
  return ticks;
}

function drawLimits(context, area, dygraph, lines) {
  context.save();
  context.strokeStyle = colour('--limit');
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  for (const line of lines) {
    const y = dygraph.toDomYCoord(line.above);
    context.beginPath();
    context.moveTo(area.x, y);
    context.lineTo(area.x + area.w, y);
    context.stroke();
  }
  context.restore();
}

export function drawDust(data, offsetSeconds) {
  drawn = data;
  const place = byId('dust-chart');
  const empty = (text) => {
    chart?.destroy();
    chart = null;
    byId('dust-legend').replaceChildren();
    place.replaceChildren(el('p', { class: 'empty' }, text));
  };
  if (data.stations.length === 0) return empty(t('noDust'));
  if (data.stations.every((s) => s.means.length === 0)) return empty(t('noDustData'));
  const list = rows(data);
  const lines = limits(data);
  const top = Math.max(50, ...lines.map((l) => l.above), ...list.flatMap((row) => row.slice(1).map((v) => v ?? 0))) * 1.12;
  legend(data, null);
  const summary = data.stations.map((s) => `${inBoth(s.device_title)}: ${pretty(Math.max(...s.means.map((m) => m.mean ?? 0)), s.unit)} max`);
  place.setAttribute('aria-label', `${t('dustTitle')}. ${summary.join('; ')}`);
  const options = {
    labels: ['t', ...data.stations.map((s) => s.id)],
    colors: data.stations.map((_, i) => palette()[i % 5]),
    series: Object.fromEntries(data.stations.map((s, i) => [s.id, { strokePattern: dashes[i % dashes.length].length ? dashes[i % dashes.length] : null }])),
    strokeWidth: 2, connectSeparatedPoints: false, drawPoints: false, legend: 'never', highlightCircleSize: 4,
    valueRange: [0, top], gridLineColor: colour('--grid'), axisLineColor: colour('--grid'), axisLabelFontSize: 12,
    xRangePad: 4, rightGap: 8,
    axes: {
      x: { ticker: (from, to, pixels) => hourTicks(from, to, pixels, offsetSeconds * 1000), drawGrid: false },
      y: { axisLabelWidth: 40, axisLabelFormatter: (v) => number(v, 0), pixelsPerLabel: 45 },
    },
    underlayCallback: (context, area, dygraph) => drawLimits(context, area, dygraph, lines),
    highlightCallback: (event, x) => { const at = list.find((row) => row[0] === x); if (at) legend(drawn, at); },
    unhighlightCallback: () => legend(drawn, null),
    interactionModel: {},
  };
  chart?.destroy();
  place.replaceChildren();
  leaveOutLegend();
  chart = new Dygraph(place, list, options);
  const buckets = data.stations.reduce((sum, s) => sum + list.length - s.means.length, 0);
  byId('dust-note').textContent = buckets > 0 ? t('missingNote') : '';
}

/** The highest newest good reading of a station that answers, for the figures at a glance. */
export function newestDust(devices) {
  const readings = devices.filter((d) => d.state === 'ok')
    .flatMap((device) => device.readings.filter((r) => r.point === 'pm10' && r.quality === 'good').map((reading) => ({ device, reading })));
  return readings.toSorted((a, b) => b.reading.value - a.reading.value)[0] ?? null;
}
