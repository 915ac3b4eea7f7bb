import { type Channel, channelsOf, languageOf } from '../../people/contact.ts';
import { isDead } from '../../people/death.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { patientsOfPerson } from '../patients-of-person.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';

/**
 * `GET Patient/{id}/$contact`: how a patient wants to be reached, by what the caller is shown of the patient's record: name, language, need of an interpreter, and the ways in the order in which the patient prefers them; with `only`, no
 * others. Nobody reaches who has died. One read, and a look for other records of the person.
 *
 * @throws RecordError `not-found`, `forbidden`, `deleted`, as a read of the Patient.
 */
export const contact: Interaction = async (context, { id }): Promise<Answer> => {
  requireTypeAccess(context, 'r');
  readInput(context, {});
  const name = `Patient/${id}`;
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [name],
    query: `${name}/$contact`,
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  const found = await lookAt(context, address, look, (shown) => void requireReadable(context, shown));
  const record = requireReadable(context, found);
  const patient = context.view.of(record).resource as unknown as fhir4.Patient;
  const { language, interpreter } = languageOf(patient);
  const called = nameToUse(patient);
  const channels = isDead(record.resource) ? [] : await channelsTo(context, record);
  const parameter: fhir4.ParametersParameter[] = [
    ...(called ? [{ name: 'name', valueHumanName: called }] : []),
    ...(language ? [{ name: 'language', valueCodeableConcept: language }] : []),
    ...(interpreter === undefined ? [] : [{ name: 'interpreter', valueBoolean: interpreter }]),
    { name: 'only', valueBoolean: channels.some(({ confidential }) => confidential) },
    ...channels.map(({ telecom, address: at }) => ({
      name: 'channel',
      ...(telecom ? { valueContactPoint: telecom } : { valueAddress: at as fhir4.Address }),
    })),
  ];
  return { statusCode: 200, resource: { resourceType: 'Parameters', parameter } };
};

/** By which ways to reach a person: those that one of the person's records asks for hold for all of them. */
const channelsTo = async (context: RequestContext, record: StoredRecord): Promise<readonly Channel[]> => {
  const { now, store, view } = context;
  const all = await patientsOfPerson({ store }, record.chart, record);
  const shown = all.filter((each) => each.custodian === record.custodian && mayAccess(context, 'r', each));
  const channels = shown.map((each) => channelsOf(view.of(each).resource as unknown as fhir4.Patient, now));
  const asked = channels.flat().filter(({ confidential }) => confidential);
  return asked.length > 0 ? asked : (channels[0] ?? []);
};

/** docs/people.md, "Names, pronouns, gender and sex". */
const nameToUse = ({ name = [] }: fhir4.Patient): fhir4.HumanName | undefined =>
  name.find(({ use }) => use === 'usual') ??
  name.find(({ use }) => use === 'official') ??
  name.find(({ use, period }) => use !== 'old' && use !== 'maiden' && period?.end === undefined);
