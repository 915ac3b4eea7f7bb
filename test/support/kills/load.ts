import { Random } from '../../../infra/demo/random.ts';
import { syntheticChart } from '../../../infra/demo/synthetic-chart.ts';
import { typesOfPatients } from '../../../shared/record-types/homes.ts';
import { type Effect, isThere, type KnownRecord, type Ledger, type Outcome } from './ledger.ts';
import {
  appointmentWith,
  documentWith,
  identified,
  marked,
  markOf,
  observationWith,
  patientWith,
  slots,
} from './marks.ts';

/** Entries from which a bundle cannot be one DynamoDB transaction. */
const staged = 97;

/** An answer; undefined if none came, or one that leaves open what happened. */
export interface LoadAnswer {
  readonly status: number;
  readonly location: string | null;
  /** Version that the `ETag` names; 0 if there is none. */
  readonly version: number;
  readonly body: fhir4.FhirResource | undefined;
}

export interface LoadOptions {
  readonly url: string;
  readonly token: string;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly round: number;
  /** How many write beside the import. */
  readonly lanes: number;
  /** How long the charts of the import are, compared with ordinary ones. */
  readonly scale: number;
}

export interface Load {
  /** Requests that were acknowledged or refused so far. */
  readonly answers: () => number;
  /** Bundles of more entries than one transaction takes that were acknowledged so far. */
  readonly imported: () => number;
  /** Server errors that came while nobody was killed. */
  readonly faults: readonly string[];
  /** Says that something is about to be killed: from now on an answer may fail. */
  readonly expectFailure: () => void;
  /** Resolves when every lane has met an answer that did not come. */
  readonly ended: Promise<void>;
}

/** A broken connection is broken at once; this is for a server that hangs. */
const answerWithinMs = 20_000;

/** Sends an import and mixed writes, several at a time, until answers fail to come. */
export const startLoad = (options: LoadOptions): Load => {
  const { url, token, ledger, seed, round, lanes } = options;
  let answers = 0;
  let imported = 0;
  let failing = false;
  const faults: string[] = [];

  /** Sends one request, and tells the ledger what became of it. Returns whether to go on. */
  const attempt = async (
    [method, path, body, headers]: Request,
    effects: readonly Effect[],
    outcomesOf: (answer: LoadAnswer) => Outcome[],
  ): Promise<boolean> => {
    const sent = ledger.sent(effects);
    const answer = await send(url, token, method, path, body, headers);
    if (answer === undefined || answer.status >= 500) {
      if (answer !== undefined && !failing) faults.push(`${method} ${path} was answered with ${answer.status}`);
      return false;
    }
    answers += 1;
    if (answer.status < 300) ledger.carriedOut(sent, outcomesOf(answer));
    else {
      ledger.refused(sent);
      if (!mayBeRefused.has(answer.status)) faults.push(`${method} ${path} was answered with ${answer.status}`);
    }
    return true;
  };

  const importing = async () => {
    const random = new Random(seed, round * 100);
    for (let number = 0; ; number += 1) {
      const { bundle, effects } = chartBundle(random, `r${round}-chart${number}`, round, options.scale);
      if (!(await attempt(['POST', '', bundle], effects, bundleOutcomes(effects)))) return;
      imported += 1;
    }
  };

  const mixing = async (lane: number) => {
    const random = new Random(seed, round * 100 + lane);
    const writer = mixedWriter({ ledger, random, name: `r${round}-lane${lane}`, round, lane, attempt });
    while (await writer()) {
      // One request after the other.
    }
  };

  const running = [importing(), ...Array.from({ length: lanes }, (_, lane) => mixing(lane + 1))];
  return {
    answers: () => answers,
    imported: () => imported,
    faults,
    expectFailure: () => {
      failing = true;
    },
    ended: Promise.all(running).then(() => undefined),
  };
};

type Request = readonly [
  method: string,
  path: string,
  body?: fhir4.FhirResource,
  headers?: Readonly<Record<string, string>>,
];

/** A write of the same record, or a busy one, may be refused; nothing else here. */
const mayBeRefused = new Set([409, 412, 429]);

