import * as z from 'zod/mini';
import type { Recovery } from './recovery-place.ts';

const arnOfCertificate = z.string().check(z.regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/));

/** Where a stage is served under a name of its own. Without it the name is the gateway's, and may change. */
export const domainSchema = z.strictObject({
  /** Such as `ehr.network.example`. */
  name: z.string().check(z.regex(/^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)),
  /** Of a certificate for that name in the region of the stage, kept by ACM, which renews it. */
  certificateArn: arnOfCertificate,
  /** The same in the region of the recovery: a stage with a standby needs both, since the name goes over to it with everything else. */
  standbyCertificateArn: z.optional(arnOfCertificate),
  /** Of the zone in Route 53 that gets the record; whoever keeps the name elsewhere adds it there. */
  hostedZoneId: z.optional(z.string().check(z.regex(/^Z[A-Z0-9]{1,31}$/))),
});

export type Domain = z.infer<typeof domainSchema>;

/**
 * A gateway of a region takes no certificate of another one. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html
 *
 * @throws Error naming what is missing, or both regions.
 */
export const requireCertificates = ({ region, domain, recovery }: Served): void => {
  if (!domain) return;
  requireCertificateIn(region, domain.name, domain.certificateArn);
  if (!recovery?.standby) return;
  if (domain.standbyCertificateArn === undefined)
    throw new Error(`A standby serves ${domain.name} too: name its certificate in ${recovery.region}`);
  requireCertificateIn(recovery.region, domain.name, domain.standbyCertificateArn);
};

interface Served {
  readonly region: string;
  readonly domain?: Domain | undefined;
  readonly recovery?: Recovery | undefined;
}

const requireCertificateIn = (region: string, name: string, certificateArn: string): void => {
  const other = certificateArn.split(':')[3];
  if (other !== region)
    throw new Error(`The certificate of ${name} is in ${other}; a gateway in ${region} takes none of it`);
};

/** The domain as the standby serves it: its own certificate, and no record, since a name leads to one region at a time. docs/runbooks/fail-over.md changes the record. */
export const domainThere = ({ name, standbyCertificateArn }: Domain): Domain | undefined =>
  standbyCertificateArn === undefined ? undefined : { name, certificateArn: standbyCertificateArn };
