import { withSpellingOf } from './json.ts';
import type { Resource } from './resource.ts';

/** Extension of `meta`: the organisation that keeps the record. It is told to readers of other organisations and to patients, made when it is read, and stored nowhere. */
export const custodianUrl = 'https://concord.example/fhir/StructureDefinition/custodian';

const isCustodian = ({ url }: fhir4.Extension): boolean => url === custodianUrl;

/** The resource as somebody else reads it, who is told which organisation keeps it. */
export const withCustodian = (resource: Resource, custodian: string): Resource => {
  const told = { url: custodianUrl, valueReference: { reference: `Organization/${custodian}` } };
  const extension = [...(resource.meta?.extension ?? []).filter((each) => !isCustodian(each)), told];
  return withSpellingOf({ ...resource, meta: { ...resource.meta, extension } }, resource);
};

/** What a client sends back of what it was told is not for it to say. */
export const withoutCustodian = (resource: Resource): Resource => {
  const { meta, ...content } = resource;
  const { extension, ...others } = meta ?? {};
  if (!Array.isArray(extension) || !extension.some(isCustodian)) return resource;
  const left = extension.filter((each) => !isCustodian(each));
  const kept: fhir4.Meta = left.length > 0 ? { ...others, extension: left } : others;
  return withSpellingOf({ ...content, ...(Object.keys(kept).length > 0 ? { meta: kept } : {}) } as Resource, resource);
};
