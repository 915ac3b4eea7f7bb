import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { cosignerOf, keepMarks, signatureOf, signaturesOf, signerOf, withMarks } from '../../signing/signature.ts';
import { signedState } from '../../signing/states.ts';
import { answerTo, shown } from '../answers.ts';
import type { PlannedInteraction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { type PlannedWrite, planUpdate, referenceError } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { attachmentsOf } from './attachments.ts';
import { signInput } from './input.ts';
import { isSamePerson } from './person.ts';
import { requireSigner } from './signer.ts';

/**
 * `{type}/{id}/$sign`: a professional answers for what a note or report says. From then on it stays as it is, for everybody and on every way; what a document shows that
 * is kept here as a Binary stays with it. One who signs what another has signed signs the same content besides.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `business-rule` in a state in which nothing is signed.
 */
export const planSigned: PlannedInteraction = async (context, { id }) => {
  const signer = requireSigner(context);
  const { cosigner } = readInput(context, signInput);
  const current = await recordToChange(context, id, '$sign');
  const signatures = signaturesOf(current.resource);
  if (signatures.some((each) => signerOf(each) === signer)) return { plans: [], answer: shown(context, current) };
  const asked = cosigner === undefined ? undefined : await professional(context, cosigner, signer);
  const [first] = signatures;
  const plans = first
    ? [await besides(context, current, signer, asked)]
    : await signed(context, current, signer, asked);
  const [plan] = plans;
  if (!plan) throw new Error('Nothing is signed');
  return { plans, answer: answerTo(context, plan) };
};

/** The rules of changes by hand stand aside; what signing calls for does not. */
const bySigning = (context: RequestContext): RequestContext => {
  const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
  return { ...context, recordType };
};

const signed = async (
  context: RequestContext,
  current: ReadableRecord,
  signer: string,
  cosigner: string | undefined,
): Promise<PlannedWrite[]> => {
  const { now } = context;
  const content = keepMarks(current.resource, { ...signedState(current.resource, signer, now), id: current.id });
  const { attachments, plans } = await attachmentsOf(context, current);
  const version = current.version + 1;
  const mark = signatureOf(content, { signer, at: now, version, cosigner, attachments });
  return [await update(context, current, withMarks(content, [mark])), ...plans];
};

/** A signature of content that stays as it is. */
const besides = async (
  context: RequestContext,
  current: ReadableRecord,
  signer: string,
  cosigner: string | undefined,
): Promise<PlannedWrite> => {
  const resource = { ...current.resource, id: current.id };
  const asked = await askedAs(context, signer, signaturesOf(current.resource));
  const mark = signatureOf(resource, { signer, at: context.now, version: current.version, cosigner, asked });
  return update(context, current, withMarks(current.resource, [mark]));
};

const update = async (context: RequestContext, current: ReadableRecord, resource: Resource): Promise<PlannedWrite> => {
  const own = bySigning(context);
  const plan = await planUpdate(own, { resource, warnings: [] }, current);
  return { ...plan, recordType: context.recordType };
};

/** As whom somebody was asked to sign besides, where they sign under another name of theirs. */
const askedAs = async (context: RequestContext, signer: string, signatures: readonly fhir4.Extension[]) => {
  const others = new Set(signatures.flatMap((each) => cosignerOf(each) ?? []).filter((name) => name !== signer));
  const each = await Promise.all(
    [...others].map(async (name) => ((await isSamePerson(context, name, signer)) ? [name] : [])),
  );
  return each.flat();
};

/** @throws RecordError `invalid` for who is no professional of the directory, or signs already. */
const professional = async (
  context: RequestContext,
  { reference = '' }: fhir4.Reference,
  signer: string,
): Promise<string> => {
  const named = parseReference(reference, context.request.baseUrl);
  const isOne = named.kind === 'record' && (named.type === 'Practitioner' || named.type === 'PractitionerRole');
  const address = isOne ? await locate(context, named.type, named.id) : undefined;
  const found = address && (await context.store.read(address));
  if (!isOne || !found?.resource) throw referenceError([{ expression: 'cosigner' }]);
  const name = `${named.type}/${named.id}`;
  if (await isSamePerson(context, name, signer))
    throw new RecordError('invalid', 'Who signs does not sign besides', { expression: 'cosigner' });
  return name;
};
