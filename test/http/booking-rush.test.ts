import { describe, expect, it } from 'vitest';
import { runBookingRush } from '../support/booking-rush/run.ts';
import { fhirServer } from '../support/fhir-server.ts';
import { system } from '../support/records.ts';

// `npm run prove -- --booking` goes on for a minute, over HTTP.
const [clients, callsEach] = [64, 3];

describe('64 clients who want the same few people and rooms at once', () => {
  it('never overlap, lose nothing that was acknowledged, and are refused with reason and offered what is free', async () => {
    const server = await fhirServer();
    let time = Date.UTC(2026, 10, 24, 7);
    // Each request comes a second after the one before it, so that holds lapse while the clients are at work.
    const ask = (method: string, path: string, body?: unknown) => {
      time += 1_000;
      server.setTime(time);
      return server.request(method, path, { as: system, body });
    };

    const run = await runBookingRush(ask, {
      seed: 7,
      clients,
      people: 3,
      rooms: 2,
      patients: 2,
      now: () => time,
      holdMs: [80_000, 120_000],
      goesOn: (calls) => calls < callsEach,
    });

    expect(run.faults).toEqual([]);
    expect(run.lapsed).toBeGreaterThanOrEqual(3);
    // All that the clients want first is twice the time that there is.
    expect(run.refusals).toBeGreaterThan(0);
  });
});
