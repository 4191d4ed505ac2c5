// The words of the energy page in both languages, and how it writes months and amounts.

import { language, learn, number, quantity } from './words.js';

learn({
  period: ['Period', '期间'],
  month: ['Month', '月份'],
  earlier: ['Month before', '上一月'],
  later: ['Month after', '下一月'],
  asOf: ['Figures as of {0}', '数据截至 {0}'],
  kept: ['The gateway does not answer. What you see is as of {0}; trying again …', '网关无应答。以下为 {0} 的数据,正在重试…'],
  noAnswer: ['The gateway does not answer; trying again …', '网关无应答,正在重试…'],
  partFailed: ['The gateway does not answer.', '网关无应答。'],
  notStated: ['not stated by the gateway', '网关未提供'],
  notKnown: ['not known', '未知'],
  none0: ['no figure', '无数据'],

  howMuch: ['How much', '用了多少'],
  running: ['{0} is not over: {1} of {2} days have passed. What you see is the use so far.', '{0}尚未结束,已过 {1} / {2} 天,以下为截至目前的用量。'],
  gross: ['Electricity, gross', '总用电量'],
  net: ['Electricity, net', '净用电量'],
  perArea: ['Net per m²', '单位面积净用电'],
  cost: ['Cost by price', '用能费用'],
  co2: ['CO₂ of all carriers', '二氧化碳排放'],
  before: ['vs {0}', '环比 {0}'],
  yearBefore: ['vs {0}', '同比 {0}'],
  soFarOf: ['{0}\u00a0% of all of {1}', '已达{1}全月的 {0}\u00a0%'],
  noBefore: ['{0}: {1}', '{0}:{1}'],
  onlyComplete: ['{0}\u00a0% complete', '完整率 {0}\u00a0%'],
  estimatedShare: ['{0}\u00a0% of it estimated', '其中 {0}\u00a0% 为估算'],
  electricityIs: ['electricity {0}', '电量{0}'],
  without: ['without {0} ({1})', '不含{0}({1})'],
  unpriced: ['without {0} that have no price', '不含无价格的 {0}'],
  noAreaGiven: ['no floor area given', '未填建筑面积'],
  noFactor: ['no conversion factor configured', '未配置折算因子'],
  noFactor0: ['no factor', '无折算因子'],
  noTariff: ['no tariff configured', '未配置价格表'],
  nothingCounted: ['nothing was counted in this month', '当月无计量数据'],

  forWhat: ['For what', '用在哪里'],
  forWhatBy: ['Split by', '划分方式'],
  by_items: ['End use', '分项'],
  by_zones: ['Zone', '区域'],
  by_machines: ['Machine', '机械'],
  by_bands: ['Price band', '电价时段'],
  part: ['Part', '分项'],
  share: ['Share', '占比'],
  amount: ['Amount', '用量'],
  noSplit: ['No meter names an end use, a zone or a machine, so nothing can be said about what the electricity was for.', '没有计量点标明分项、区域或机械,无法说明用电去向。'],
  total: ['Total', '合计'],

  comparedWithWhat: ['Compared with what', '与往年比'],
  comparedOf: ['Compare', '比较项'],
  of_net: ['Electricity, net', '净用电'],
  of_generated: ['Generation', '发电'],
  of_water: ['Water', '自来水'],
  of_gas: ['Gas', '燃气'],
  of_diesel: ['Diesel', '柴油'],
  of_energy_cost: ['Cost', '电费'],
  sameMonths: ['{0} {1}: {2} – {3} than the same months of {4}', '{1} 年 {0}:{2},比 {4} 年同期{3}'],
  more: ['{0}\u00a0% more', '多 {0}\u00a0%'],
  less: ['{0}\u00a0% less', '少 {0}\u00a0%'],
  same: ['no more and no less', '持平'],
  notWhole: ['not all of their readings are there', '其中有月份数据不完整'],
  noSameMonths: ['No month that is over has data in both {0} and {1}.', '{0} 年与 {1} 年没有均有数据的完整月份。'],
  runningMonth: ['so far', '未满月'],
  lastYearMissing: ['{0} could not be read: {1}', '{0} 年数据读取失败:{1}'],
  emptyMonths: ['No bar: no data.', '无柱即无数据。'],
  noMonths: ['No month of {0} has data.', '{0} 年尚无月度数据。'],

  willItHold: ['Will the quota hold', '限额守得住吗'],
  yearPassed: ['{0}\u00a0% of {1} has passed (day {2} of {3})', '{1} 年已过 {0}\u00a0%(第 {2} / {3} 天)'],
  noQuotas: ['No quota or target is configured for this site in {0}.', '本项目 {0} 年未配置限额或目标。'],
  usedSoFar: ['used', '已用'],
  expectedEnd: ['expected by year’s end', '年末预测'],
  between: ['between {0} and {1}', '区间 {0} 至 {1}'],
  allowance: ['allowance', '年度限额'],
  limitOf: ['limit {0}', '指标 {0}'],
  expectedExcess: ['expected beyond it: {0}', '预计超出 {0}'],
  surcharge: ['surcharge about {0}, charged by the authority alone', '加价估算 {0}(以主管部门核定为准)'],
  noForecast: ['No forecast', '暂无年末预测'],
  state_within: ['within', '未超限'],
  state_risk: ['at risk', '有超限风险'],
  state_exceeded: ['exceeded', '已超限'],
  state_unknown: ['unknown', '无法判定'],

  meteringPoint: ['Meter', '计量点'],
  byMeter: ['Meter by meter', '逐表用量'],
  ofParent: ['Of parent', '占上级'],
  unaccounted: ['Not accounted for below', '下级未计量'],
  belowMore: ['those below read more', '下级合计超出'],
  complete: ['Complete', '完整率'],
  againstBefore: ['On month', '环比'],
  againstYear: ['On year', '同比'],
  metersNote: ['Changes are told once the month is over.', '月份结束后显示环比与同比。'],
  unaccountedNote: ['Marked: more than {0}\u00a0% of a meter is not found in those below it, or those below read more than it does.', '标记:下级未计量超过 {0}\u00a0%,或下级合计大于上级。'],
  ownPlus: ['estimated {0}\u00a0%', '估算 {0}\u00a0%'],

  statements: ['Statements to download', '报表下载'],
  kind_monthly: ['Statement of the month', '月度用能报表'],
  kind_yearly: ['Statement of the year', '年度用能报表'],
  'kind_annual-return': ['Annual return of building energy', '建筑能耗数据年报'],
  'kind_site-declaration': ['Energy declaration of a construction site', '施工工地能耗申报表'],
  kind_flash: ['Flash report of energy and CO₂', '能耗和碳排放统计快报'],
  kind_disclosure: ['Disclosure of energy and CO₂', '建筑能耗及碳排放公示'],
  kind_institution: ['Assessment of a public institution', '公共机构节能目标考核表'],
  kind_photovoltaic: ['Own photovoltaics set off', '自有光伏发电抵扣核算表'],
  kind_quota: ['Quota and surcharge', '能耗限额执行情况表'],
  kind_savings: ['Savings beside the baselines', '节能量核算表'],
  fileOf: ['{0}, {1}, as {2}', '{0},{1},{2} 格式'],

  notes: ['What the figures rest on', '数据依据'],
  noNotes: ['The gateway has said nothing about it.', '网关未提供说明。'],
  close: ['Close', '关闭'],
  howItCame: ['How this number came about', '该数值的来源'],
  nothingHere: ['nothing', '无'],
});

