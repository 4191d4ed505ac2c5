// Writes the words of a page's fixed elements, and lets its reader change the language.

import { language, t } from './words.js';

/** Every element says by `data-t` what it reads, by `data-t-label` how it is called aloud, by `data-t-hint` what an empty field asks for. */
export function label() {
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll('[data-t-label]')) element.setAttribute('aria-label', t(element.dataset.tLabel));
  for (const element of document.querySelectorAll('[data-t-hint]')) element.placeholder = t(element.dataset.tHint);
  for (const button of document.querySelectorAll('[data-lang]')) button.setAttribute('aria-pressed', String(button.dataset.lang === language.tag));
}

/** Calls `redraw` whenever the reader has chosen a language, or light and dark have changed. */
export function onLooks(redraw) {
  for (const button of document.querySelectorAll('[data-lang]')) {
    button.addEventListener('click', () => { language.keep(button.dataset.lang); redraw(); });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}
