// The words of the page in both languages, and how numbers, units and times are written.

const texts = {
  skip: ['Skip to the content', '跳到正文'],
  language: ['Language', '语言'],
  pages: ['Pages', '页面'],
  pageSite: ['Site', '现场'],
  pageEnergy: ['Energy', '能源'],
  pageUplinks: ['Reporting', '上报'],
  resolution: ['Resolution', '分辨率'],
  atAGlance: ['At a glance', '概览'],
  openAlarms: ['Open alarms', '未关闭报警'],
  dustTitle: ['PM10, last 24 hours', 'PM10 最近 24 小时'],
  mean15: ['15-min mean', '15 分钟均值'],
  mean1: ['1-min mean', '1 分钟均值'],
  energyTitle: ['Energy today by meter', '今日分表电量'],
  hoursTitle: ['Hours of today', '今日逐时电量'],
  devices: ['Devices', '设备'],
  uplinks: ['Reports to platforms', '平台上报'],
  loading: ['Reading the gateway …', '正在读取网关数据…'],
  noAlarms: ['No open alarms', '当前无未关闭报警'],
  outlook: ['Soon exceeded', '即将超标'],
  ahead: ['exceeded in {0} at this rate', '按此速度{0}后超标'],
  noAlarmsMore: ['Every rule is within its limit.', '各项指标均在限值以内。'],
  noDevices: ['No device is configured yet.', '尚未配置设备。'],
  noDust: ['No station on this site measures PM10.', '本工地没有监测 PM10 的设备。'],
  noDustData: ['No means yet: the first appears when its bucket closes.', '暂无均值数据:首个时段结束后显示。'],
  noMeters: ['No meter is configured yet.', '尚未配置电表。'],
  feeds: ['Who hears of alarms', '报警推送'],
  noFeeds: ['Nobody is told of alarms.', '未配置报警推送。'],
  noUplinks: ['No platform is configured to report to.', '未配置上报平台。'],
  offline: ['The gateway does not answer since {0}. What you see is from then; trying again …', '网关自 {0} 起无应答。以下为当时数据,正在重试…'],
  failed: ['This part could not be read: {0}', '此部分读取失败:{0}'],
  starting: ['The gateway is starting', '网关启动中'],
  fault: ['Gateway fault: {0}', '网关故障:{0}'],
  allOk: ['Everything in order', '一切正常'],
  attention: ['{0} of {1} devices need attention', '{1} 台设备中 {0} 台需关注'],
  alarmState: ['{0} open alarms', '{0} 条未关闭报警'],
  alarmStateOne: ['1 open alarm', '1 条未关闭报警'],
  offlineState: ['Gateway does not answer', '网关无应答'],
  live: ['Live', '实时更新'],
  polling: ['Updating every {0} s (no event stream)', '每 {0} 秒更新(无事件流)'],
  rowNumber: ['journal row {0}', '日志第 {0} 行'],
  devicesInOrder: ['Devices in order', '设备正常'],
  ofTotal: ['of {0}', '/ {0}'],
  alarmsNow: ['Open alarms', '未关闭报警'],
  oldest: ['since {0}', '自 {0} 起'],
  energyNow: ['Energy today', '今日用电量'],
  intensityNow: ['Intensity today', '今日单位面积电耗'],
  perArea: ['floor area {0} m²', '建筑面积 {0} m²'],
  noArea: ['no floor area given', '未填建筑面积'],
  dustNow: ['PM10 now, highest', '当前 PM10 最高值'],
  newestReading: ['newest reading', '最新读数'],
  noValue: ['no value', '无数值'],
  none: ['none', '无'],
  soFar: ['so far', '截至目前'],
  estimated: ['estimated', '含估算'],
  coverage: ['coverage {0} %', '数据完整率 {0} %'],
  coverageUnknown: ['coverage unknown', '数据完整率未知'],
  unmetered: ['not sub-metered', '未分项计量'],
  exported: ['export', '上网'],
  noData: ['no data', '无数据'],
  estimatedNote: ['≈ hatched: estimated, because readings are missing or a counter was reset.', '≈ 斜线:估算值(有读数缺失或计数器复位)。'],
  missingNote: ['Gaps are hours without data.', '空缺为无数据时段。'],
  limit: ['limit {0}', '限值 {0}'],
  evidence: ['{0} {1}, limit {2}, {3}', '{0} {1},限值 {2},{3}'],
  mean: ['{0} mean', '{0}均值'],
  reading: ['reading', '读数'],
  since: ['since {0}', '自 {0} 起'],
  history: ['from history', '历史回补'],
  activeUnack: ['active, not acknowledged', '报警中,未确认'],
  activeAck: ['active, acknowledged', '报警中,已确认'],
  latched: ['over, to be reset', '已恢复,待复位'],
  deviceSays: ['the device says: {0}', '设备报: {0}'],
  lasting: ['for {0}', '已持续 {0}'],
  returnedUnack: ['returned to normal, not acknowledged', '已恢复,未确认'],
  lastReading: ['good reading {0} ago', '{0}前有效读数'],
  neverRead: ['no good reading known', '无有效读数'],
  lastKnown: ['last known values, not current', '最后已知数值(非当前值)'],
  rule: ['every {0}; not in order after {1} without a good reading', '周期 {0};超过 {1} 无有效读数即判为异常'],
  owed: ['owed: {0}', '待报:{0}'],
  owedSince: ['oldest {0}', '最早 {0}'],
  lastSent: ['last sent {0}', '最近上报 {0}'],
  neverSent: ['nothing sent yet', '尚未上报'],
  accepted: ['{0} accepted', '已接收 {0}'],
  rejected: ['{0} rejected', '被拒 {0}'],
  expired: ['{0} expired', '过期 {0}'],
  upToDate: ['up to date', '已全部上报'],
  behind: ['behind', '有积压'],
  failing: ['not accepted', '上报失败'],
  area: ['{0} m²', '{0} m²'],
  meter: ['Meter', '电表'],
  legendNow: ['now', '当前'],
};

