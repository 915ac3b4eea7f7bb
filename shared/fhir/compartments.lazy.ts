import { type CompartmentType, compartmentTable } from './generated/search-parameters/compartments.ts';

export type { CompartmentType };

type Compartment = Readonly<Partial<Record<string, readonly string[]>>>;

const compartmentFrom = (lines: string): Compartment =>
  Object.fromEntries(
    lines.split('\n').map((line) => {
      const [type = '', ...codes] = line.split(' ');
      return [type, codes];
    }),
  );

export type Compartments = Readonly<Record<CompartmentType, Compartment>>;

/**
 * By kind of compartment and resource type: the search parameters that put a record into it. `_id`: the record that names the compartment.
 * https://hl7.org/fhir/R4/compartmentdefinition.html
 */
export const compartments = Object.fromEntries(
  [...compartmentTable.matchAll(/^=(\w+)\n([^=]*)\n/gm)].map(([, owner = '', lines = '']) => [
    owner,
    compartmentFrom(lines),
  ]),
) as Compartments;