export const send = async (
  url: string,
  token: string,
  method: string,
  path: string,
  body: fhir4.FhirResource | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<LoadAnswer | undefined> => {
  try {
    const response = await fetch(path === '' ? url : `${url}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const text = await response.text();
    return {
      status: response.status,
      location: response.headers.get('location'),
      version: Number(/\d+/.exec(response.headers.get('etag') ?? '')?.[0] ?? 0),
      body: text === '' ? undefined : (JSON.parse(text) as fhir4.FhirResource),
    };
  } catch {
    return undefined;
  }
};

/** `Type/id` and version in the address of a version. */
const located = (location: string | null | undefined): { name: string; version: number } => {
  const [, name = '', version = '0'] = /([A-Z]\w+\/[^/]+)\/_history\/(\d+)$/.exec(location ?? '') ?? [];
  return { name, version: Number(version) };
};

const bundleOutcomes =
  (effects: readonly Effect[]) =>
  ({ body }: LoadAnswer): Outcome[] => {
    const names = ((body as fhir4.Bundle).entry ?? []).map(({ response }) => ({
      ...located(response?.location),
      isNew: response?.status.startsWith('201') ?? false,
    }));
    const patient = names.find(({ name }) => name.startsWith('Patient/'))?.name;
    return effects.map((effect, index) => {
      const { name, version, isNew } = names[index] ?? { name: '', version: 0, isNew: false };
      // Within a bundle the patient's id is not known before the answer.
      const own = effect.do === 'create' && effect.chart === '' ? { ...effect, chart: patient } : effect;
      if (effect.do === 'write')
        return { effect, name: effect.name, version: version || effect.after + 1, isNew: effect.after === 0 };
      return { effect: own, name, version, isNew };
    });
  };

/** The chart of an invented patient as a transaction that must be staged. Every third shares its organisation with others. */
export const chartBundle = (random: Random, name: string, round: number, scale: number) => {
  let made = syntheticChart(random.whole(1, 2 ** 40), { scale });
  while ((made.entry ?? []).length < staged) made = syntheticChart(random.whole(1, 2 ** 40), { scale });
  const shared = random.chance(0.3) ? `organization-r${round}-${random.whole(0, 1)}` : undefined;
  const effects: Effect[] = [];
  const entry = (made.entry ?? []).map((each, index): fhir4.BundleEntry => {
    const mark = `${name}-${index}`;
    const resource = marked(each.resource as fhir4.FhirResource, mark);
    const type = resource.resourceType;
    const bearsKey = type === 'Patient' || type === 'Organization' || type === 'Practitioner';
    const once = type === 'Organization' ? shared : undefined;
    if (once === undefined) {
      const chart = typesOfPatients.has(type) ? '' : undefined;
      effects.push({ do: 'create', type, mark, chart });
    } else effects.push({ do: 'create-once', type, mark, key: once });
    return {
      ...each,
      resource: bearsKey
        ? ({
            ...resource,
            identifier: [...((resource as fhir4.Patient).identifier ?? []), ...identified(once ?? mark)],
          } as fhir4.FhirResource)
        : resource,
      request: {
        method: 'POST',
        url: type,
        ...(once === undefined ? {} : { ifNoneExist: conditionOn(once) }),
      },
    };
  });
  const bundle: fhir4.Bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  return { bundle, effects };
};

export const conditionOn = (key: string): string =>
  `identifier=${encodeURIComponent(`https://kills.example/key|${key}`)}`;

interface Lane {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly name: string;
  readonly round: number;
  readonly lane: number;
  readonly attempt: (
    request: Request,
    effects: readonly Effect[],
    outcomesOf: (answer: LoadAnswer) => Outcome[],
  ) => Promise<boolean>;
}

/** Observations with which a patient of a lane begins: more than one transaction takes, with the rows that belong to them. */
const firstObservations = 60;

/**
 * Makes writes of every kind: creates, updates, deletions, conditional creates, small and large transactions, ids of our own, and writes
 * of one record that all lanes want. A lane has patients of its own, so nobody else changes them. Returns whether to go on.
 */
const mixedWriter = ({ ledger, random, name, round, lane, attempt }: Lane) => {
  let count = 0;
  const newMark = () => `${name}-${++count}`;
  /** Some updates change the date, so that rows move in the chart. */
  const newDate = () => `2024-05-${random.pick(['06', '06', '07', '08'])}`;
  let patient: string | undefined;

  const ofLane = (type: string): KnownRecord[] =>
    patient === undefined
      ? []
      : ledger.inChart(patient).filter((record) => isThere(record) && record.name.startsWith(`${type}/`));

  const oneOutcome =
    (effect: Effect) =>
    ({ location, status, version }: LoadAnswer): Outcome[] => [
      effect.do === 'write'
        ? { effect, name: effect.name, version: version || effect.after + 1, isNew: effect.after === 0 }
        : { effect, ...located(location), isNew: status === 201 },
    ];

  /** A patient with observations, in one transaction that must be staged. */
  const newPatient = async (): Promise<boolean> => {
    const mark = newMark();
    const fullUrl = 'urn:uuid:6f1c2f0e-5d0b-4b6c-9d0e-3a4b5c6d7e8f';
    const observations = Array.from({ length: firstObservations }, () => observationWith(newMark(), fullUrl));
    const resources = [patientWith(mark, mark), ...observations];
    const effects = resources.map(
      (resource): Effect => ({
        do: 'create',
        type: resource.resourceType,
        mark: markOf(resource) ?? '',
        chart: resource.resourceType === 'Patient' ? undefined : '',
      }),
    );
    const bundle = transaction(
      resources.map((resource, index) => ({
        ...(index === 0 ? { fullUrl } : {}),
        resource,
        request: { method: 'POST', url: resource.resourceType },
      })),
    );
    return attempt(['POST', '', bundle], effects, (answer) => {
      const outcomes = bundleOutcomes(effects)(answer);
      patient = outcomes[0]?.name;
      return outcomes;
    });
  };

  const create = (): Promise<boolean> => {
    const mark = newMark();
    const effect: Effect = { do: 'create', type: 'Observation', mark, chart: patient };
    return attempt(['POST', 'Observation', observationWith(mark, patient ?? '')], [effect], oneOutcome(effect));
  };

  /** A body that lies in the object store, new or in place of another such one. */
  const writeLarge = (record?: KnownRecord): Promise<boolean> => {
    const mark = `${newMark()}-large`;
    const body = documentWith(mark, patient ?? '');
    if (record === undefined) {
      const effect: Effect = { do: 'create', type: 'DocumentReference', mark, chart: patient };
      return attempt(['POST', 'DocumentReference', body], [effect], oneOutcome(effect));
    }
    const after = record.versions.length;
    const effect: Effect = { do: 'write', name: record.name, after, mark, chart: patient };
    const sent = { ...body, id: record.name.split('/')[1] ?? '' };
    return attempt(['PUT', record.name, sent, { 'if-match': `W/"${after}"` }], [effect], oneOutcome(effect));
  };

  /** A time that all lanes want: one has it, the others are refused. */
  const book = (): Promise<boolean> => {
    const mark = `${newMark()}-slot${random.pick(slots)}`;
    const effect: Effect = { do: 'create', type: 'Appointment', mark, chart: patient };
    return attempt(['POST', 'Appointment', appointmentWith(mark, patient ?? '', round)], [effect], oneOutcome(effect));
  };

  const createUnderOwnId = (): Promise<boolean> => {
    const mark = newMark();
    const id = mark;
    const effect: Effect = { do: 'write', name: `Observation/${id}`, after: 0, mark, chart: patient };
    const body = { ...observationWith(mark, patient ?? ''), id };
    return attempt(['PUT', `Observation/${id}`, body], [effect], oneOutcome(effect));
  };

  const update = ({ name: record, versions, chart }: KnownRecord): Promise<boolean> => {
    const mark = newMark();
    const after = versions.length;
    const effect: Effect = { do: 'write', name: record, after, mark, chart };
    const body = { ...observationWith(mark, chart ?? '', newDate()), id: record.split('/')[1] ?? '' };
    return attempt(['PUT', record, body, { 'if-match': `W/"${after}"` }], [effect], oneOutcome(effect));
  };

  const rename = (record: KnownRecord): Promise<boolean> => {
    const mark = newMark();
    const after = record.versions.length;
    const effect: Effect = { do: 'write', name: record.name, after, mark, chart: record.name };
    const body = { ...patientWith(mark, record.versions[0] ?? ''), id: record.name.split('/')[1] ?? '' };
    return attempt(['PUT', record.name, body, { 'if-match': `W/"${after}"` }], [effect], oneOutcome(effect));
  };

  const remove = ({ name: record, versions, chart }: KnownRecord): Promise<boolean> => {
    const effect: Effect = { do: 'write', name: record, after: versions.length, mark: undefined, chart };
    return attempt(['DELETE', record], [effect], oneOutcome(effect));
  };

  const createOnce = (): Promise<boolean> => {
    const key = `once-r${round}-${random.whole(0, 2)}`;
    const mark = `${newMark()}-once`;
    const effect: Effect = { do: 'create-once', type: 'Patient', mark, key };
    const headers = { 'if-none-exist': conditionOn(key) };
    return attempt(['POST', 'Patient', patientWith(mark, key), headers], [effect], ({ location, body, status }) => [
      status === 201
        ? { effect, ...located(location), isNew: true }
        : { effect, name: `Patient/${body?.id}`, version: 0, isNew: false },
    ]);
  };

  /** Creates, updates and a deletion at once. */
  const transact = (
    creates: number,
    updates: readonly KnownRecord[],
    deletes: readonly KnownRecord[],
    large = random.chance(0.3),
  ) => {
    const effects: Effect[] = [];
    const entries: fhir4.BundleEntry[] = [];
    if (large) {
      const mark = `${newMark()}-large`;
      effects.push({ do: 'create', type: 'DocumentReference', mark, chart: patient });
      entries.push({
        resource: documentWith(mark, patient ?? ''),
        request: { method: 'POST', url: 'DocumentReference' },
      });
    }
    if (random.chance(0.3)) {
      const mark = `${newMark()}-slot${random.pick(slots)}`;
      effects.push({ do: 'create', type: 'Appointment', mark, chart: patient });
      entries.push({
        resource: appointmentWith(mark, patient ?? '', round),
        request: { method: 'POST', url: 'Appointment' },
      });
    }
    for (let each = 0; each < creates; each += 1) {
      const mark = newMark();
      effects.push({ do: 'create', type: 'Observation', mark, chart: patient });
      entries.push({
        resource: observationWith(mark, patient ?? ''),
        request: { method: 'POST', url: 'Observation' },
      });
    }
    for (const { name: record, versions, chart } of updates) {
      const mark = newMark();
      effects.push({ do: 'write', name: record, after: versions.length, mark, chart });
      entries.push({
        resource: { ...observationWith(mark, chart ?? '', newDate()), id: record.split('/')[1] ?? '' },
        request: { method: 'PUT', url: record, ifMatch: `W/"${versions.length}"` },
      });
    }
    for (const { name: record, versions, chart } of deletes) {
      effects.push({ do: 'write', name: record, after: versions.length, mark: undefined, chart });
      entries.push({ request: { method: 'DELETE', url: record } });
    }
    return attempt(['POST', '', transaction(entries)], effects, bundleOutcomes(effects));
  };

  /** All lanes write the same record, once the first of them has made it. */
  const contend = async (): Promise<boolean> => {
    const id = `shared-r${round}`;
    const after = ledger.records.get(`Basic/${id}`)?.versions.length ?? 0;
    if (after === 0 && lane > 1) return create();
    const mark = newMark();
    const effect: Effect = { do: 'write', name: `Basic/${id}`, after, mark, chart: undefined };
    const body = marked({ resourceType: 'Basic', id, code: { text: 'wanted by all' } } as fhir4.Basic, mark);
    const headers: Record<string, string> = after === 0 ? {} : { 'if-match': `W/"${after}"` };
    return attempt(['PUT', `Basic/${id}`, body, headers], [effect], oneOutcome(effect));
  };

  const older = (): string | undefined => {
    const mine = [...ledger.records.keys()].filter(
      (each) => each.startsWith('Patient/') && ledger.records.get(each)?.versions[0]?.match(`^r\\d+-lane${lane}-1$`),
    );
    return mine.length === 0 ? undefined : random.pick(mine);
  };
  let begun = false;

  return async (): Promise<boolean> => {
    if (!begun) {
      begun = true;
      // Every other round goes on with a patient of an earlier one.
      patient = random.chance(0.5) ? older() : undefined;
    }
    const self = patient === undefined ? undefined : ledger.records.get(patient);
    if (self === undefined) return newPatient();
    const observations = ofLane('Observation');
    const some = (number: number) => observations.slice(random.whole(0, 3)).slice(0, number);
    const kind = random.whole(1, 100);
    if (kind <= 16 || observations.length < 5) return create();
    if (kind <= 23) return book();
    if (kind <= 30) return writeLarge(random.chance(0.5) ? ofLane('DocumentReference')[0] : undefined);
    if (kind <= 45) return update(random.pick(observations));
    if (kind <= 53) return remove(random.pick([...observations, ...ofLane('Appointment'), ...ofLane('Appointment')]));
    if (kind <= 63) return createOnce();
    if (kind <= 73) return transact(random.whole(1, 3), some(2), observations.slice(-1));
    if (kind <= 81) return contend();
    if (kind <= 88) return rename(self);
    if (kind <= 94) return createUnderOwnId();
    return transact(10, some(50), observations.slice(-3));
  };
};

const transaction = (entry: fhir4.BundleEntry[]): fhir4.Bundle => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry,
});