const words = {
  state: {
    ok: ['in order', '正常'], stale: ['no good value', '数据无效'], dead: ['does not answer', '无应答'],
    silent: ['silent', '无上报'], never: ['never heard', '从未上线'],
  },
  phase: { construction: ['construction site', '施工阶段'], operation: ['in operation', '运营阶段'] },
  alarmWord: { normal: ['normal', '正常'], warning: ['pre-alarm', '预警'], alarm: ['alarm', '报警'] },
  severity: {
    info: ['note', '提示'], notice: ['note', '提示'], low: ['low', '低'], warning: ['warning', '警告'], medium: ['warning', '警告'],
    high: ['serious', '严重'], alarm: ['serious', '严重'], critical: ['critical', '紧急'], urgent: ['critical', '紧急'],
  },
  reason: {
    absent: ['the message holds no value', '报文中无此数值'],
    invalid: ['it reports an invalid value', '上报数值无效'],
    out_of_range: ['its value is outside the plausible range', '数值超出合理范围'],
    unknown_code: ['it reports an unknown code', '上报未知状态码'],
    stale: ['it repeats an old value', '重复上报旧数据'],
    timeout: ['no answer in time (time-out)', '通信超时'],
    exception: ['it answers with an error (Modbus exception)', '返回 Modbus 异常码'],
    foreign_answer: ['answers that do not belong to the question', '应答与请求不符'],
    disconnected: ['the link is not connected', '链路未连接'],
    missed: ['the poll came too late', '轮询超时未执行'],
    not_identified: ['it is another device than its profile describes', '设备与档案不符'],
    malformed: ['its messages cannot be read', '报文无法解析'],
    '': ['nothing has come for longer than expected', '超过预期时间未收到数据'],
  },
  quantity: {
    pm10: ['PM10', 'PM10'], pm2_5: ['PM2.5', 'PM2.5'], tsp: ['TSP', 'TSP'], sound_level: ['Noise', '噪声'],
    wind_speed: ['Wind', '风速'], wind_direction: ['Wind from', '风向'], air_temperature: ['Temperature', '气温'],
    relative_humidity: ['Humidity', '湿度'], air_pressure: ['Pressure', '气压'],
    load_mass: ['Load', '吊重'], load_moment_ratio: ['Moment', '力矩'], load_ratio: ['Load share', '载重比'],
    trolley_radius: ['Radius', '幅度'], hook_height: ['Hook height', '吊钩高度'], slew_angle: ['Slew angle', '回转角'],
    active_power: ['Power', '功率'], voltage: ['Voltage', '电压'], current: ['Current', '电流'],
    power_factor: ['Power factor', '功率因数'], frequency: ['Frequency', '频率'], work_status: ['Status', '工作状态'],
    'active_energy.import': ['Energy import', '正向电量'], 'active_energy.export': ['Energy export', '反向电量'],
    alarm_load: ['Load alarm', '超重报警'], alarm_moment: ['Moment alarm', '力矩报警'], alarm_wind: ['Wind alarm', '风速报警'],
    alarm_height: ['Height limit', '高度限位'], alarm_collision: ['Collision alarm', '碰撞报警'], alarm_tilt: ['Tilt alarm', '倾斜报警'],
    alarm_radius_inner: ['Inner radius limit', '幅度内限位'], alarm_radius_outer: ['Outer radius limit', '幅度外限位'],
    alarm_slew_left: ['Left slew limit', '左回转限位'], alarm_slew_right: ['Right slew limit', '右回转限位'],
  },
  value: {
    normal: ['normal', '正常'], warning: ['warning', '预警'], alarm: ['alarm', '报警'], idle: ['idle', '空闲'],
    working: ['working', '工作中'], jacking: ['jacking', '顶升'], maintenance: ['maintenance', '维护'], on: ['on', '开'], off: ['off', '关'],
  },
  length: { s: [' s', ' 秒'], min: [' min', ' 分钟'], h: [' h', ' 小时'], d: [' d', ' 天'] },
};

