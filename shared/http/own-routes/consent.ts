import type { Interaction } from '../../interactions/context.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';

const explainConsent: Interaction = async (...asked) =>
  (await import('../../interactions/explain-consent/explain-consent.lazy.ts')).explainConsent(...asked);

/** What can be asked of Consents alone. */
export const consentRoutes: OwnRoutes = {
  Consent: [
    ownOperation('GET', 'Consent/$explain', explainConsent),
    ownOperation('POST', 'Consent/$explain', explainConsent),
  ],
};
