import { describe, expect, it } from 'vitest';
import {
  auditDayPartition,
  auditKey,
  historyKey,
  historyPrefix,
  pointerKey,
  recordKey,
  recordRange,
  redoKey,
  typePrefix,
  unfinishedKey,
} from '../../shared/store/keys.ts';

const address = { type: 'Encounter', chart: 'c1', place: '0000000000000000000a' };

describe('keys', () => {
  it('sort version 10 behind version 9, as DynamoDB compares sort keys as text', () => {
    const ninth = historyKey(address, 9);
    const tenth = historyKey(address, 10);

    expect([tenth.sk, ninth.sk].sort()).toEqual([ninth.sk, tenth.sk]);
    expect(tenth.sk.startsWith(historyPrefix(address))).toBe(true);
  });

  it('keep the versions of one record apart from those of a record whose place begins alike', () => {
    const shorter = { ...address, place: '' };

    expect(historyKey(address, 1).sk.startsWith(historyPrefix(shorter))).toBe(false);
  });

  it('put current records of a chart between directives and history', () => {
    const sortKeys = [
      historyKey(address, 1).sk,
      '!access#org',
      recordKey(address).sk,
      recordKey({ ...address, type: 'Account', place: '' }).sk,
      recordKey({ ...address, type: 'VisionPrescription' }).sk,
    ];

    const records = sortKeys.filter((sk) => sk >= recordRange.from && sk <= recordRange.to);

    expect(records).toHaveLength(3);
    expect(records.every((sk) => /^[A-Z]/.test(sk))).toBe(true);
  });

  it('do not mix types of which one begins like the other', () => {
    const role = recordKey({ ...address, type: 'PractitionerRole' });

    expect(role.sk.startsWith(typePrefix('Practitioner'))).toBe(false);
  });

  it('give a pointer the record’s own place in another chart', () => {
    expect(pointerKey(address, 'c2')).toEqual({ pk: 'C#c2', sk: recordKey(address).sk });
  });

  it('keep the parts of a redo log beside its marker, in order', () => {
    expect([redoKey('tx', 10).sk, redoKey('tx', 9).sk].sort()).toEqual([redoKey('tx', 9).sk, redoKey('tx', 10).sk]);
    expect(redoKey('tx', 0).pk).toBe('T#tx');
  });

  it('spread unfinished transactions by the first letter of their name', () => {
    expect(unfinishedKey('v12')).toEqual({ pk: 'T~v', sk: 'v12' });
  });

  it('keep the log of a chart apart from the log of a day', () => {
    expect(auditKey('c1', 'place').pk).toBe('A#c1');
    expect(auditDayPartition('northside', '2026-11-24')).toBe('A#northside#2026-11-24');
  });
});
