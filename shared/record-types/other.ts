import { invariants } from '../fhir/generated/invariants/all.ts';
import { resourceTypes } from '../fhir/generated/resource-types.ts';
import { schemas } from '../fhir/generated/schemas/all.ts';
import { elementTables, searchParameters } from '../fhir/generated/search-parameters/all.ts';
import { defineRecordType, type RecordType } from './define-record-type.ts';
import { recordTypes } from './index.ts';

/** Not records: what requests and answers are made of. https://hl7.org/fhir/R4/resourcelist.html */
const messages: ReadonlySet<string> = new Set(['Bundle', 'OperationOutcome', 'Parameters']);
const named: ReadonlySet<string> = new Set(recordTypes.map(({ name }) => name));

/** Every other R4 type, by default rules: validated and searched like the rest, without a function, a registry or an order of its own. */
export const otherRecordTypes: readonly RecordType[] = resourceTypes
  .filter((name) => !named.has(name) && !messages.has(name))
  .map((name) =>
    defineRecordType({
      name,
      schema: schemas[name],
      invariants: required(invariants, name),
      searchParameters: required(searchParameters, name),
      elements: required(elementTables, name),
    }),
  );

function required<T>(byType: Readonly<Record<string, T>>, name: string): T {
  const found = byType[name];
  if (found === undefined) throw new Error(`Nothing was generated for ${name}`);
  return found;
}