const civil = (label) => new Date(`${label}-01T00:00:00Z`);
const write = (options) => (label) => new Intl.DateTimeFormat(language.locale, { timeZone: 'UTC', ...options }).format(civil(label));
/** `2026-03` as people write it. */
export const longMonth = write({ year: 'numeric', month: 'long' });
export const midMonth = write({ year: 'numeric', month: 'short' });
export const shortMonth = write({ month: 'short' });
export const monthName = write({ month: 'long' });
export const narrowMonth = write({ month: 'narrow' });

const named = { m3: ['m³', 'm³'], L: ['L', 'L'], CNY: ['CNY', '元'], kgce: ['kgce', 'kgce'], kgCO2: ['kg CO₂', 'kg CO₂'], 'kgCO2/m2': ['kg CO₂/m²', 'kg CO₂/m²'], 'kgce/m2': ['kgce/m²', 'kgce/m²'], 'kgce/person': ['kgce per head', 'kgce/人'], 'kWh/person': ['kWh per head', 'kWh/人'], 'kgCO2/person': ['kg CO₂ per head', 'kg CO₂/人'] };
const both = (pair) => pair[language.tag === 'zh' ? 1 : 0];

/** A unit as people write it. */
export const unitName = (unit) => (named[unit] ? both(named[unit]) : unit.replace('m2', 'm²'));

const significant = (value) => new Intl.NumberFormat(language.locale, { maximumSignificantDigits: 4 }).format(value);

/** An amount at a glance, `{ text, unit }`; its exact digits are in the statements. */
export function glance(value, unit) {
  if (unit === 'kgCO2' && Math.abs(value) >= 10_000) return { text: number(value / 1000, 1), unit: 't CO₂' };
  if (unit.includes('/')) return { text: significant(value), unit: unitName(unit) };
  if (unit === 'kWh') return quantity(value, unit);
  if (unit === '%') return { text: number(value, 1), unit: '%' };
  return { text: number(value, Math.abs(value) >= 1000 ? 0 : 1), unit: unitName(unit) };
}

export function glanceText(value, unit) {
  const { text, unit: name } = glance(value, unit);
  return name ? `${text}\u00a0${name}` : text;
}

/** All digits that came, in the reader's grouping. */
export const exact = (value, unit) => `${new Intl.NumberFormat(language.locale, { maximumFractionDigits: 9 }).format(value)} ${unitName(unit)}`.trim();

/** A change in per cent with its direction in a sign that needs no colour. */
export const change = (percent) => `${percent > 0.05 ? '▲' : percent < -0.05 ? '▼' : '±'} ${number(Math.abs(percent), 1)}\u00a0%`;
