// Compared with what: the months of the year beside those of the year before.

import { box, byId, colour, el, svg } from './dom.js';
import { hatch } from './energy.js';
import { glanceText, monthName, narrowMonth, shortMonth, unitName } from './energy-words.js';
import { choices, numberOf, rowsOf, tableOf, textOf } from './statement.js';
import { number, t } from './words.js';

const offered = ['net', 'energy_cost', 'generated', 'water', 'gas', 'diesel'];
const ofElectricity = ['net', 'energy_cost'];
let chosen = 'net';
let chart = null;

/** The cells of one column by month of the year, `01` to `12`; a month of which nothing was counted has none. */
function column(yearly, key) {
  return new Map(rowsOf(tableOf(yearly, 'months')).map((row) => {
    // Money for electricity that nobody counted is printed as nought, and nought would be a claim.
    const isKnown = key !== 'energy_cost' || numberOf(row.electricity) !== null;
    const cell = isKnown ? row[key] : null;
    const isEstimated = cell?.estimated || (key === 'energy_cost' && row.electricity?.estimated);
    return [textOf(row.month).slice(5, 7), { value: numberOf(cell), isEstimated: Boolean(isEstimated), complete: numberOf(row.completeness_percent) }];
  }));
}

const unitOf = (yearly, key) => tableOf(yearly, 'months')?.columns.find((c) => c.key === key)?.unit ?? '';
const hasNumbers = (cells) => [...cells.values()].some((cell) => cell.value !== null);
const numbers = [...Array(12)].map((_, i) => String(i + 1).padStart(2, '0'));

/** The months that are over and known in both years, added up: the one comparison that is fair. */
function summary(year, now, then, unit, current) {
  const months = numbers.filter((m) => `${year}-${m}` < current && (now.get(m)?.value ?? null) !== null && (then.get(m)?.value ?? null) !== null);
  if (months.length === 0) return t('noSameMonths', year, year - 1);
  const sum = (cells) => months.reduce((total, m) => total + cells.get(m).value, 0);
  const [a, b] = [sum(now), sum(then)];
  const percent = b === 0 ? null : ((a - b) / Math.abs(b)) * 100;
  const told = percent === null || Math.abs(percent) < 0.05 ? t('same') : t(percent > 0 ? 'more' : 'less', number(Math.abs(percent), 1));
  // The table tells how complete the electricity is, and of nothing else.
  const isWhole = !ofElectricity.includes(chosen) || months.every((m) => now.get(m).complete === 100 && then.get(m).complete === 100);
  return t('sameMonths', spans(year, months), year, glanceText(a, unit), told, year - 1) + (isWhole ? '' : ` (${t('notWhole')})`);
}

/** Months as runs, `Feb–Apr, Jun`. */
function spans(year, months) {
  const runs = [];
  for (const m of months) {
    const last = runs.at(-1);
    if (last && Number(last.at(-1)) === Number(m) - 1) last.push(m);
    else runs.push([m]);
  }
  const name = (m) => shortMonth(`${year}-${m}`);
  return runs.map((run) => (run.length > 1 ? `${name(run[0])}–${name(run.at(-1))}` : name(run[0]))).join(', ');
}

function hatchedBox(fill) {
  const box = svg('svg', { viewBox: '0 0 28 10', 'aria-hidden': 'true' }, svg('rect', { x: 8, y: 0, width: 10, height: 10, rx: 2, fill, 'fill-opacity': 0.35 }));
  for (const x of [8, 13]) box.append(svg('line', { x1: x, y1: 10, x2: x + 5, y2: 0, stroke: fill, 'stroke-width': 2 }));
  return box;
}

function dataset(name, cells, fill) {
  return {
    label: name, data: numbers.map((m) => cells.get(m)?.value ?? null), borderRadius: 2, barPercentage: 0.94, categoryPercentage: 0.78,
    backgroundColor: numbers.map((m) => (cells.get(m)?.isEstimated ? hatch(fill) : fill)),
    estimated: numbers.map((m) => Boolean(cells.get(m)?.isEstimated)),
  };
}

