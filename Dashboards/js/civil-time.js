// Civil time of the site, as a form or a day of the calendar tells it, beside instants.

import { zoneName } from './words.js';

const day = 86_400_000;

/** How far the site's clocks are ahead of UTC at an instant, in milliseconds. */
function ahead(instant) {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zoneName(), hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }).formatToParts(new Date(instant));
  const of = (type) => Number(parts.find((part) => part.type === type).value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - Math.floor(instant / 1000) * 1000;
}

/** The instant at which the site's clocks show `2026-11-21T14:00`: of an hour that comes twice the first, of one that is left out the hour before; NaN for what is no time. */
export function instantOf(civil) {
  const shown = Date.parse(`${civil}Z`);
  if (Number.isNaN(shown)) return NaN;
  // A change of the clocks lies between the offset of the day before and that of the day after.
  const found = [shown - day, shown + day].map((near) => shown - ahead(near)).sort((a, b) => a - b);
  return found.find((instant) => instant + ahead(instant) === shown) ?? found[0];
}

/** An instant in RFC 3339 with the site's offset, to the second. */
export function rfc3339(instant) {
  const offset = ahead(instant);
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (value) => String(value).padStart(2, '0');
  return `${new Date(instant + offset).toISOString().slice(0, 19)}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `2026-11-21` or `2026-11-21T14:00` as so many milliseconds later on a clock that is never changed, in the same form. */
export const later = (civil, milliseconds) => new Date(Date.parse(civil.length === 10 ? civil : `${civil}Z`) + milliseconds).toISOString().slice(0, civil.length);