let index = 0;
let zone = 'UTC';

export const language = {
  get tag() { return index === 1 ? 'zh' : 'en'; },
  get locale() { return index === 1 ? 'zh-CN' : 'en-GB'; },
  set tag(tag) { index = tag === 'zh' ? 1 : 0; document.documentElement.lang = index === 1 ? 'zh-CN' : 'en'; },
  /** `?lang=` first, then the reader's last choice, then the browser's languages. */
  choose() {
    const asked = new URLSearchParams(location.search).get('lang');
    let kept = null;
    try { kept = localStorage.getItem('language'); } catch { /* private windows may refuse */ }
    const wanted = asked ?? kept ?? navigator.language ?? 'en';
    this.tag = wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  },
  keep(tag) {
    this.tag = tag;
    try { localStorage.setItem('language', tag); } catch { /* as above */ }
  },
};

export function setZone(name) {
  try { new Intl.DateTimeFormat('en', { timeZone: name }); zone = name; } catch { zone = 'UTC'; }
}
/** The zone in which times are written. */
export const zoneName = () => zone;

/** Takes the words of one page, `key: [English, Chinese]`, beside those of all. */
export const learn = (more) => { Object.assign(texts, more); };

const fill = (text, values) => text.replace(/\{(\d)\}/g, (_, n) => values[Number(n)] ?? '');
export const t = (key, ...values) => fill(texts[key]?.[index] ?? key, values);
export const word = (list, key) => words[list][key]?.[index] ?? String(key ?? '').replaceAll('_', ' ');
export const inBoth = (title) => (title ? title[language.tag] || title.en : '');

