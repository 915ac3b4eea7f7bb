import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { OidcProviderNative, PolicyDocument, PolicyStatement, Role, WebIdentityPrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { DeployerSettings } from './settings.ts';

export interface DeployerStackProps extends StackProps {
  readonly settings: DeployerSettings;
}

/** Where GitHub says who a run of a workflow is. https://docs.github.com/en/actions/reference/security/oidc */
const issuer = 'token.actions.githubusercontent.com';
const audience = 'sts.amazonaws.com';

/** Of CDK's own stack: what the names of its roles have in common. */
const qualifier = 'hnb659fds';

/**
 * Lets a pipeline deploy a stage without a secret: GitHub vouches for a run, the account answers with credentials for an hour or two. Two roles. One compares, and is for runs of one branch; one deploys, and is for
 * runs that passed the rules of the environment which has the name of the stage: whom these rules ask for consent is set there.
 * Neither has rights of its own on anything of Concord: it takes on CDK's roles, whose rights the account gave when it was made ready.
 */
export class DeployerStack extends Stack {
  constructor(scope: Construct, id: string, { settings, ...props }: DeployerStackProps) {
    super(scope, id, props);
    const { stage, repository, branch, region } = settings;
    const providerArn =
      settings.providerArn ??
      new OidcProviderNative(this, 'Provider', { url: `https://${issuer}`, clientIds: [audience] }).oidcProviderArn;
    const trusts = (subject: string) =>
      new WebIdentityPrincipal(providerArn, {
        StringEquals: { [`${issuer}:aud`]: audience, [`${issuer}:sub`]: `repo:${repository}:${subject}` },
      });
    const role = (name: string, subject: string, description: string, statements: readonly PolicyStatement[]) => {
      const made = new Role(this, name, {
        assumedBy: trusts(subject),
        description,
        maxSessionDuration: Duration.hours(2),
        inlinePolicies: { own: new PolicyDocument({ statements: [...statements] }) },
      });
      new CfnOutput(this, `${name}RoleArn`, { value: made.roleArn, description });
    };
    const cdkRole = (name: string) =>
      this.formatArn({
        service: 'iam',
        region: '',
        resource: 'role',
        resourceName: `cdk-${qualifier}-${name}-role-${this.account}-${region}`,
      });
    const reads = new PolicyStatement({
      actions: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate'],
      resources: [`concord-${stage}-*`, 'CDKToolkit'].map((name) =>
        this.formatArn({ service: 'cloudformation', region, resource: 'stack', resourceName: `${name}/*` }),
      ),
    });
    const takesOn = (...names: readonly string[]) =>
      new PolicyStatement({ actions: ['sts:AssumeRole'], resources: names.map(cdkRole) });
    role('Compare', `ref:refs/heads/${branch}`, `Concord ${stage}: compares with what is deployed`, [reads]);
    role('Deploy', `environment:${stage}`, `Concord ${stage}: deploys`, [
      reads,
      takesOn('deploy', 'file-publishing', 'lookup'),
    ]);
  }
}
