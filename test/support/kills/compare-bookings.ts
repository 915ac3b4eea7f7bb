import { isThere, type Ledger } from './ledger.ts';
import { send } from './load.ts';
import { appointmentWith, slotOf, slots } from './marks.ts';

/**
 * Of a round's appointments no two overlap, and each time is taken exactly where there is one: tried by booking each of them. What that
 * books is noted in the ledger.
 *
 * @param patient - for whom to book.
 * @returns what is wrong, in words.
 */
export const compareBookings = async (
  ledger: Ledger,
  { url, token }: { readonly url: string; readonly token: string },
  round: number,
  patient: string,
): Promise<string[]> => {
  const faults: string[] = [];
  const prefix = `r${round}-`;
  const booked = [...ledger.records.values()]
    .filter((record) => isThere(record) && record.versions.at(-1)?.startsWith(prefix))
    .flatMap(({ versions }) => slotOf(versions.at(-1)) ?? [])
    .sort((a, b) => a - b);
  const clashes = (slot: number) => booked.some((other) => Math.abs(other - slot) < 2);
  booked.forEach((slot, index) => {
    if (slot - (booked[index - 1] ?? -2) < 2) faults.push(`slots ${booked[index - 1]} and ${slot} are both booked`);
  });
  for (const slot of slots) {
    const mark = `${prefix}after-slot${slot}`;
    const effect = { do: 'create', type: 'Appointment', mark, chart: patient } as const;
    const sent = ledger.sent([effect]);
    const answer = await send(url, token, 'POST', 'Appointment', appointmentWith(mark, patient, round));
    const expected = clashes(slot) ? 409 : 201;
    if (answer?.status !== expected)
      faults.push(`slot ${slot} is answered with ${answer?.status} instead of ${expected}`);
    if (answer?.status === 201) {
      const name = /Appointment\/[^/]+/.exec(answer.location ?? '')?.[0] ?? '';
      ledger.carriedOut(sent, [{ effect, name, version: 1, isNew: true }]);
      booked.push(slot);
    } else ledger.refused(sent);
  }
  return faults;
};