// Units: how canonical units are shown to people: [factor, shown unit, decimals].
const units = {
  'ug/m3': [1, 'µg/m³', 0], 'µg/m³': [1, 'µg/m³', 0], 'mg/m3': [1, 'mg/m³', 3], 'dB(A)': [1, 'dB(A)', 1], 'm/s': [1, 'm/s', 1], deg: [1, '°', 0],
  Cel: [1, '°C', 1], '%RH': [1, '%', 0], Pa: [0.001, 'kPa', 1], W: [0.001, 'kW', 1], var: [0.001, 'kvar', 1],
  VA: [0.001, 'kVA', 1], kWh: [1, 'kWh', 1], kvarh: [1, 'kvarh', 1], V: [1, 'V', 1], A: [1, 'A', 1], Hz: [1, 'Hz', 2],
  kg: [0.001, 't', 2], m: [1, 'm', 1], '{count}': [1, '', 0], m2: [1, 'm²', 0], 'kWh/m2': [1, 'kWh/m²', 4], lx: [1, 'lx', 0],
};
const shares = new Set(['load_moment_ratio', 'load_ratio']);

export function number(value, decimals) {
  return new Intl.NumberFormat(language.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    .format(value).replace(/^-(?=0([.,]0*)?$)/, '');
}

/** A share in per cent that never rounds up to 100 what is not. */
export const percent = (value) => number(value < 100 && value > 99.9 ? 99.9 : value, 1);

/** A number in people's units: `{ text, unit }`. */
export function quantity(value, unit, point = '') {
  if (typeof value !== 'number') return { text: word('value', value), unit: '' };
  if (shares.has(point.split('.')[0])) return { text: number(value * 100, 0), unit: '%' };
  const [factor, shown, decimals] = units[unit] ?? [1, unit === '1' ? '' : unit, 2];
  const scaled = value * factor;
  const places = unit === 'kWh' && Math.abs(scaled) >= 1000 ? 0 : decimals;
  return { text: number(scaled, places), unit: shown };
}

export function pretty(value, unit, point) {
  const q = quantity(value, unit, point);
  return q.unit ? `${q.text} ${q.unit}` : q.text;
}

/** The name of a point: the page's own word, else the gateway's, else the key itself. */
export function pointName(point, title) {
  const parts = point.split('.');
  const own = words.quantity[parts.slice(0, 2).join('.')] ?? words.quantity[parts[0]];
  const facets = parts.slice(1).filter((f) => !['total', 'import', 'export'].includes(f)).map((f) => f.toUpperCase());
  if (own) return [own[index], ...facets].join(' ');
  return inBoth(title) || point.replaceAll('_', ' ').replaceAll('.', ' ');
}

/** A length of time in its largest sensible units. */
export function length(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const part = (value, unit) => `${value}${words.length[unit][index]}`;
  if (s < 120) return part(s, 's');
  if (s < 7200) return part(Math.floor(s / 60), 'min');
  if (s < 172800) return `${part(Math.floor(s / 3600), 'h')} ${part(Math.floor((s % 3600) / 60), 'min')}`;
  return part(Math.floor(s / 86400), 'd');
}

const formats = new Map();
function format(options) {
  const key = JSON.stringify(options) + language.locale + zone;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language.locale, { timeZone: zone, hourCycle: 'h23', ...options }));
  return formats.get(key);
}
export const time = (t) => format({ hour: '2-digit', minute: '2-digit' }).format(new Date(t));
export const timeWithSeconds = (t) => format({ hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(new Date(t));
export const date = (t) => format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(t));
const day = (t) => format({ year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(t));
const shortDay = (t) => format({ month: 'short', day: 'numeric' }).format(new Date(t));
/** The time alone today, with the day otherwise. */
export const moment = (t, now) => (day(t) === day(now) ? time(t) : `${shortDay(t)} ${time(t)}`);
export const stamp = (t) => `${shortDay(t)} ${time(t)}`;
export const stampWithYear = (t) => `${format({ year: 'numeric', month: 'short', day: 'numeric' }).format(new Date(t))} ${time(t)}`;
