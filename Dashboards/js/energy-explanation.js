// How a number came about: a click on one asks the gateway and shows the answer in a dialog.

import { byId, el } from './dom.js';
import { ask } from './gateway.js';
import { wholeFacts, wholeTable } from './statement.js';
import { inBoth, t } from './words.js';

const patience = 60_000;
let asked = null;
let answer = null;

function draw() {
  byId('explanation-title').textContent = answer ? inBoth(answer.title) : t('howItCame');
  if (answer) byId('explanation-body').replaceChildren(wholeFacts(answer.facts), ...answer.tables.map(wholeTable));
}

async function explain(trace) {
  const dialog = byId('explanation');
  asked = trace;
  answer = null;
  draw();
  byId('explanation-body').replaceChildren(el('p', { class: 'muted', role: 'status' }, t('loading')));
  dialog.showModal();
  try {
    const found = await ask('energy/explain', { trace }, patience);
    if (asked !== trace) return;
    answer = found;
    draw();
  } catch (error) {
    if (asked === trace) byId('explanation-body').replaceChildren(el('p', { class: 'broken' }, t('failed', error.status ? error.message : t('partFailed'))));
  }
}

/** The dialog of an open explanation in the reader's language. */
export const redrawExplanation = draw;

export function listenForTraces() {
  document.addEventListener('click', (event) => {
    const trace = event.target.closest('[data-trace]');
    if (trace) explain(trace.dataset.trace);
  });
  const dialog = byId('explanation');
  byId('explanation-close').addEventListener('click', () => dialog.close());
  // A click beside the dialog lands on the dialog itself.
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener('close', () => { asked = null; answer = null; });
}
