// How far each platform has been told: what is owed, what was sent last.

import { byId, el, icon } from './dom.js';
import { moment, number, t } from './words.js';

/** @param name what stands for the receiver: its id, or a link to more of it. */
function row(uplink, name, now) {
  const failing = ['retry', 'rejected'].includes(uplink.last_outcome);
  const look = failing ? ['is-bad', 'bad', 'failing'] : uplink.owed > 0 ? ['is-warn', 'warn', 'behind'] : ['is-ok', 'ok', 'upToDate'];
  const parts = [
    uplink.last_accepted ? t('lastSent', moment(Date.parse(uplink.last_accepted), now)) : t('neverSent'),
    t('owed', number(uplink.owed, 0)) + (uplink.oldest_owed ? ` (${t('owedSince', moment(Date.parse(uplink.oldest_owed), now))})` : ''),
    t('accepted', number(uplink.accepted, 0)),
    uplink.rejected > 0 ? t('rejected', number(uplink.rejected, 0)) : null,
    uplink.expired > 0 ? t('expired', number(uplink.expired, 0)) : null,
    failing ? uplink.last_reason : null,
  ].filter(Boolean);
  return el('li', { class: 'uplink num' }, el('span', { class: `tag ${look[0]}` }, icon(look[1]), t(look[2])), el('b', {}, name), el('span', {}, parts.join(' · ')));
}

function draw(place, list, time, none, nameOf) {
  const now = Date.parse(time);
  byId(place).replaceChildren(...(list.length ? list.map((u) => row(u, nameOf(u), now)) : [el('li', { class: 'muted' }, t(none))]));
}

export function drawUplinks(answer) { draw('uplinks', answer.uplinks, answer.time, 'noUplinks', (uplink) => el('a', { href: `uplinks.html?uplink=${encodeURIComponent(uplink.id)}` }, uplink.id)); }

export function drawFeeds(answer) { draw('feeds', answer.feeds, answer.time, 'noFeeds', (feed) => feed.id); }
