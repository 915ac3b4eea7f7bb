import { RecordError } from '../errors.ts';
import type { StoredRecord } from '../store/rows.ts';
import { written } from './answers.ts';
import { conditionalMatch } from './conditional-match.ts';
import type { Interaction, RequestContext } from './context.ts';
import { parseBody } from './parse-body.ts';
import { newPlace, type PlannedWrite, planCreate } from './plan-write.ts';
import { requireTypeAccess } from './require-access.ts';
import { GuardFailed, save } from './save.ts';

/** How often a conditional create looks again when another one was quicker. */
const tries = 5;

/** FHIR create and conditional create, `POST /{type}`. One DynamoDB call. https://hl7.org/fhir/R4/http.html#create */
export const createRecord: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  const resource = parseBody(context.recordType, context.request.body);
  for (let attempt = 0; attempt < tries; attempt++) {
    const { existing, plan } = await planConditionalCreate(context, () => newPlace(context, resource), resource);
    if (existing) return written(context, existing, 200);
    try {
      await save(context, [plan]);
      return written(context, plan.next, 201);
    } catch (error) {
      if (!(error instanceof GuardFailed)) throw error;
    }
  }
  throw new RecordError('conflict', 'Others keep creating what this condition looks for; try again');
};

type ConditionalPlan = { existing: StoredRecord; plan?: never } | { existing?: never; plan: PlannedWrite };

const planConditionalCreate = async (
  context: RequestContext,
  place: () => ReturnType<typeof newPlace>,
  resource: Parameters<typeof planCreate>[1],
): Promise<ConditionalPlan> => {
  const condition = context.request.ifNoneExist;
  if (condition === undefined) return { plan: await planCreate(context, resource, await place()) };
  const { matches, guard } = await conditionalMatch(context, condition);
  const [existing] = matches;
  if (existing) return { existing };
  const at = await place();
  return { plan: await planCreate(context, resource, at, [{ ...guard, add: [at.id], remove: [], replaces: true }]) };
};
