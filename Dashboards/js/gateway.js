// What the page asks of the gateway: JSON with a deadline, instructions with a token, and the event stream.

const base = 'api/v1/';
const deadline = 8000;

/** An answer that is not 200, told by its problem document. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem?.code ?? 'http';
    this.remedy = problem?.remedy ?? '';
  }
}

/** The address of an answer below `api/v1/`; what is undefined is left out of the question. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== undefined)).toString();
  return base + path + (query ? `?${query}` : '');
}

/** @param patience milliseconds; years of accounts take the gateway longer than what it holds ready. */
export async function ask(path, parameters = {}, patience = deadline) {
  const response = await fetch(address(path, parameters), {
    headers: { Accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(patience),
  });
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => null));
  return response.json();
}

/** Gives an instruction with the token of whoever gives it.
    @param name stands for this one instruction: given again after an answer that got lost, it is followed once. */
export async function give(path, instruction, token, name, patience = deadline) {
  const response = await fetch(address(path), {
    method: 'POST', body: JSON.stringify(instruction), cache: 'no-store', signal: AbortSignal.timeout(patience),
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'Idempotency-Key': name },
  });
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => null));
  return response.json();
}

/** Every page of a list. */
export async function askAll(path, key, parameters = {}) {
  const items = [];
  let cursor;
  let answer;
  do {
    answer = await ask(path, { ...parameters, cursor });
    items.push(...answer[key]);
    cursor = answer.next ?? undefined;
  } while (cursor !== undefined && items.length < 5000);
  return { ...answer, [key]: items };
}

/** Columns and rows as objects. */
export const table = (answer) => answer.rows.map((row) => Object.fromEntries(answer.columns.map((name, i) => [name, row[i]])));

/** Listens to the gateway's events; the browser reconnects by itself, and a stream that the
    gateway refused for good is opened again after a while. */
export function listen({ commit, alarm, open, lost }) {
  if (typeof EventSource === 'undefined') return;
  let source;
  const start = () => {
    source = new EventSource(base + 'events');
    source.addEventListener('open', open);
    source.addEventListener('commit', (event) => commit(JSON.parse(event.data)));
    source.addEventListener('alarm', (event) => alarm(JSON.parse(event.data)));
    source.addEventListener('error', () => {
      lost();
      if (source.readyState === EventSource.CLOSED) setTimeout(start, 10_000);
    });
  };
  start();
  addEventListener('pagehide', () => source.close());
}
