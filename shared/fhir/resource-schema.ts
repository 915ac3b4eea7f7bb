import type { $ZodType } from 'zod/v4/core';
import type { ComplexSchema } from './complex-type.ts';

/**
 * The zod schema of one resource type, as generated from its R4 definition.
 * `validateStructure` reads it; it leaves the resource as it is, so the same object may be stored afterwards.
 */
export interface ResourceSchema<R extends { resourceType: string } = fhir4.FhirResource> extends $ZodType<R, unknown> {
  /** The resource type, such as `Observation`. */
  readonly typeName: string;
  readonly childOf: ComplexSchema['childOf'];
  readonly schemaOf: ComplexSchema['schemaOf'];
  readonly propertiesOf: ComplexSchema['propertiesOf'];
}
