// Every statement to download, and what the figures of the page rest on.

import { byId, el } from './dom.js';
import { longMonth } from './energy-words.js';
import { address } from './gateway.js';
import { readable, tableOf, wholeTable } from './statement.js';
import { inBoth, language, t } from './words.js';

const ofTheMonth = ['monthly', 'flash', 'photovoltaic', 'savings', 'site-declaration', 'disclosure'];
const ofTheYear = ['yearly', 'quota', 'savings', 'annual-return', 'institution'];
const formats = [['html', 'HTML'], ['xlsx', 'XLSX'], ['csv', 'CSV']];

function row(kind, period, told) {
  const name = t(`kind_${kind}`);
  const links = formats.map(([format, label]) => {
    const href = address('energy/statement', { kind, period, format, lang: language.tag });
    const opens = format === 'html' ? { target: '_blank', rel: 'noopener' } : { download: `${kind}-${period}.${format}` };
    return el('a', { href, 'aria-label': t('fileOf', name, told, label), ...opens }, label);
  });
  return el('li', {}, el('span', { class: 'what' }, name, el('small', { class: 'muted num' }, told)), el('span', { class: 'files' }, links));
}

export function drawStatements(month) {
  const year = month.slice(0, 4);
  byId('statements').replaceChildren(
    ...ofTheMonth.map((kind) => row(kind, month, longMonth(month))), ...ofTheYear.map((kind) => row(kind, year, year)));
}

export function drawNotes(statement) {
  const remarks = tableOf(statement, 'remarks');
  const notes = statement.notes.length ? el('ul', {}, statement.notes.map((note) => el('li', {}, readable(inBoth(note))))) : el('p', { class: 'muted' }, t('noNotes'));
  byId('notes').replaceChildren(notes, remarks ? wholeTable(remarks) : '');
}

/** What the gateway says in one line about its meters and platforms; nothing where it says nothing. */
export function drawCompliance(statement) {
  const place = byId('compliance');
  const fact = statement?.facts[0];
  const line = fact ? inBoth(fact.value.text) || '' : inBoth(statement?.notes?.[0]);
  place.hidden = !line;
  place.textContent = line ?? '';
}
