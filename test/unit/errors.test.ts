import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';

class Narrower extends RecordError {}

/** The class as a file of code has it that was bundled by itself. */
const ofAnotherFile = (): Error => Object.assign(new Error('x'), { name: 'RecordError', kind: 'invalid' });

describe('a refusal', () => {
  it('is known by its name, whichever file its class came with', () => {
    expect(new RecordError('invalid', 'x')).toBeInstanceOf(RecordError);
    expect(ofAnotherFile()).toBeInstanceOf(RecordError);
    expect(new Error('x')).not.toBeInstanceOf(RecordError);
  });

  it('is one of a narrower class only if it was made by it', () => {
    expect(new Narrower('invalid', 'x')).toBeInstanceOf(Narrower);
    expect(new Narrower('invalid', 'x')).toBeInstanceOf(RecordError);
    expect(new RecordError('invalid', 'x')).not.toBeInstanceOf(Narrower);
  });
});
