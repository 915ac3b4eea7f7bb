import { actionsOf, isForEverybody, type PolicyStatementIn, statementsOf } from './policy.ts';
import type { OwnRule } from './rule.ts';

/** CloudFormation's word for the account itself, whose own policies then decide. */
const isAccount = ({ Principal }: PolicyStatementIn): boolean => {
  const text = JSON.stringify((Principal as { readonly AWS?: unknown } | undefined)?.AWS ?? '');
  return text.includes(':root"') && text.includes('AWS::AccountId') && !text.includes('*');
};

const administers = (action: string): boolean =>
  action === '*' || /^kms:(?:\*|Put|ScheduleKeyDeletion|Disable|Create|Delete|Update)/.test(action);

export const guardedKeys: OwnRule = {
  name: 'Concord-GuardedKeys',
  asks: 'The policy of a key lets nobody in without a name or a condition, and leaves what administers it to the account alone. A key that encrypts is changed every year.',
  because: 'The packs look at rotation alone, and not at what the policy of a key allows.',
  violations: (resources) =>
    resources
      .filter(({ type }) => type === 'AWS::KMS::Key' || type === 'AWS::KMS::ReplicaKey')
      .flatMap((resource) => {
        const { type, properties } = resource;
        const allowed = statementsOf(properties.KeyPolicy).filter(({ Effect }) => Effect === 'Allow');
        const encrypts = (properties.KeyUsage ?? 'ENCRYPT_DECRYPT') === 'ENCRYPT_DECRYPT';
        return [
          ...(allowed.some(isForEverybody) ? ['Its policy lets anybody in.'] : []),
          ...(allowed.some((each) => actionsOf(each).some(administers) && !isAccount(each))
            ? ['Its policy lets somebody besides the account administer it.']
            : []),
          ...(type === 'AWS::KMS::Key' && encrypts && properties.EnableKeyRotation !== true
            ? ['It is not rotated.']
            : []),
        ].map((says) => ({ resource, says }));
      }),
};
