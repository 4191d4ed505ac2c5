// How a platform stands, and what is the worst of a stretch of time: values in, words' keys out.

/** A wait that is over before anybody has read of it is no backlog, in seconds. */
const atOnce = 60;

/** A platform that took something this long before it put us off is there, in milliseconds. */
const stillThere = 120_000;

function isAway(uplink) {
  if (uplink.last_outcome === 'expired') return true;
  if (uplink.last_outcome !== 'retry') return false;
  return !uplink.last_accepted || Date.parse(uplink.last_time) - Date.parse(uplink.last_accepted) >= stillThere;
}

/** How a platform stands: `upToDate`, `sending`, `behind`, `refusing`, `away`, `never` or `unknown`. */
export function standing(uplink) {
  if (uplink.last_outcome === 'rejected') return 'refusing';
  if (isAway(uplink)) return 'away';
  if (uplink.owed === null || uplink.owed === undefined) return 'unknown';
  if (!uplink.last_accepted) return 'never';
  if (uplink.owed === 0) return 'upToDate';
  const left = uplink.catch_up_seconds;
  return typeof left === 'number' && left <= atOnce ? 'sending' : 'behind';
}

/** How a state looks, worst first. */
export const looks = {
  refusing: { tag: 'is-bad', card: 'bad', icon: 'bad', isTrouble: true },
  away: { tag: 'is-bad', card: 'bad', icon: 'silent', isTrouble: true },
  behind: { tag: 'is-warn', card: 'warn', icon: 'warn', isTrouble: true },
  never: { tag: 'is-quiet', card: 'quiet', icon: 'never', isTrouble: true },
  unknown: { tag: 'is-quiet', card: 'quiet', icon: 'never', isTrouble: true },
  sending: { tag: 'is-info', card: '', icon: 'info', isTrouble: false },
  upToDate: { tag: 'is-ok', card: '', icon: 'ok', isTrouble: false },
};
const rank = Object.keys(looks);

/** The worst first, and otherwise as the configuration has them. */
export const inOrder = (uplinks) => uplinks.toSorted((a, b) => rank.indexOf(standing(a)) - rank.indexOf(standing(b)));

/** The counts of an hour or a day, and what a mark calls each of them. */
export const settled = [['accepted', 'accepted'], ['open', 'open'], ['rejected', 'refused'], ['expired', 'expired']];
const counted = ['owed', 'accepted', 'rejected', 'expired', 'open', 'attempts'];

/** Rows added up; what one of them does not know, the sum does not know either. */
export function sum(rows) {
  const add = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a + b : null);
  return Object.fromEntries(counted.map((key) => [key, rows.map((row) => row[key]).reduce(add, 0)]));
}

/** The mark of the worst in a row of counts: given up before refused, before still owed, before not known. */
export function worst(row) {
  if (row.expired > 0) return 'expired';
  if (row.rejected > 0) return 'refused';
  if (row.open > 0) return 'open';
  if ([row.owed, row.accepted, row.rejected, row.expired, row.open].some((value) => typeof value !== 'number')) return 'unknown';
  return row.owed > 0 ? 'accepted' : 'none';
}

/** Rows by what `key` says of each, in the order in which they come. */
export function grouped(rows, key) {
  const groups = new Map();
  for (const row of rows) {
    const name = key(row);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(row);
  }
  return groups;
}
