// Parts of a FHIRPath Patch. https://hl7.org/fhir/R4/fhirpatch.html

type Part = fhir4.ParametersParameter;

/** A Parameters resource of these operations. */
export const fhirPathPatch = (...operations: readonly Readonly<Record<string, unknown>>[]): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter: operations.map((operation) => ({
    name: 'operation',
    part: Object.entries(operation).map(([name, value]): Part => partOf(name, value)),
  })),
});

/** Texts and whole numbers are written as such; anything else is the part without its name, such as `{ valueDate: '2020' }`. */
const partOf = (name: string, value: unknown): Part => {
  if (name === 'type') return { name, valueCode: String(value) };
  if (typeof value === 'string') return { name, valueString: value };
  if (typeof value === 'number') return { name, valueInteger: value };
  return { name, ...(value as object) };
};

/** A JSON Patch as an entry of a bundle has it. */
export const inBinary = (patch: unknown): fhir4.Binary => ({
  resourceType: 'Binary',
  contentType: 'application/json-patch+json',
  data: Buffer.from(typeof patch === 'string' ? patch : JSON.stringify(patch)).toString('base64'),
});
