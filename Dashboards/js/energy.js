// Today's energy: one bar for each meter, and the hours of today stacked by sub-meter.

import { box, byId, colour, el } from './dom.js';
import { inBoth, number, pretty, t, time } from './words.js';

let meterChart = null;
let hourChart = null;

const isExport = (meter) => meter.role !== 'consumption';
const nameOf = (meter) => (inBoth(meter.title) || meter.id) + (isExport(meter) ? ` (${t('exported')})` : '');
const palette = () => [1, 2, 3, 4, 5].map((n) => colour(`--series-${n}`));

/** One colour for each meter, the same in both charts: the site's meter first, then those below. */
function coloursOf(answer) {
  const root = siteMeter(answer);
  const others = answer.meters.filter((m) => m !== root);
  return new Map([[root?.id, palette()[0]], ...others.map((m, i) => [m.id, palette()[1 + (i % 4)]])]);
}

/** Hatching says "estimated" without relying on colour. */
export function hatch(fill) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const context = tile.getContext('2d');
  context.fillStyle = fill;
  context.globalAlpha = 0.35;
  context.fillRect(0, 0, 8, 8);
  context.globalAlpha = 1;
  context.strokeStyle = fill;
  context.lineWidth = 2;
  for (const shift of [-8, 0, 8]) {
    context.beginPath();
    context.moveTo(shift, 8);
    context.lineTo(shift + 8, 0);
    context.stroke();
  }
  return context.createPattern(tile, 'repeat');
}

const fillFor = (base, figure) => (figure?.quality === 'estimated' ? hatch(base) : base);
const today = (meter) => meter.figures.at(-1) ?? null;
const label = (figure) => {
  if (!figure || figure.amount === null) return t('noData');
  return `${figure.quality === 'estimated' ? '≈ ' : ''}${pretty(figure.amount, 'kWh')}`;
};

/** The meter that measures the site: the root with the most below it. */
export function siteMeter(answer) {
  const roots = answer.meters.filter((m) => !m.parent && !isExport(m));
  const below = (id) => answer.meters.filter((m) => m.parent === id).length;
  return roots.toSorted((a, b) => below(b.id) - below(a.id))[0] ?? null;
}

/** Root first, its children below it. */
function ordered(meters) {
  const list = [];
  const add = (parent, depth) => {
    for (const meter of meters.filter((m) => (m.parent ?? null) === parent)) {
      list.push({ meter, depth });
      add(meter.id, depth + 1);
    }
  };
  add(null, 0);
  return list;
}

const values = {
  id: 'values',
  afterDatasetsDraw(chart) {
    const { ctx } = chart;
    ctx.save();
    ctx.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textBaseline = 'middle';
    chart.getDatasetMeta(0).data.forEach((bar, i) => {
      const text = chart.data.datasets[0].labels[i];
      const width = ctx.measureText(text).width;
      const inside = bar.x + width + 10 > chart.chartArea.right + 84;
      ctx.fillStyle = inside ? colour('--card') : colour('--ink');
      ctx.fillText(text, inside ? bar.x - width - 8 : bar.x + 6, bar.y);
    });
    ctx.restore();
  },
};

const common = () => ({
  responsive: true, maintainAspectRatio: false, animation: false,
  font: { family: getComputedStyle(document.body).fontFamily },
  plugins: { legend: { display: false }, tooltip: { enabled: true } },
});

function drawMeters(answer) {
  const list = ordered(answer.meters);
  const colours = coloursOf(answer);
  const fills = list.map(({ meter }) => fillFor(colours.get(meter.id), today(meter)));
  const options = {
    ...common(), indexAxis: 'y', layout: { padding: { right: 84 } },
    scales: {
      x: { display: false, beginAtZero: true },
      y: { grid: { display: false, drawBorder: false }, ticks: { color: colour('--ink'), font: { size: 13 }, crossAlign: 'far' } },
    },
  };
  options.plugins.tooltip = { enabled: false };
  meterChart?.destroy();
  byId('meters-chart').parentElement.style.height = `${Math.max(90, list.length * 31 + 12)}px`;
  meterChart = new Chart(byId('meters-chart'), {
    type: 'bar',
    data: {
      labels: list.map(({ meter, depth }) => `${depth ? '– '.repeat(depth) : ''}${nameOf(meter)}`),
      datasets: [{ data: list.map(({ meter }) => today(meter)?.amount ?? null), backgroundColor: fills, borderRadius: 3, barPercentage: 0.72, categoryPercentage: 1, labels: list.map(({ meter }) => label(today(meter))) }],
    },
    options, plugins: [values],
  });
}

