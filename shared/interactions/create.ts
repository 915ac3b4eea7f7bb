import { answerTo, written } from './answers.ts';
import { conditionalMatch, guardsFor } from './conditional-match.ts';
import type { Interaction } from './context.ts';
import { lookAgain } from './look-again.ts';
import { parseBody } from './parse-body.ts';
import { newPlace, planCreate } from './plan-write.ts';
import { requireTypeAccess } from './require-access.ts';
import { save } from './save.ts';

/** FHIR create and conditional create, `POST /{type}`. One DynamoDB call. https://hl7.org/fhir/R4/http.html#create */
export const createRecord: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  const parsed = parseBody(context.recordType, context.request.body);
  const { ifNoneExist } = context.request;
  return lookAgain(async () => {
    const found = ifNoneExist === undefined ? undefined : await conditionalMatch(context, ifNoneExist);
    const [existing] = found?.matches ?? [];
    if (existing) {
      await context.view.prepare([existing]);
      return written(context, existing, 200);
    }
    const place = await newPlace(context, parsed.resource);
    const plan = await planCreate(context, parsed, place, found && guardsFor(found, place.id));
    if (context.store.isReduced) {
      const { plans, answer } = await (await import('./hand-on.lazy.ts')).handedOn(context, plan);
      await save(context, plans, () => [answer]);
      return answer;
    }
    await save(context, [plan]);
    return answerTo(context, plan);
  });
};
