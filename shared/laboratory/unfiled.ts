import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { laboratory, physicians } from '../work/pools.ts';
import { withFiledMark } from './filed-mark.ts';
import type { Filing, UnfiledReason } from './filing.ts';
import { labelsIn } from './labels.ts';
import type { Message } from './message.ts';

const work = 'https://concord.example/fhir/CodeSystem/work';

const whoseUrl = 'https://concord.example/fhir/StructureDefinition/waits-because';
const versionUrl = 'https://concord.example/fhir/StructureDefinition/filing-version';
const filedAsUrl = 'https://concord.example/fhir/StructureDefinition/filed-as';

const unfiledTag = { system: work, code: 'unfiled', display: 'Waits for somebody to say whose it is' };

const isUnfiledTag = ({ system, code }: fhir4.Coding): boolean => system === work && code === unfiledTag.code;

/** Whether a record is a report that waits. */
export const isUnfiled = ({ meta }: Resource): boolean => meta?.tag?.some(isUnfiledTag) ?? false;

const unlabelled = ({ meta, ...rest }: fhir4.Observation | fhir4.Specimen): object => {
  const { security: _labels, versionId: _version, lastUpdated: _time, ...said } = meta ?? {};
  return withSpellingOf(Object.keys(said).length === 0 ? rest : { ...rest, meta: said }, rest);
};

/** A message that waits in no chart: a report with all that came with it contained, so that nothing of it is in anybody's record. */
export const unfiledReport = (
  { report, sent, specimens, patient, version, key }: Message,
  reason: UnfiledReason,
  task: string,
): Resource => {
  const { id: _id, subject: _subject, result: _result, ...told } = report;
  const results = sent.map(({ resource }, index) =>
    withSpellingOf({ ...resource, id: `result-${index + 1}` }, resource),
  );
  const taken = specimens.map((each, index) =>
    withSpellingOf({ ...each, id: each.id ?? `specimen-${index + 1}` }, each),
  );
  const held = [
    ...(patient ? [withSpellingOf({ ...patient, id: 'patient' }, patient)] : []),
    ...[...results, ...taken].map(unlabelled),
  ];
  // Contained resources bear no labels: what one of them bears, the whole does. https://hl7.org/fhir/R4/domainresource-definitions.html (dom-5)
  const security = labelsIn([report, ...results, ...taken]);
  // Each contained resource is named by what contains it. https://hl7.org/fhir/R4/domainresource-definitions.html (dom-3)
  const specimen = taken.map(({ id }) => ({ reference: `#${id}` }));
  const whole = {
    ...told,
    ...(held.length === 0 ? {} : { contained: held }),
    ...(patient ? { subject: { reference: '#patient' } } : {}),
    ...(results.length === 0 ? {} : { result: results.map(({ id }) => ({ reference: `#${id}` })) }),
    ...(specimen.length === 0 ? {} : { specimen }),
    extension: [
      ...(report.extension ?? []),
      { url: whoseUrl, valueCode: reason },
      ...(version === undefined ? [] : [{ url: versionUrl, valuePositiveInt: version }]),
    ],
    meta: {
      ...report.meta,
      ...(security.length === 0 ? {} : { security }),
      tag: [...(report.meta?.tag ?? []), unfiledTag],
    },
  };
  return withFiledMark(withSpellingOf(whole, report) as unknown as Resource, { messages: [key], task });
};

/** What was sent, of a report that waits. */
export const filingIn = (unfiled: Resource): Filing => {
  const { contained = [], extension = [], meta, ...told } = unfiled as unknown as fhir4.DiagnosticReport;
  const { id: _id, subject: _subject, result: _result, ...report } = told;
  const version = extension.find(({ url }) => url === versionUrl)?.valuePositiveInt;
  const others = extension.filter(({ url }) => url !== whoseUrl && url !== versionUrl);
  const { extension: _marks, versionId: _version, lastUpdated: _time, tag = [], ...labels } = meta ?? {};
  const tags = tag.filter((each) => !isUnfiledTag(each));
  const said = { ...labels, ...(tags.length === 0 ? {} : { tag: tags }) };
  const sent: fhir4.DiagnosticReport = {
    ...report,
    ...(others.length === 0 ? {} : { extension: others }),
    ...(Object.keys(said).length === 0 ? {} : { meta: said }),
  };
  const labelled = <T extends fhir4.Observation | fhir4.Specimen>(each: T): T =>
    withSpellingOf(labels.security ? { ...each, meta: { ...each.meta, security: labels.security } } : each, each);
  const unnamed = (each: fhir4.Observation): fhir4.Observation => {
    const { id: _name, ...rest } = labelled(each);
    return withSpellingOf(rest, each);
  };
  return {
    report: withSpellingOf(sent, unfiled),
    results: contained.flatMap((each) =>
      each.resourceType === 'Observation' ? [unnamed(each as fhir4.Observation)] : [],
    ),
    specimens: contained.flatMap((each) =>
      each.resourceType === 'Specimen' ? [labelled(each as fhir4.Specimen)] : [],
    ),
    ...(version === undefined ? {} : { version }),
  };
};

/** A report that does not wait any more: what it holds is no result of anybody, and it tells where it was filed. */
export const settled = (unfiled: Resource, filedAs: string): Resource => {
  const { meta } = unfiled;
  const tag = (meta?.tag ?? []).filter((each) => !isUnfiledTag(each));
  const { tag: _before, ...said } = meta ?? {};
  const extension = [...((unfiled['extension'] ?? []) as fhir4.Extension[]), { url: filedAsUrl, valueString: filedAs }];
  return withSpellingOf(
    { ...unfiled, status: 'entered-in-error', extension, meta: tag.length === 0 ? said : { ...said, tag } },
    unfiled,
  );
};

/** The task to say whose a report is. It names nobody, and is done at once where the report is critical. */
export const taskToResolve = (report: string, isCritical: boolean, now: number): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: isCritical ? 'stat' : 'urgent',
    code: { coding: [{ system: work, code: 'resolve-report', display: 'Say whose report this is' }] },
    description: 'A report has come, and nobody could say whose it is. Find the patient and file it',
    focus: { reference: report },
    authoredOn: new Date(now).toISOString(),
    performerType: [laboratory],
  };
  return task as unknown as Resource;
};

/** The task of a pool to read a report that nobody here has ordered, as far as is known: no order tells who waits for it. */
export const taskToReview = (report: string, patient: string, now: number): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: work, code: 'read-report', display: 'Read a report without an order' }] },
    description: 'A report has come to which no order is known. Read it',
    focus: { reference: report },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    performerType: [physicians],
  };
  return task as unknown as Resource;
};
