import type { Question, TypeQuestion, Verdict } from '../question.ts';
import { reads } from '../scopes.ts';

/** Who acts for a patient does so while a right is in force, and writes only if it says so. */
export const proxyOfType = ({ asking: { proxy }, action, type }: TypeQuestion): Verdict => {
  if (!proxy) return undefined;
  if (!reads(action)) return proxy.basis && proxy.mayAct ? undefined : 'proxy';
  return proxy.basis || type.directory || type.subject === 'knowledge' ? undefined : 'proxy';
};

/** What the patient may keep from them is as if it did not exist. */
export const proxyOfRecord = ({ asking, type, record }: Question): Verdict =>
  asking.proxy && record.chart === asking.chart && asking.proxy.hides(type.name, record) ? 'proxy' : undefined;
