import { CfnOutput } from 'aws-cdk-lib';
import {
  BasePathMapping,
  DomainName,
  EndpointType,
  type RestApiBase,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { Domain } from '../domain.ts';

export interface OwnDomainProps {
  readonly domain: Domain;
  readonly api: RestApiBase;
}

/** The API under a name of its own, by TLS 1.2 or later, without the gateway's stage in the path: `https://<name>/fhir/…`. */
export class OwnDomain extends Construct {
  constructor(scope: Construct, id: string, { domain, api }: OwnDomainProps) {
    super(scope, id);
    const { name, certificateArn, hostedZoneId } = domain;
    const domainName = new DomainName(this, 'Name', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    // Not by addBasePathMapping, which would map the latest stage that CDK knows.
    new BasePathMapping(this, 'Mapping', { domainName, restApi: api, stage: api.deploymentStage });
    const { domainNameAliasDomainName: dnsName, domainNameAliasHostedZoneId } = domainName;
    if (hostedZoneId !== undefined)
      new CfnRecordSet(this, 'Record', {
        name,
        type: 'A',
        hostedZoneId,
        aliasTarget: { dnsName, hostedZoneId: domainNameAliasHostedZoneId },
      });
    new CfnOutput(this, 'Target', { value: dnsName, description: `What ${name} has to be an alias of` });
  }
}
