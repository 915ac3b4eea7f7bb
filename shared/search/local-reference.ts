import { parseReference } from '../fhir/references.ts';

/** `Type/id` of a record of this server, however a reference writes it and whatever version it names; undefined for anything else. */
export const localReference = (text: string, baseUrl: string): string | undefined => {
  const reference = parseReference(text, baseUrl);
  return reference.kind === 'record' ? `${reference.type}/${reference.id}` : undefined;
};