function drawChart(year, selected, current, sets, unit) {
  const family = getComputedStyle(document.body).fontFamily;
  const name = byId('months-place').clientWidth < 480 ? narrowMonth : shortMonth;
  const names = numbers.map((m) => (`${year}-${m}` === current ? [name(`${year}-${m}`), t('runningMonth')] : name(`${year}-${m}`)));
  const isSelected = (i) => `${year}-${numbers[i]}` === selected;
  byId('months-chart').setAttribute('aria-label', t('comparedWithWhat'));
  chart?.destroy();
  chart = new Chart(byId('months-chart'), {
    type: 'bar',
    data: { labels: names, datasets: sets },
    options: {
      responsive: true, maintainAspectRatio: false, animation: false, font: { family },
      plugins: {
        legend: { display: false },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.estimated[item.dataIndex] ? '≈ ' : ''}${glanceText(item.raw, unit)}` } },
      },
      scales: {
        x: { grid: { display: false }, ticks: { color: (c) => colour(isSelected(c.index) ? '--ink' : '--soft'), font: (c) => ({ size: 11, family, weight: isSelected(c.index) ? '700' : '400' }), maxRotation: 0, autoSkip: false } },
        y: { beginAtZero: true, grid: { color: colour('--grid'), drawBorder: false }, ticks: { color: colour('--soft'), maxTicksLimit: 6, font: { size: 11, family }, callback: (v) => number(v, 0) }, title: { display: true, text: unitName(unit), color: colour('--soft'), font: { size: 11, family } } },
      },
    },
  });
}

/** The same figures as a table, for those who cannot see the chart and where there is none. */
function drawTable(year, columns, unit) {
  const tell = (cell) => (cell?.value === null || !cell ? t('noData') : `${cell.isEstimated ? '≈ ' : ''}${glanceText(cell.value, unit)}`);
  byId('months-table').replaceChildren(
    el('caption', { class: 'for-readers' }, t('comparedWithWhat')),
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('month')), columns.map(([name]) => el('th', { scope: 'col' }, name)))),
    el('tbody', {}, numbers.map((m) => el('tr', {}, el('th', { scope: 'row' }, monthName(`${year}-${m}`)), columns.map(([, cells]) => el('td', {}, tell(cells.get(m))))))));
}

/**
 * @param year `{ label, statement }` of the chosen month's year; `lastYear` likewise, with the `problem` where it
 *   could not be read.
 * @param selected the chosen month, `current` the one that the site's clock is in.
 */
export function drawMonths(year, lastYear, selected, current) {
  const keys = offered.filter((key) => hasNumbers(column(year.statement, key)) || hasNumbers(column(lastYear.statement, key)));
  if (!keys.includes(chosen)) chosen = keys[0] ?? 'net';
  choices(byId('months-choice'), keys, chosen, 'of_', (key) => { chosen = key; drawMonths(year, lastYear, selected, current); });
  const yearNumber = Number(year.label);
  const [now, then] = [column(year.statement, chosen), column(lastYear.statement, chosen)];
  const unit = unitOf(year.statement, chosen);
  const [isNow, isThen] = [hasNumbers(now), hasNumbers(then)];
  const canDraw = typeof Chart !== 'undefined' && (isNow || isThen);
  byId('months-place').hidden = !canDraw;
  const [thisFill, lastFill] = [colour('--series-1'), colour('--rest')];
  const all = [...(isThen ? [[String(yearNumber - 1), then, lastFill]] : []), ...(isNow ? [[year.label, now, thisFill]] : [])];
  const hasEstimate = all.some(([, cells]) => [...cells.values()].some((cell) => cell.isEstimated));
  byId('months-summary').textContent = !isNow ? t('noMonths', year.label) : isThen ? summary(yearNumber, now, then, unit, current) : lastYear.problem ? '' : t('noMonths', lastYear.label);
  byId('months-legend').hidden = !canDraw;
  byId('months-table').classList.toggle('for-readers', canDraw);
  byId('months-legend').replaceChildren(...all.map(([name, , fill]) => el('li', {}, box(fill), name)),
    hasEstimate ? el('li', {}, hatchedBox(thisFill), t('estimated')) : '');
  if (canDraw) drawChart(yearNumber, selected, current, all.map(([name, cells, fill]) => dataset(name, cells, fill)), unit);
  drawTable(yearNumber, all, unit);
  byId('months-note').textContent = [
    lastYear.problem ? t('lastYearMissing', lastYear.label, lastYear.problem) : '',
    typeof Chart === 'undefined' ? t('failed', 'vendor/chart.js') : t('emptyMonths'),
  ].filter(Boolean).join(' ');
}
