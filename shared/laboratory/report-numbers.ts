import type { Resource } from '../fhir/resource.ts';

/** https://terminology.hl7.org/CodeSystem-v2-0203.html */
const identifierTypes = 'http://terminology.hl7.org/CodeSystem/v2-0203';

/** Whether a number is of a type of table 0203. */
export const isOfNumberType = ({ type }: fhir4.Identifier, code: string): boolean =>
  type?.coding?.some((each) => each.system === identifierTypes && each.code === code) ?? false;

/** A number with who has given it: the same number of another assigner is another one. Undefined where either is not told. */
const numberIn = ({ system, assigner, value }: fhir4.Identifier): string | undefined => {
  const by = system ?? assigner?.reference ?? assigner?.identifier?.value ?? assigner?.display;
  return value === undefined || value === '' || by === undefined ? undefined : `${by}|${value}`;
};

const numbersIn = (identifiers: readonly fhir4.Identifier[], isMeant: (each: fhir4.Identifier) => boolean): string[] =>
  identifiers.filter(isMeant).flatMap((each) => numberIn(each) ?? []);

/** The number under which the laboratory knows a report (OBR-3); undefined without one. */
export const fillerNumber = ({ identifier = [] }: fhir4.DiagnosticReport): string | undefined =>
  numbersIn(identifier, (each) => isOfNumberType(each, 'FILL'))[0];

/** The number of a specimen; undefined without one. */
export const specimenNumber = ({ accessionIdentifier, identifier = [] }: fhir4.Specimen): string | undefined =>
  numbersIn([...(accessionIdentifier ? [accessionIdentifier] : []), ...identifier], () => true)[0];

/** The number of a result; undefined without one. */
export const resultNumber = ({ identifier = [] }: fhir4.Observation): string | undefined =>
  numbersIn(identifier, () => true)[0];

/**
 * The orders of a chart that a report answers: those that bear its placer's number, under whatever type but the filler's; else those that bear its filler's number as such. Orders that were entered in
 * error are none.
 */
export const ordersOf = <T extends { readonly resource: Resource | undefined }>(
  { identifier = [] }: fhir4.DiagnosticReport,
  orders: readonly T[],
): readonly T[] => {
  const bearing = (code: string, isMeant: (each: fhir4.Identifier) => boolean): readonly T[] => {
    const numbers = new Set(numbersIn(identifier, (each) => isOfNumberType(each, code)));
    return orders.filter(({ resource }) => {
      const order = (resource ?? {}) as Partial<fhir4.ServiceRequest>;
      if (!resource || order.status === 'entered-in-error') return false;
      return numbersIn(order.identifier ?? [], isMeant).some((each) => numbers.has(each));
    });
  };
  const placed = bearing('PLAC', (each) => !isOfNumberType(each, 'FILL'));
  return placed.length > 0 ? placed : bearing('FILL', (each) => isOfNumberType(each, 'FILL'));
};
