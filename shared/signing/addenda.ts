import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { addendumUrl, memberOf, withMarks, withoutMarks } from './signature.ts';

/** R4 has no element for it in a report. https://hl7.org/fhir/extensions/StructureDefinition-diagnosticReport-addendumOf.html */
const addendumOf = 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-addendumOf';

/** What a document does to another. https://hl7.org/fhir/R4/valueset-document-relationship-type.html */
type Relation = fhir4.CompositionRelatesTo['code'];

const withdrawn = 'entered-in-error';

/** What a version of a note or report adds to, or replaces: `Type/id` of its own type, and how. */
const amendedBy = (resource: Resource | undefined, baseUrl: string): Map<string, Relation> => {
  if (!resource || resource['status'] === withdrawn) return new Map();
  const { relatesTo = [], extension = [] } = resource as {
    relatesTo?: readonly { code: Relation; target?: fhir4.Reference; targetReference?: fhir4.Reference }[];
    extension?: readonly fhir4.Extension[];
  };
  const related = [
    ...relatesTo.map(({ code, target, targetReference }) => [targetReference ?? target, code] as const),
    ...extension.flatMap(({ url, valueReference }) =>
      url === addendumOf ? [[valueReference, 'appends' as const] as const] : [],
    ),
  ];
  return new Map(
    related.flatMap(([target, code]) => {
      const parsed = parseReference(target?.reference ?? '', baseUrl);
      return parsed.kind === 'record' && parsed.type === resource.resourceType
        ? [[`${parsed.type}/${parsed.id}`, code] as const]
        : [];
    }),
  );
};

/**
 * Whoever reads a note must see that something was added to it: it tells so in its `meta`, from the transaction that adds it, until that is withdrawn.
 */
export const tellOfAddenda = ({ name, before, next, baseUrl }: RecordChange): readonly Raised[] => {
  const [was, is] = [amendedBy(before, baseUrl), amendedBy(next, baseUrl)];
  const names = [...new Set([...was.keys(), ...is.keys()])].filter((each) => was.get(each) !== is.get(each));
  return names.map((on) => {
    const relation = is.get(on);
    return {
      on,
      changes: (resource) => {
        const others = withoutMarks(resource, (mark) => mark.url === addendumUrl && recordOf(mark) === name);
        return relation === undefined ? others : withMarks(others, [markOf(name, relation)]);
      },
    };
  });
};

const recordOf = (mark: fhir4.Extension): string | undefined => memberOf(mark, 'record')?.valueReference?.reference;

const markOf = (name: string, relation: Relation): fhir4.Extension => ({
  url: addendumUrl,
  extension: [
    { url: 'record', valueReference: { reference: name } },
    { url: 'relation', valueCode: relation },
  ],
});
