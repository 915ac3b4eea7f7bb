import type { Interaction } from '../../interactions/context.ts';
import type { OwnRoutes, Route } from '../routes.ts';

const explainConsent: Interaction = async (...asked) =>
  (await import('../../interactions/explain-consent/explain-consent.lazy.ts')).explainConsent(...asked);

/** What can be asked of Consents alone. */
export const consentRoutes: OwnRoutes = {
  Consent: (['GET', 'POST'] as const).map(
    (method): Route => ({
      method,
      path: ['$explain'],
      interaction: explainConsent,
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Consent-explain',
    }),
  ),
};
