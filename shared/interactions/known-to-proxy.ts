import type { Proxy } from '../access/question.ts';
import type { AuditedAccess } from '../audit/audit-event.ts';
import { addressOf } from '../fhir/addresses.ts';

type Access = Omit<AuditedAccess, 'patient'>;

/**
 * An access as who acts for a patient is told of it: not at all if it was to records that are kept from them, or a disclosure outside, whose words nobody can judge;
 * else without what was looked for, which may name them.
 */
export const knownToProxy = (proxy: Proxy | undefined, access: Access): Access | undefined => {
  if (!proxy?.conceals) return access;
  const { query: _mayTell, ...entry } = access.entry;
  if (entry.disclosure || entry.suspension) return undefined;
  return entry.what.some((reference) => proxy.hidesName(addressOf(reference)?.name ?? reference))
    ? undefined
    : { ...access, entry };
};
