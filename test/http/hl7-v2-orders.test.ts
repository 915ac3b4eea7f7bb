import { describe, expect, it } from 'vitest';
import { fhirServer } from '../support/fhir-server.ts';
import { chartsAfter } from '../support/hl7-v2-charts.ts';
import { generatedMessages, numbersFrom, shuffled } from '../support/hl7-v2-generator.ts';

/** `npm run prove -- --messages` sends five hundred. */
const count = Number(process.env['MESSAGES'] ?? 40);

describe('HL7 v2 messages in any order', () => {
  it('come to the same charts, repeated and corrected', async () => {
    const server = await fhirServer();
    // After all that the messages were said.
    server.setTime(Date.UTC(2026, 5, 1));
    const sent = generatedMessages(11, count);
    const patients = [...new Set(sent.map(({ patient }) => patient))];
    const texts = sent.map(({ text }) => text);
    const random = numbersFrom(12);
    const inOrder = await chartsAfter(server, 'in-order', texts, patients);
    const others = [];
    for (const name of ['mixed-1', 'mixed-2'])
      others.push(await chartsAfter(server, name, shuffled(texts, random), patients));

    expect(inOrder).toMatchObject({ refused: [], waited: 0, waiting: [] });
    for (const [, chart] of inOrder.charts) expect(chart.length).toBeGreaterThan(1);
    for (const other of others) {
      expect(other).toMatchObject({ refused: [], waiting: [] });
      expect(Object.fromEntries(other.charts)).toEqual(Object.fromEntries(inOrder.charts));
    }
    // The orders differ so much that something has to wait for its patient.
    expect(Math.min(...others.map(({ waited }) => waited))).toBeGreaterThan(0);
  });
});
