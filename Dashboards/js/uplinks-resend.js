// The form with which somebody has what a platform was owed sent again, in their own name.

import { instantOf, rfc3339 } from './civil-time.js';
import { byId, el, icon, show } from './dom.js';
import { give, Refusal } from './gateway.js';
import { count } from './uplinks-words.js';
import { stamp, t, zoneName } from './words.js';

/** A month of owed items takes the gateway a while to go through. */
const patience = 30_000;
/** HTTP carries nothing else in a header. */
const isToken = /^[\x21-\x7e]+$/;

let uplink = null;
let kinds = [];
/** What was given last, and under which name: as long as nobody knows what became of it, it keeps the name. */
let given = null;
/** What stands below the form, as a function, so that it changes its language with the page. */
let told = () => [];
let isBusy = false;

function tell(next) {
  told = next;
  show(byId('resend-answer'), told());
}

const line = (look, shape, ...texts) => [el('p', { class: `told ${look}` }, icon(shape), el('span', {}, texts.map((text, i) => el('span', { class: i === 0 ? 'first' : 'next' }, text))))];

function wrong(field, key) {
  tell(() => line('is-warn', 'warn', t(key)));
  byId(field).setAttribute('aria-invalid', 'true');
  byId(field).focus();
  return null;
}

/** What the form asks for, or null when it lacks something, which is then said. */
function filled() {
  for (const field of ['resend-from', 'resend-to', 'resend-token']) byId(field).removeAttribute('aria-invalid');
  const from = instantOf(byId('resend-from').value);
  const to = instantOf(byId('resend-to').value);
  const token = byId('resend-token').value.trim();
  if (Number.isNaN(from)) return wrong('resend-from', 'needFrom');
  if (Number.isNaN(to)) return wrong('resend-to', 'needTo');
  if (to <= from) return wrong('resend-to', 'needOrder');
  if (token === '') return wrong('resend-token', 'needToken');
  if (!isToken.test(token)) return wrong('resend-token', 'badToken');
  const asked = chosenKinds();
  return { token, instruction: { from: rfc3339(from), to: rfc3339(to), ...(asked.length ? { kinds: asked } : {}) } };
}

const chosenKinds = () => [...byId('resend-kinds').querySelectorAll('input:checked')].map((box) => box.value);

function done(answer) {
  const key = answer.items === 0 ? 'resendNothing' : answer.items === 1 ? 'resendDoneOne' : 'resendDone';
  const look = answer.items === 0 ? ['is-quiet', 'info'] : ['is-ok', 'ok'];
  tell(() => line(...look, t(key, count(answer.items), answer.uplink), t('resendRange', stamp(Date.parse(answer.from)), stamp(Date.parse(answer.to))), answer.actor ? t('resendActor', answer.actor) : ''));
}

/** What the gateway says of it stands behind the page's own words, because it says which and how much. */
function refused(error) {
  const own = t(`refusal_${error.code}`);
  const isKnown = own !== `refusal_${error.code}`;
  tell(() => line('is-bad', 'bad', isKnown ? t(`refusal_${error.code}`) : t('resendFailed'), error.message, error.remedy));
}

async function send(event, after) {
  event.preventDefault();
  if (isBusy) return;
  const form = filled();
  if (!form) return;
  const to = uplink;
  const content = JSON.stringify([to, form]);
  if (given?.content !== content) given = { content, name: crypto.randomUUID() };
  busy(true);
  tell(() => [el('p', { class: 'muted' }, t('resendWaiting'))]);
  try {
    const answer = await give(`uplinks/${encodeURIComponent(to)}/resend`, form.instruction, form.token, given.name, patience);
    given = null;
    done(answer);
    after();
  } catch (error) {
    if (error instanceof Refusal) {
      given = null;
      refused(error);
    } else {
      tell(() => line('is-warn', 'warn', t('resendLost')));
    }
  } finally {
    busy(false);
  }
}

function busy(value) {
  isBusy = value;
  byId('resend-give').disabled = value;
}

/** Takes a stretch of civil time into the form, and brings the reader there. */
function fill(from, to, kind) {
  byId('resend-from').value = from;
  byId('resend-to').value = to;
  for (const box of byId('resend-kinds').querySelectorAll('input')) box.checked = box.value === kind;
  tell(() => []);
  const field = byId('resend-token').value ? byId('resend-give') : byId('resend-token');
  field.focus({ preventScroll: true });
  byId('resend-title').scrollIntoView({ block: 'nearest' });
  field.scrollIntoView({ block: 'nearest' });
}

/** @param nextKinds the kinds of which the platform is owed something; those that were chosen stay chosen. */
export function drawResend(nextUplink, nextKinds) {
  if (nextUplink !== uplink) {
    given = null;
    told = () => [];
  }
  const chosen = nextUplink === uplink ? chosenKinds() : [];
  byId('resend-zone').textContent = t('resendZone', zoneName());
  if (nextUplink !== uplink || nextKinds.join('\n') !== kinds.join('\n')) {
    show(byId('resend-kinds'), nextKinds.map((kind) => el('li', {}, el('label', {}, el('input', { type: 'checkbox', value: kind, checked: chosen.includes(kind) }), el('span', {}, kind)))));
  }
  byId('resend-kinds-set').hidden = nextKinds.length < 2;
  uplink = nextUplink;
  kinds = nextKinds;
  show(byId('resend-answer'), told());
}

/** @param kindLookedAt tells the kind that the page shows, undefined for all.
    @param after is called when something is owed again. */
export function listenForResend(kindLookedAt, after) {
  byId('resend').addEventListener('submit', (event) => send(event, after));
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-fill-from]');
    if (button) fill(button.dataset.fillFrom, button.dataset.fillTo, kindLookedAt());
  });
}
