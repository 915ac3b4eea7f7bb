import { RecordError } from '../errors.ts';
import { withSpellingOf } from './json.ts';
import { changed, type Hides, isLabel, isMask, type Json, namesIn } from './masks.ts';
import type { Resource } from './resource.ts';

/**
 * What was sent, with what is masked in it as the current version has it.
 *
 * @throws RecordError `business-rule` for what is masked and does not stand in that version.
 */
export const withoutMasks = (
  sent: Resource,
  current: { readonly version: number; readonly resource: Resource | undefined } | undefined,
  hides: Hides,
): Resource => {
  const places = new Map<unknown, Json>();
  changed(current?.resource, (holder, number) => {
    if (namesIn(holder).some(hides)) places.set(`masked-${current?.version}-${number}`, holder);
    return undefined;
  });
  const whole = changed(sent, (holder) => {
    if (!isMask(holder)) return undefined;
    const original = places.get(holder.id);
    if (original) return original;
    throw new RecordError(
      'business-rule',
      'What is masked in this is not what the current version has there; read it again',
      {
        reason: 'masked',
        expression: `${sent.resourceType}.meta.security`,
      },
    );
  }) as unknown as fhir4.DomainResource;
  const { text } = (current?.resource ?? {}) as Partial<fhir4.DomainResource>;
  const { security, ...meta } = whole.meta ?? {};
  const left = security?.filter((each) => !isLabel(each)) ?? [];
  const restored = {
    ...(whole as unknown as Resource),
    ...(text && !whole.text ? { text } : {}),
    meta: { ...meta, ...(left.length === 0 ? {} : { security: left }) },
  } as unknown as Resource;
  return withSpellingOf(restored, whole);
};
