import type { Resource } from '../fhir/resource.ts';
import { isPooled } from './pools.ts';

/** That somebody has looked through a message: `by`, `time` and the `pool` that it was given to. The server alone writes it. */
export const triageUrl = 'https://concord.example/fhir/StructureDefinition/triage';

/** How a message was triaged. */
export interface Triage {
  /** `Type/id` of who did it. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A role of access whose members form a pool. */
  readonly pool?: string | undefined;
}

const extensionOf = (message: Resource | undefined): fhir4.Extension | undefined =>
  (message?.['extension'] as fhir4.Extension[] | undefined)?.find(({ url }) => url === triageUrl);

/** The extension that says so. */
export const triageExtension = ({ by, at, pool }: Triage): fhir4.Extension => ({
  url: triageUrl,
  extension: [
    { url: 'by', valueReference: { reference: by } },
    { url: 'time', valueInstant: new Date(at).toISOString() },
    ...(pool === undefined ? [] : [{ url: 'pool', valueCode: pool }]),
  ],
});

const partOf = (extension: fhir4.Extension | undefined, name: string) =>
  extension?.extension?.find(({ url }) => url === name);

/** The pool to which a change gives a message by triage; undefined if it does not. */
export const triagedFor = (before: Resource | undefined, next: Resource): string | undefined => {
  const [was, is] = [extensionOf(before), extensionOf(next)];
  const pool = partOf(is, 'pool')?.valueCode;
  const isNew = before !== undefined && partOf(was, 'time')?.valueInstant !== partOf(is, 'time')?.valueInstant;
  return isNew && pool !== undefined && isPooled(pool) ? pool : undefined;
};
