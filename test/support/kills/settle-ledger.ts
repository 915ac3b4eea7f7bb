import type { Attempt, Effect, Ledger, Outcome } from './ledger.ts';
import { conditionOn } from './load.ts';
import type { Reader, Shown } from './reader.ts';

/**
 * Finds out what became of the requests whose answer was lost, and completes the ledger with it. Each must have happened wholly or not at
 * all.
 *
 * @returns what is wrong, in words.
 */
export const settleLedger = async (ledger: Ledger, reader: Reader): Promise<string[]> => {
  const faults: string[] = [];
  const charts = new Map<string, Promise<Shown[]>>();
  const chart = (patient: string): Promise<Shown[]> => {
    const known = charts.get(patient) ?? reader.found(`${patient}/$everything`);
    charts.set(patient, known);
    return known;
  };
  const attempts = [...ledger.open];
  for (const attempt of attempts) {
    const found: { effect: Effect; outcome: Outcome | undefined }[] = [];
    const patient = await newPatientOf(attempt, reader);
    for (const effect of attempt.effects)
      found.push({ effect, outcome: await outcomeOf(effect, reader, chart, patient) });
    // The record of a conditional create may be another's: the rest of the request decides.
    const deciding = found.filter(({ effect }) => effect.do !== 'create-once' || found.length === 1);
    const happened = deciding.filter(({ outcome }) => outcome !== undefined).length;
    if (happened > 0 && happened < deciding.length) {
      const missing = deciding.find(({ outcome }) => outcome === undefined)?.effect;
      faults.push(`a request was carried out in part: ${happened} of ${deciding.length}, without ${nameOf(missing)}`);
    }
    if (happened === 0) ledger.refused(attempt);
    else {
      for (const { effect, outcome } of found) {
        if (outcome === undefined && effect.do === 'create-once')
          faults.push(`a transaction was carried out without its conditional create ${effect.key}`);
      }
      ledger.carriedOut(
        attempt,
        found.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome])),
      );
    }
  }
  return faults;
};

const nameOf = (effect: Effect | undefined): string =>
  effect === undefined ? 'nothing' : effect.do === 'write' ? effect.name : `${effect.type} ${effect.mark}`;

/** The patient that a request may have made, found by the identifier that it was given. */
const newPatientOf = async ({ effects }: Attempt, reader: Reader): Promise<string | undefined> => {
  const made = effects.find((effect) => effect.do === 'create' && effect.type === 'Patient');
  if (made?.do !== 'create') return undefined;
  const found = await reader.found(`Patient?${conditionOn(made.mark)}`);
  return found[0]?.name;
};

/** What became of an effect; undefined if it did not happen. */
const outcomeOf = async (
  effect: Effect,
  reader: Reader,
  chart: (patient: string) => Promise<Shown[]>,
  patient: string | undefined,
): Promise<Outcome | undefined> => {
  if (effect.do === 'write') {
    const current = await reader.current(effect.name);
    if (current === undefined) return undefined;
    const isDone = effect.mark === undefined ? current.version === 0 : current.mark === effect.mark;
    return isDone ? { effect, name: effect.name, version: effect.after + 1, isNew: effect.after === 0 } : undefined;
  }
  if (effect.do === 'create-once') {
    const [found] = await reader.found(`${effect.type}?${conditionOn(effect.key)}`);
    return found && { effect, name: found.name, version: found.version, isNew: found.mark === effect.mark };
  }
  const own = effect.type === 'Patient' ? patient : effect.chart === '' ? patient : effect.chart;
  const candidates =
    own !== undefined
      ? await chart(own)
      : effect.chart === undefined && effect.type !== 'Patient'
        ? await reader.found(`${effect.type}?${conditionOn(effect.mark)}`)
        : [];
  const found = candidates.find(({ mark }) => mark === effect.mark);
  const placed = effect.chart === '' ? { ...effect, chart: own } : effect;
  return found && { effect: placed, name: found.name, version: found.version, isNew: true };
};
