import { beforeEach, describe, expect, it } from 'vitest';
import { type ConsentKind, consentKinds } from '../support/sharing/consents.ts';
import { faultsIn, faultsInNotices, missingFor, type Sighting } from '../support/sharing/laws.ts';
import { Model, type Person } from '../support/sharing/model.ts';
import { wrongWith } from '../support/sharing/standard-webhooks.ts';

// What the proof of sharing is judged by finds what it is there to find.

const chart = 'Patient/1';
const kindNamed = (name: string): ConsentKind => {
  const found = consentKinds.find((kind) => kind.name === name);
  if (!found) throw new Error(`there is no kind ${name}`);
  return found;
};

let model: Model;
let person: Person;
beforeEach(() => {
  model = new Model();
  person = model.add('northside');
});

/** Writes an Observation: asked for at one moment and answered at the next. */
const observe = (version: number, sent: number, labels: string[] = []) => {
  const name = 'Observation/1.1';
  const kind = version === 1 ? 'created' : 'updated';
  const facts = { type: 'Observation', labels };
  const change = { chart, name, version, kind, facts, mark: `m${version}` } as const;
  person.carriedOut(sent, sent + 1, { changes: [change] });
};
/** Gives a Consent to Lakeside, or ends it. */
const consent = (sent: number, name: string | undefined) => {
  const given = name === undefined ? undefined : { chart, kind: kindNamed(name), to: ['lakeside'] };
  person.carriedOut(sent, sent + 1, { changes: [], consents: new Map([['Consent/1.2', given]]) });
};
const sighting = (version: number, over: Partial<Sighting> = {}): Sighting => ({
  name: 'Observation/1.1',
  version,
  kind: version === 1 ? 'created' : 'updated',
  id: `e${version}`,
  from: 0,
  to: 1_000,
  ...over,
});
const judged = (...seen: Sighting[]): string[] =>
  faultsIn(model, { name: 'lakeside', recipients: ['lakeside'], ordered: true, seen }).map((fault) =>
    fault.replace(/^.*?\) /, ''),
  );

describe('what a witness has seen', () => {
  beforeEach(() => {
    consent(10, 'everything');
    observe(1, 20);
    observe(2, 30);
  });

  it('is right if it was permitted, in order, with repeats under the same id', () => {
    expect(judged(sighting(1), sighting(2), sighting(1))).toEqual([]);
  });

  it.each<[what: string, seen: Sighting[], fault: string]>([
    ['a change that never was', [sighting(3)], 'never was'],
    ['another kind of change', [sighting(1, { kind: 'deleted' })], 'was created, and is told as deleted'],
    ['an earlier version behind a later one', [sighting(2), sighting(1)], 'came behind version 2'],
    ['a repeat under another id', [sighting(1), sighting(1, { id: 'f' })], 'came before as e1'],
    ['an id of two changes', [sighting(1), sighting(2, { id: 'e1' })], 'has the id of Observation/1.1/1'],
    ['the content of another version', [sighting(1, { mark: 'm2' })], 'came as m2'],
    ['a change before anybody asked for it', [sighting(2, { to: 29 })], 'was not to be known'],
  ])('is wrong with %s', (_what, seen, fault) => {
    expect(judged(...seen)).toEqual([fault]);
  });

  it.each<[decided: string, from: number, to: number, faults: string[]]>([
    ['before it is ended', 35, 39, []],
    ['while it is ended', 35, 40, []],
    ['as its end may have been carried out or not', 40.5, 60, []],
    ['after its end', 41.5, 60, ['was not to be known']],
    ['until it is given again', 41.5, 70, []],
    ['after it was given again', 72, 80, []],
  ])('is judged by the Consent %s', (_decided, from, to, faults) => {
    consent(40, undefined);
    consent(70, 'everything');

    expect(judged(sighting(1, { from, to }))).toEqual(faults);
  });

  it('is wrong with a type that was not asked for, and needs none of it', () => {
    const witness = { name: '', recipients: ['lakeside'], types: ['Condition'], ordered: true, seen: [sighting(1)] };

    expect(faultsIn(model, witness)).toEqual([': Observation/1.1/1 (e1) was not asked for']);
    expect(missingFor(model, { ...witness, seen: [] }, 0, 100)).toEqual([]);
    expect(missingFor(model, { ...witness, types: ['Observation'], seen: [] }, 0, 100)).toHaveLength(2);
  });

  it('is wrong with a version whose record is restricted by now, and right again when it is not', () => {
    observe(3, 40, ['R']);
    const behind = judged(sighting(2, { from: 50, to: 60 }));
    const labelled = judged(sighting(3, { from: 50, to: 60 }));
    observe(4, 70);

    expect([behind, labelled]).toEqual([['was not to be known'], ['was not to be known']]);
    expect(judged(sighting(2, { from: 75, to: 80 }), sighting(4))).toEqual([]);
    expect(judged(sighting(3, { from: 75, to: 80 }))).toEqual(['was not to be known']);
  });

  it('is wrong with what another Consent denies, or one of a merged chart', () => {
    const denial = { chart: 'Patient/2', kind: kindNamed('no observations'), to: ['lakeside'] };
    person.carriedOut(40, 41, { changes: [], consents: new Map([['Consent/2.1', denial]]) });
    const apart = judged(sighting(1, { from: 50, to: 60 }));
    person.carriedOut(70, 71, { changes: [], merged: true });

    expect(apart).toEqual([]);
    expect(judged(sighting(1, { from: 75, to: 80 }))).toEqual(['was not to be known']);
  });
});

