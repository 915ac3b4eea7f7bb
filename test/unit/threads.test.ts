import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { answeredInEnd } from '../../shared/work/threads.ts';

// docs/work.md, "Threads".

const baseUrl = 'https://concord.example/fhir';
const named = (id: number) => `Communication/${id}`;

describe('messages of one transaction that answer one another', () => {
  it('lead to what begins them, and each is looked at once', () => {
    const many = 2_000;
    let looked = 0;
    // The first answers one that is there already, and has the number 0.
    const saying = (name: string): Resource | undefined => {
      looked++;
      const id = Number(name.split('/')[1]);
      return id === 0 ? undefined : { resourceType: 'Communication', inResponseTo: [{ reference: named(id - 1) }] };
    };

    for (let id = many; id > 0; id--) expect(answeredInEnd(saying, named(id), baseUrl)).toBe(named(0));
    expect(looked).toBe(many + 1);
  });

  it('end where they would go round', () => {
    const saying = (name: string): Resource => ({
      resourceType: 'Communication',
      inResponseTo: [{ reference: name === named(1) ? named(2) : named(1) }],
    });

    expect(answeredInEnd(saying, named(1), baseUrl)).toBe(named(2));
  });
});
