import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { isOpen } from '../work/worklists.ts';
import { cosignerOf, namesOfSigner, signaturesOf, signerOf } from './signature.ts';

const cosignature: fhir4.CodeableConcept = {
  coding: [
    {
      system: 'https://concord.example/fhir/CodeSystem/work',
      code: 'cosignature',
      display: 'Read this, and sign it besides',
    },
  ],
};

/**
 * Who is to sign besides gets a task with the signature that asks for it. Their own signature completes it; it is cancelled when what was signed is taken back.
 */
export const askForCosignature = ({ name, before, next, now }: RecordChange): readonly Raised[] => {
  if (!next || next['status'] === 'entered-in-error') {
    return signaturesOf(before).some(cosignerOf) ? [{ of: 'Task', changes: ended(name, 'cancelled') }] : [];
  }
  const known = signaturesOf(before).length;
  return signaturesOf(next)
    .slice(known)
    .flatMap((signature): Raised[] => {
      const [signer, cosigner] = [signerOf(signature), cosignerOf(signature)];
      const names = namesOfSigner(signature);
      const asked = signaturesOf(before).some((each) => names.includes(cosignerOf(each) ?? ''));
      return [
        ...(asked ? [{ of: 'Task', changes: ended(name, 'completed', names) } as const] : []),
        ...(cosigner === undefined ? [] : [{ opens: taskFor({ name, next, signer, cosigner, now }) }]),
      ];
    });
};

interface Asked {
  readonly name: string;
  readonly next: Resource;
  readonly signer: string | undefined;
  readonly cosigner: string;
  readonly now: number;
}

const taskFor = ({ name, next, signer, cosigner, now }: Asked): Resource => {
  const { subject } = next as { subject?: fhir4.Reference };
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: cosignature,
    focus: { reference: name },
    ...(subject?.reference === undefined ? {} : { for: { reference: subject.reference } }),
    authoredOn: new Date(now).toISOString(),
    ...(signer === undefined ? {} : { requester: { reference: signer } }),
    owner: { reference: cosigner },
  };
  return task as unknown as Resource;
};

const ended =
  (name: string, status: 'completed' | 'cancelled', by?: readonly string[]) =>
  (resource: Resource): Resource | undefined => {
    const task = resource as unknown as fhir4.Task;
    const { code, focus, owner } = task;
    const isAsked = code?.coding?.some(({ code: each }) => each === cosignature.coding?.[0]?.code) ?? false;
    const isTheirs = by === undefined || by.includes(owner?.reference ?? '');
    return isAsked && focus?.reference === name && isTheirs && isOpen(task) ? { ...resource, status } : undefined;
  };