describe('what stands in the directory', () => {
  it('is for the whole network, and for nobody by name', () => {
    const directory = model.add('northside', true);
    const location = { name: 'Location/1', version: 1, kind: 'created' } as const;
    const facts = { type: 'Location', labels: [] };
    directory.carriedOut(10, 11, { changes: [{ ...location, chart: 'Location/1', facts, mark: 'm' }] });
    const seen = [{ ...location, id: 'e', from: 0, to: 20 }];
    const witness = { name: '', ordered: true, seen };

    expect(faultsIn(model, { ...witness, recipients: ['lakeside', '*'] })).toEqual([]);
    expect(faultsIn(model, { ...witness, recipients: ['northside'] })).toHaveLength(1);
    expect(missingFor(model, { ...witness, seen: [], recipients: ['lakeside', '*'] }, 0, 20)).toHaveLength(1);
  });
});

describe('what a witness had to be told of', () => {
  const missing = (organization: string, seen: Sighting[], until = 100, after = 0): number[] =>
    missingFor(model, { name: '', recipients: [organization], ordered: true, seen }, after, until).map(
      ({ version }) => version,
    );

  beforeEach(() => {
    observe(1, 10);
    consent(20, 'everything');
    observe(2, 30);
    observe(3, 40);
  });

  it('is what was permitted all the time since it was written, and everything for the custodian', () => {
    expect(missing('lakeside', [])).toEqual([2, 3]);
    expect(missing('lakeside', [sighting(3)])).toEqual([2]);
    expect(missing('lakeside', [sighting(3), sighting(2, { refused: true })])).toEqual([2]);
    expect(missing('northside', [sighting(3)])).toEqual([1, 2]);
    expect(missing('hillside', [])).toEqual([]);
  });

  it('is nothing that was closed for a moment before all had come to an end, nor what is older than who asks', () => {
    consent(50, undefined);
    consent(60, 'everything');
    observe(4, 70);

    expect(missing('lakeside', [])).toEqual([4]);
    expect(missing('lakeside', [], 45)).toEqual([2, 3]);
    expect(missing('northside', [], 100, 35)).toEqual([3, 4]);
  });
});

describe('what is told of changed Consents', () => {
  const notice = (recipient: string, change: 'gained' | 'lost' | 'changed', to = 100) => ({
    eventId: `${recipient} ${change} ${to}`,
    patientId: '1',
    change,
    recipient,
    to,
  });
  const faults = (...notices: ReturnType<typeof notice>[]) =>
    faultsInNotices(model, notices, ['northside', 'lakeside', 'hillside'], true);

  beforeEach(() => {
    observe(1, 10);
    consent(20, 'everything');
  });

  it('is what opened, and what closed after that', () => {
    expect(faults(notice('lakeside', 'gained'))).toEqual([]);
    expect(faults()).toEqual(['lakeside sees something of Patient/1 and was told last: nothing']);
    consent(30, undefined);
    expect(faults(notice('lakeside', 'gained'), notice('lakeside', 'lost'))).toEqual([]);
    expect(faults()).toEqual([]);
    expect(faults(notice('lakeside', 'gained'))).toEqual([
      'lakeside sees nothing of Patient/1 and was told last: gained',
    ]);
  });

  it.each([
    ['who keeps the chart', notice('northside', 'gained')],
    ['who never saw anything of it', notice('hillside', 'lost')],
    ['anybody before that', notice('lakeside', 'gained', 19)],
  ])('is nothing for %s', (_who, wrong) => {
    expect(faults(notice('lakeside', 'gained'), wrong)).toContain(
      `${wrong.recipient} was told that it ${wrong.change} something of Patient/1`,
    );
  });
});

describe('a signature of Standard Webhooks', () => {
  // The example of the text's own reference libraries.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const body = '{"test": 2432232314}';
  const at = 1_614_265_330;
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': String(at),
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };

  it('is believed if it is right, and new', () => {
    expect(wrongWith(secret, headers, body, at * 1_000)).toBeUndefined();
    expect(
      wrongWith(
        secret,
        { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` },
        body,
        at * 1_000,
      ),
    ).toBeUndefined();
  });

  it.each([
    ['another secret', secret.replace('MfKQ', 'MfKR'), headers, body, at],
    ['another body', secret, headers, `${body} `, at],
    ['another id', secret, { ...headers, 'webhook-id': 'msg_2' }, body, at],
    ['another time', secret, { ...headers, 'webhook-timestamp': String(at + 1) }, body, at],
    ['no signature', secret, { ...headers, 'webhook-signature': undefined }, body, at],
    [
      'another version of signatures',
      secret,
      { ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1', 'v2') },
      body,
      at,
    ],
    ['an old time', secret, headers, body, at + 301],
  ])('is not believed with %s', (_what, given, sent, text, seconds) => {
    expect(wrongWith(given, sent, text, seconds * 1_000)).toEqual(expect.any(String));
  });
});
