import { canaryEntry } from '../canary.ts';
import { listed } from './grants.ts';

export interface ObservabilityPlaces {
  /** Of the secret of the canary, and of the key that encrypts it. */
  readonly secretArn: string;
  readonly secretKeyArn: string;
  readonly region: string;
}

/** What the functions of observability may do: the canary asks for its own credentials, and for everything else with these, as an application does. */
export const observabilityGrants = listed<ObservabilityPlaces>({
  [canaryEntry]: ({ secretArn, secretKeyArn, region }) => [
    { actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] },
    {
      actions: ['kms:Decrypt'],
      resources: [secretKeyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
    },
  ],
});
