// One card for each platform: how it stands, what it is owed, what it took; the worst first.

import { byId, el, icon, show } from './dom.js';
import { inOrder, looks, standing } from './uplinks-state.js';
import { count } from './uplinks-words.js';
import { length, moment, number, percent, t } from './words.js';

const narrow = matchMedia('(max-width: 640px)');
/** So many cards leave the rest of the page in reach; more are shown when somebody asks for them. */
const atFirst = () => (narrow.matches ? 4 : 12);
const searchFrom = 7;

let answer = null;
let chosen = null;
let find = '';
let only = 'all';
let isWhole = false;

/** The state of a platform in words. */
export function stateWords(uplink, now) {
  const state = standing(uplink);
  if (state !== 'behind') return t(`state_${state}`);
  return uplink.oldest_owed ? t('state_behind', moment(Date.parse(uplink.oldest_owed), now)) : t('short_behind');
}

export function stateTag(uplink, now) {
  const look = looks[standing(uplink)];
  return el('span', { class: `tag ${look.tag}` }, icon(look.icon), stateWords(uplink, now));
}

const missing = (key) => el('span', { class: 'missing' }, t(key));

function catchUp(uplink) {
  if (uplink.owed === 0) return t('catchUpNone');
  const left = uplink.catch_up_seconds;
  if (typeof left !== 'number') return missing('catchUpUnknown');
  return left < 60 ? t('catchUpNow') : length(left);
}

const share = (value) => (typeof value === 'number' ? `${value < 100 ? percent(value) : '100'}\u00a0%` : missing('notKnown'));

function fact(name, value) {
  return el('div', {}, el('dt', {}, t(name)), el('dd', { class: 'num' }, value));
}

function why(uplink, now) {
  if (!['refusing', 'away'].includes(standing(uplink))) return null;
  const at = uplink.last_time ? `${moment(Date.parse(uplink.last_time), now)} · ` : '';
  return el('p', { class: 'reason is-bad' }, at, uplink.last_reason || t('noReason'));
}

function card(uplink, now) {
  const isChosen = uplink.id === chosen;
  return el('li', { class: `card platform ${looks[standing(uplink)].card}${isChosen ? ' chosen-card' : ''}`, 'data-state': standing(uplink) },
    el('div', {},
      el('h3', {}, el('button', { type: 'button', class: 'choose', 'data-uplink': uplink.id, 'aria-pressed': String(isChosen), title: t('look', uplink.id) }, uplink.id)),
      el('p', { class: 'id' }, uplink.address ?? t('notKnown')),
      el('p', { class: 'id' }, uplink.format ?? t('notKnown'))),
    el('p', { class: 'stands' }, stateTag(uplink, now)),
    why(uplink, now),
    el('dl', { class: 'owes' },
      fact('owedNow', count(uplink.owed)),
      uplink.owed === 0 ? null : fact('oldestOwed', uplink.oldest_owed ? moment(Date.parse(uplink.oldest_owed), now) : missing('notKnown')),
      uplink.owed === 0 ? null : fact('catchUp', catchUp(uplink)),
      fact('lastAccepted', uplink.last_accepted ? moment(Date.parse(uplink.last_accepted), now) : uplink.accepted === 0 ? t('neverAccepted') : missing('notKnown'))),
    el('dl', { class: 'complete', 'aria-label': t('completeness') },
      el('dt', { class: 'name' }, t('completeness')),
      el('div', {}, el('dd', { class: 'num' }, share(uplink.completeness_today)), el('dt', {}, t('today'))),
      el('div', {}, el('dd', { class: 'num' }, share(uplink.completeness_30_days)), el('dt', {}, t('thirtyDays')))),
    el('p', { class: 'muted num' }, t('totals', count(uplink.accepted), count(uplink.rejected), count(uplink.expired))));
}

const isFound = (uplink) => [uplink.id, uplink.address, uplink.format].some((text) => (text ?? '').toLowerCase().includes(find));

function counts(uplinks) {
  const parts = Object.keys(looks).map((state) => [state, uplinks.filter((uplink) => standing(uplink) === state).length]);
  return parts.filter(([, n]) => n > 0).map(([state, n]) => t('inState', number(n, 0), t(state === 'behind' ? 'short_behind' : `state_${state}`))).join(' · ');
}

function empty(text, more) {
  return el('li', { class: 'no-cards' }, el('p', {}, t(text)), more ? el('p', { class: 'muted' }, t(more)) : null);
}

function draw() {
  if (!answer) return;
  const all = inOrder(answer.uplinks);
  const wanted = all.filter((uplink) => isFound(uplink) && (only === 'all' || looks[standing(uplink)].isTrouble));
  const shown = isWhole ? wanted : wanted.slice(0, atFirst());
  const now = Date.parse(answer.time);
  byId('platforms-count').textContent = counts(all);
  byId('platforms-find').hidden = all.length < searchFrom;
  for (const button of document.querySelectorAll('[data-show]')) button.setAttribute('aria-pressed', String(button.dataset.show === only));
  byId('platforms-more').hidden = wanted.length <= atFirst();
  byId('platforms-more').textContent = isWhole ? t('showFewer', number(atFirst(), 0)) : t('showMore', number(wanted.length, 0));
  const list = shown.map((uplink) => card(uplink, now));
  show(byId('platforms'), list.length ? list : all.length === 0 ? empty('noPlatforms', 'noPlatformsMore') : empty(find ? 'noneFound' : 'noneInTrouble'));
}

export function drawCards(next, chosenID) {
  answer = next;
  chosen = chosenID;
  draw();
}

/** How many platforms need somebody's attention. */
export const inTrouble = (uplinks) => uplinks.filter((uplink) => looks[standing(uplink)].isTrouble).length;

/** Calls `choose` with the id of the platform that the reader wants to look at. */
export function listenForChoice(choose) {
  byId('platforms').addEventListener('click', (event) => {
    const button = event.target.closest('[data-uplink]');
    if (button) choose(button.dataset.uplink);
  });
  byId('find').addEventListener('input', (event) => { find = event.target.value.trim().toLowerCase(); draw(); });
  for (const button of document.querySelectorAll('[data-show]')) button.addEventListener('click', () => { only = button.dataset.show; draw(); });
  byId('platforms-more').addEventListener('click', () => { isWhole = !isWhole; draw(); });
  narrow.addEventListener('change', draw);
}
