import { isDeepStrictEqual } from 'node:util';
import { fhirServer } from '../support/fhir-server.ts';
import { chartsAfter } from '../support/hl7-v2-charts.ts';
import { generatedMessages, numbersFrom, shuffled } from '../support/hl7-v2-generator.ts';

const orders = 5;
const senders = 8;

/** Sends messages in the order in which they were said and in others, by one sender and by several at once, each to an organisation of its own, and compares the charts. */
export const proveMessages = async (count: number, seed = 1): Promise<boolean> => {
  const server = await fhirServer();
  // After all that the messages were said.
  server.setTime(Date.UTC(2026, 5, 1));
  const sent = generatedMessages(seed, count);
  const patients = [...new Set(sent.map(({ patient }) => patient))];
  const texts = sent.map(({ text }) => text);
  const random = numbersFrom(seed + 1);
  const expected = await chartsAfter(server, 'in-order', texts, patients);
  let faults = expected.refused.length + expected.waiting.length + expected.waited;
  for (let order = 1; order < orders; order++) {
    const atOnce = order % 2 === 0 ? senders : 1;
    const run = await chartsAfter(server, `mixed-${order}`, shuffled(texts, random), patients, atOnce);
    const differing = patients.filter(
      (patient) => !isDeepStrictEqual(run.charts.get(patient), expected.charts.get(patient)),
    );
    faults += run.refused.length + run.waiting.length + differing.length;
    console.log(
      `order ${order}, ${atOnce} at once: ${run.waited} waited, ${run.waiting.length} still wait, ${run.refused.length} refused, ${differing.length} charts differ`,
    );
    for (const patient of differing) console.log(`  chart ${patient}`);
  }
  const records = [...expected.charts.values()].flat().length;
  console.log(
    `${texts.length} messages, ${patients.length} patients, ${records} records, ${orders} orders, seed ${seed}: ${faults} faults`,
  );
  return faults === 0;
};
