import { createHash } from 'node:crypto';
import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson, withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

// A signature stands in `meta`, which is not part of what is signed. It holds who signed, when, and the SHA-256 of the content: the resource without
// `meta`, in JSON without white space, members in order of their names, decimals as they were written.
// https://hl7.org/fhir/R4/json.html#canonical

/** Extension of `meta`: who has signed this content. */
export const signatureUrl = 'https://concord.example/fhir/StructureDefinition/signature';
/** Extension of `meta`: what was added to this content later, or replaces it. */
export const addendumUrl = 'https://concord.example/fhir/StructureDefinition/addendum';
/** Extension of `meta`: who took back what was signed, and why. */
export const retractionUrl = 'https://concord.example/fhir/StructureDefinition/retraction';

/** Extension of `meta`: who took an order down that another one gave, and how. */
export const takenUrl = 'https://concord.example/fhir/StructureDefinition/order-taken';

/** Extension of `meta`: as which order an order was renewed. */
export const renewedUrl = 'https://concord.example/fhir/StructureDefinition/order-renewed';

const marks: ReadonlySet<string> = new Set([signatureUrl, addendumUrl, retractionUrl, takenUrl, renewedUrl]);

/** Who signs, and when. */
export interface Signature {
  /** `Type/id`. */
  readonly signer: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Version that was signed first with this content. */
  readonly version: number;
  /** Who is to sign besides. */
  readonly cosigner?: string | undefined;
  /** As whom else the signer was asked to sign besides: a position of theirs, or who holds the one that signs. */
  readonly asked?: readonly string[];
  /** What attachments held whose content is elsewhere, by their address. */
  readonly attachments?: ReadonlyMap<string, string> | undefined;
}

/** What is signed of a resource. */
const contentOf = (resource: Resource): string => {
  const { meta: _, ...content } = resource;
  return stringifyJson(inOrder(withSpellingOf(content, resource)));
};

/** `sha256:` and the hash of bytes, in hexadecimal digits. */
export const hashOf = (bytes: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The hash by which a signature holds. The resource has its id. */
export const contentHash = (resource: Resource): string => hashOf(contentOf(resource));

const extensionsOf = (resource: Resource | undefined): fhir4.Extension[] => resource?.meta?.extension ?? [];

/** A member of a complex extension. */
export const memberOf = ({ extension = [] }: fhir4.Extension, name: string): fhir4.Extension | undefined =>
  extension.find(({ url }) => url === name);

/** The mark of a version that was taken down for somebody else, or was renewed. */
export const markOf = (
  resource: Resource | undefined,
  mark: typeof takenUrl | typeof renewedUrl,
): fhir4.Extension | undefined => extensionsOf(resource).find(({ url }) => url === mark);

/** The signatures of a version, in the order in which they came. */
export const signaturesOf = (resource: Resource | undefined): fhir4.Extension[] =>
  extensionsOf(resource).filter(({ url }) => url === signatureUrl);

/** `Type/id` of who signed. */
export const signerOf = (signature: fhir4.Extension): string | undefined =>
  memberOf(signature, 'signer')?.valueReference?.reference;

/** `Type/id` of who is asked to sign besides, by a signature. */
export const cosignerOf = (signature: fhir4.Extension): string | undefined =>
  memberOf(signature, 'cosigner')?.valueReference?.reference;

/** `Type/id` of who signed, and as whom else they were asked to. */
export const namesOfSigner = (signature: fhir4.Extension): string[] =>
  (signature.extension ?? []).flatMap(({ url, valueReference }) =>
    (url === 'signer' || url === 'asked') && valueReference?.reference ? [valueReference.reference] : [],
  );

/** What was signed is taken back: by whom, when, why, and in which version the signed content stands. */
export const retractionOf = (signer: string, at: number, reason: string, version: number): fhir4.Extension => ({
  url: retractionUrl,
  extension: [
    { url: 'by', valueReference: { reference: signer } },
    { url: 'time', valueInstant: new Date(at).toISOString() },
    { url: 'reason', valueString: reason },
    { url: 'version', valuePositiveInt: version },
  ],
});

/** The content with further marks. */
export const withMarks = (resource: Resource, added: readonly fhir4.Extension[]): Resource =>
  withExtensions(resource, [...extensionsOf(resource), ...added]);

/** The content without the marks that a condition meets. */
export const withoutMarks = (resource: Resource, isGone: (mark: fhir4.Extension) => boolean): Resource =>
  withExtensions(
    resource,
    extensionsOf(resource).filter((each) => !marks.has(each.url) || !isGone(each)),
  );

const withExtensions = (resource: Resource, extension: fhir4.Extension[]): Resource => {
  const { extension: _, ...meta } = resource.meta ?? {};
  return withSpellingOf({ ...resource, meta: extension.length === 0 ? meta : { ...meta, extension } }, resource);
};

/** A signature of what a resource, with its id, says. */
export const signatureOf = (
  resource: Resource,
  { signer, at, version, cosigner, asked = [], attachments = new Map() }: Signature,
): fhir4.Extension => ({
  url: signatureUrl,
  extension: [
    { url: 'signer', valueReference: { reference: signer } },
    { url: 'time', valueInstant: new Date(at).toISOString() },
    { url: 'hash', valueString: contentHash(resource) },
    { url: 'version', valuePositiveInt: version },
    ...(cosigner === undefined ? [] : [{ url: 'cosigner', valueReference: { reference: cosigner } }]),
    ...asked.map((name) => ({ url: 'asked', valueReference: { reference: name } })),
    ...[...attachments].map(([address, hash]) => ({
      url: 'attachment',
      extension: [
        { url: 'url', valueUrl: address },
        { url: 'hash', valueString: hash },
      ],
    })),
  ],
});

/**
 * What the server itself keeps: signatures, what is told of addenda, and retractions are neither given by a client nor taken away by one. A record that comes with somebody else's keeps its content,
 * and is unsigned here.
 */
export const keepMarks = (before: Resource | undefined, next: Resource): Resource => {
  const kept = extensionsOf(before).filter(({ url }) => marks.has(url));
  const isMarked = extensionsOf(next).some(({ url }) => marks.has(url));
  return kept.length === 0 && !isMarked
    ? next
    : withMarks(
        withoutMarks(next, () => true),
        kept,
      );
};

/**
 * Requires that signed content stays as it is: it is neither changed nor deleted, by anybody.
 *
 * @throws RecordError `business-rule`.
 */
export const requireUnchanged = (before: Resource | undefined, next: Resource | undefined): void => {
  if (!before || !extensionsOf(before).some(({ url }) => url === signatureUrl || url === retractionUrl)) return;
  if (
    next &&
    contentOf(withSpellingOf({ ...before, id: '' }, before)) === contentOf(withSpellingOf({ ...next, id: '' }, next))
  )
    return;
  throw new RecordError('business-rule', 'This was signed, and stays as it is. Write an addendum, or retract it', {
    reason: 'signed',
    expression: before.resourceType,
  });
};
