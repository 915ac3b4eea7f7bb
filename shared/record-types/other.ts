import { invariants } from '../fhir/generated/invariants/all.ts';
import { resourceTypes } from '../fhir/generated/resource-types.ts';
import { schemas } from '../fhir/generated/schemas/all.ts';
import { searchTables } from '../fhir/generated/search-parameters/all.ts';
import { defineRecordType, type RecordType } from './define-record-type.ts';
import { recordTypes } from './index.ts';
import { messages, searchSections } from './search-types.ts';

const sections = searchSections(searchTables);
const named: ReadonlySet<string> = new Set(recordTypes.map(({ name }) => name));

/** Every other R4 type, by default rules: validated and searched like the rest, without a function or an order of its own. */
export const otherRecordTypes: readonly RecordType[] = resourceTypes
  .filter((name) => !named.has(name) && !messages.has(name))
  .map((name) => {
    const [ownInvariants, section] = [invariants[name], sections.get(name)];
    if (!ownInvariants || !section) throw new Error(`Nothing was generated for ${name}`);
    const { table, elements } = section;
    return defineRecordType({
      name,
      schema: schemas[name],
      invariants: ownInvariants,
      searchTable: table,
      elements,
    });
  });