/** Children stacked, and what no child measures on top; hours without data stay empty. */
function stacks(answer, root) {
  const children = answer.meters.filter((m) => m.parent === root.id && !isExport(m));
  const colours = coloursOf(answer);
  const parts = (children.length ? children : [root]).map((m) => ({ name: nameOf(m), fill: colours.get(m.id), hours: m.hours }));
  if (children.length) {
    const rest = root.hours.map((hour, i) => {
      const known = children.map((c) => c.hours[i]?.amount);
      if (hour.amount === null || known.some((k) => k === null || k === undefined)) return { ...hour, amount: null };
      return { ...hour, amount: Math.max(0, hour.amount - known.reduce((a, b) => a + b, 0)) };
    });
    const total = rest.reduce((sum, h) => sum + (h.amount ?? 0), 0);
    if (total > 0.05) parts.push({ name: t('unmetered'), fill: colour('--rest'), hours: rest });
  }
  return parts;
}

function drawHours(answer, root) {
  const parts = stacks(answer, root);
  const starts = root.hours.map((h) => Date.parse(h.start));
  // The axis shows the whole day, so that the bars grow into it.
  while (starts.length > 0 && starts.length < 24) starts.push(starts.at(-1) + 3_600_000);
  const options = {
    ...common(),
    scales: {
      x: { stacked: true, grid: { display: false }, ticks: { color: colour('--soft'), maxRotation: 0, autoSkip: true, autoSkipPadding: 14, font: { size: 11 } } },
      y: { stacked: true, beginAtZero: true, grid: { color: colour('--grid'), drawBorder: false }, ticks: { color: colour('--soft'), maxTicksLimit: 4, font: { size: 11 }, callback: (v) => number(v, 0) }, title: { display: true, text: 'kWh', color: colour('--soft'), font: { size: 11 } } },
    },
  };
  options.plugins.tooltip = { callbacks: { label: (item) => `${item.dataset.label}: ${pretty(item.raw ?? 0, 'kWh')}` } };
  hourChart?.destroy();
  hourChart = new Chart(byId('hours-chart'), {
    type: 'bar',
    data: {
      labels: starts.map((s) => time(s)),
      datasets: parts.map((part) => ({
        label: part.name, data: part.hours.map((h) => h.amount), stack: 'all', barPercentage: 0.9, categoryPercentage: 0.92,
        backgroundColor: part.hours.map((h) => fillFor(part.fill, h)),
      })),
    },
    options,
  });
  byId('hours-legend').replaceChildren(...parts.map((part) => el('li', {}, box(part.fill), part.name)));
}

/** The same figures as a table, for those who cannot see the charts. */
function drawTable(answer) {
  const head = el('tr', {}, ...[t('meter'), 'kWh', 'kWh/m²', t('coverage', '')].map((h) => el('th', { scope: 'col' }, h)));
  const body = answer.meters.map((meter) => {
    const f = today(meter);
    return el('tr', {}, el('th', { scope: 'row' }, nameOf(meter)), el('td', {}, label(f)),
      el('td', {}, f?.intensity === null || !f ? '—' : number(f.intensity, 4)),
      el('td', {}, f?.coverage === null || !f ? t('coverageUnknown') : `${number(f.coverage * 100, 0)} %`));
  });
  byId('energy-table').replaceChildren(el('caption', {}, t('energyTitle')), el('thead', {}, head), el('tbody', {}, ...body));
}

export function drawEnergy(answer) {
  const root = siteMeter(answer);
  const some = answer.meters.length > 0;
  byId('energy-note').textContent = some ? '' : t('noMeters');
  for (const id of ['meters-chart', 'hours-chart']) byId(id).parentElement.hidden = !some;
  byId('hours-title').hidden = !some;
  if (!some) return;
  drawMeters(answer);
  drawTable(answer);
  if (root) drawHours(answer, root);
  const hasEstimate = answer.meters.some((m) => [...m.figures, ...(m.hours ?? [])].some((f) => f.quality === 'estimated'));
  const hasGap = answer.meters.some((m) => (m.hours ?? []).some((f) => f.quality === 'missing' && !f.partial));
  byId('energy-note').textContent = [hasEstimate ? t('estimatedNote') : '', hasGap ? t('missingNote') : ''].filter(Boolean).join(' ');
}
