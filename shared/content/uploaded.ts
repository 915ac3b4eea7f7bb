import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

// Content that was uploaded to the object store is no part of its Binary's JSON: an extension of `meta`, which the server alone writes, tells of it.

/** Extension of a Binary's `meta`: its content lies in the object store. */
export const uploadedUrl = 'https://concord.example/fhir/StructureDefinition/uploaded-content';

/** Content in the object store. It is never changed: other content is another object. */
export interface Uploaded {
  /** Last part of the object's key. 26 letters. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
}

const extensionOf = (resource: Resource | undefined): fhir4.Extension | undefined =>
  resource?.meta?.extension?.find(({ url }) => url === uploadedUrl);

const hashPrefix = 'sha256:';

/** What a version of a Binary has in the object store; undefined for one whose content is in it. */
export const uploadedOf = (resource: Resource | undefined): Uploaded | undefined => {
  const extension = extensionOf(resource);
  if (!extension) return undefined;
  const told = (name: string) => extension.extension?.find(({ url }) => url === name);
  return {
    name: told('object')?.valueString ?? '',
    size: told('size')?.valuePositiveInt ?? 0,
    sha256: told('hash')?.valueString?.slice(hashPrefix.length) ?? '',
  };
};

/** The hash of what was uploaded, as signatures write it. */
export const uploadedHash = ({ sha256 }: Uploaded): string => `${hashPrefix}${sha256}`;

/** A Binary that tells of its content in the object store. */
export const withUploaded = (resource: Resource, uploaded: Uploaded): Resource =>
  withExtension(resource, {
    url: uploadedUrl,
    extension: [
      { url: 'size', valuePositiveInt: uploaded.size },
      { url: 'hash', valueString: uploadedHash(uploaded) },
      { url: 'object', valueString: uploaded.name },
    ],
  });

/**
 * What the server keeps in a Binary: uploaded content stays until `data` takes its place. A client can neither give a Binary the content of an object nor take it away.
 */
export const keepUploaded = (before: Resource | undefined, next: Resource): Resource => {
  const kept = (next as Partial<fhir4.Binary>).data === undefined ? extensionOf(before) : undefined;
  return kept || extensionOf(next) ? withExtension(next, kept) : next;
};

const withExtension = (resource: Resource, extension: fhir4.Extension | undefined): Resource => {
  const { extension: others = [], ...meta } = resource.meta ?? {};
  const all = [...others.filter(({ url }) => url !== uploadedUrl), ...(extension ? [extension] : [])];
  return withSpellingOf({ ...resource, meta: all.length === 0 ? meta : { ...meta, extension: all } }, resource);
};
