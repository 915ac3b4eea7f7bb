import * as z from 'zod/mini';

/** Where a stage is served under a name of its own. Without it the name is the gateway's, and may change. */
export const domainSchema = z.strictObject({
  /** Such as `ehr.network.example`. */
  name: z.string().check(z.regex(/^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)),
  /** Of a certificate for that name in the region of the stage, kept by ACM, which renews it. */
  certificateArn: z.string().check(z.regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/)),
  /** Of the zone in Route 53 that gets the record; whoever keeps the name elsewhere adds it there. */
  hostedZoneId: z.optional(z.string().check(z.regex(/^Z[A-Z0-9]{1,31}$/))),
});

export type Domain = z.infer<typeof domainSchema>;

/**
 * A gateway of a region takes no certificate of another one. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html
 *
 * @throws Error naming both regions.
 */
export const requireCertificateIn = (region: string, { name, certificateArn }: Domain): void => {
  const other = certificateArn.split(':')[3];
  if (other !== region)
    throw new Error(`The certificate of ${name} is in ${other}; a gateway in ${region} takes none of it`);
};
