import { describe, expect, it } from 'vitest';
import { roles } from '../../shared/access/caller.ts';
import { roleAllows } from '../../shared/access/roles.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { contractRights, contractRoles, typesCalled, writtenByPatients } from '../support/contract-roles.ts';

const letters = ['c', 'r', 'u', 'd', 's'] as const;
const all = [...recordTypes, ...otherRecordTypes];
const allowed = (role: (typeof roles)[number], { name, subject }: (typeof all)[number]) =>
  letters.filter((action) => roleAllows(role, action, name, subject)).join('');

describe('roles', () => {
  it('are those of the contract', () => {
    expect([...roles].sort()).toEqual(Object.keys(contractRoles).sort());
  });

  it('are compared for every record type that has a function', () => {
    const named = Object.values(typesCalled).flatMap((types) => types.split(' '));

    expect(named.sort()).toEqual(recordTypes.map(({ name }) => name).sort());
  });

  it.each(roles)('give %s what the contract says, type by type', (role) => {
    const actual = recordTypes.map((type) => `${type.name} ${allowed(role, type)}`);

    expect(actual).toEqual(recordTypes.map(({ name }) => `${name} ${contractRights(role, name)}`));
  });

  it('let nobody write an AuditEvent', () => {
    const auditEvent = all.filter(({ name }) => name === 'AuditEvent');

    expect(auditEvent).toHaveLength(1);
    expect(auditEvent.flatMap((type) => roles.map((role) => allowed(role, type)))).not.toContainEqual(
      expect.stringMatching(/[cud]/),
    );
  });

  it('let patients write four types of all that there are', () => {
    const written = all.filter((type) => /[cud]/.test(allowed('patient', type))).map(({ name }) => name);

    expect(written.sort()).toEqual([...writtenByPatients].sort());
  });

  it('let privacy officers write two types of all that there are', () => {
    const written = all.filter((type) => /[cud]/.test(allowed('privacy', type))).map(({ name }) => name);

    expect(written.sort()).toEqual(['Consent', 'Task']);
  });

  it.each(['frontdesk', 'support', 'privacy', 'admin'] as const)('show %s no clinical content of any type', (role) => {
    const clinical = all.filter(({ subject }) => ['clinical', 'order', 'dispensing', 'laboratory'].includes(subject));

    expect(clinical.length).toBeGreaterThan(30);
    expect(clinical.map((type) => allowed(role, type)).join('')).toBe('');
  });
});
