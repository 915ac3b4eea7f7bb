import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import {
  closedAnswer,
  type FirewallAnswer,
  hiddenHeaders,
  type ManagedGroup,
  managedGroups,
  rateWindowSeconds,
  tooManyAnswer,
} from '../firewall.ts';
import type { StageConfig } from '../stages.ts';
import { keptOnceMade } from './kept-once-made.ts';

export interface FirewallProps {
  readonly stage: StageConfig;
  /** Encrypts the log. */
  readonly logKey: IKey;
  /** What it stands before. */
  readonly gatewayStage: Stage;
}

type Rule = CfnWebACL.RuleProperty;
type Statement = CfnWebACL.StatementProperty;

const headerPresent = (name: string): Statement => ({
  sizeConstraintStatement: {
    fieldToMatch: { singleHeader: { Name: name } },
    comparisonOperator: 'GT',
    size: 0,
    textTransformations: [{ priority: 0, type: 'NONE' }],
  },
});

const withToken = headerPresent('authorization');
const withoutToken: Statement = { notStatement: { statement: withToken } };

/** A browser that asks what it may send gets the gateway's own answer, so that its app can read ours. */
const notPreflight: Statement = {
  notStatement: {
    statement: {
      byteMatchStatement: {
        fieldToMatch: { method: {} },
        positionalConstraint: 'EXACTLY',
        searchString: 'OPTIONS',
        textTransformations: [{ priority: 0, type: 'NONE' }],
      },
    },
  },
};

/**
 * What stands before the gateway: rules of AWS, rates, and the closed door of a stage that is not `open`. Neither its log nor what it shows by itself holds tokens, addresses, queries or
 * bodies: samples are off, since redaction of the log does not reach them, and the protection of data covers what a rule has matched.
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/data-protection-masking.html
 */
export class Firewall extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, { stage, logKey, gatewayStage }: FirewallProps) {
    super(scope, id);
    const name = `concord-${stage.name}`;
    this.name = name;
    const visible = (part?: string) => ({
      metricName: part === undefined ? name : `${name}-${part}`,
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false,
    });
    const rules: Omit<Rule, 'priority' | 'visibilityConfig'>[] = [
      ...(stage.open === false
        ? [{ name: 'closed', statement: notPreflight, action: refuse('closed', closedAnswer) }]
        : []),
      ...managedGroups.map(managedRule),
      rateRule('per-token', stage.firewall.perToken, { scopeDownStatement: withToken, ...byToken }),
      rateRule('per-address', stage.firewall.perAddress, { scopeDownStatement: withToken, ...byAddress }),
      rateRule('per-address-without-token', stage.firewall.perAddressWithoutToken, {
        scopeDownStatement: withoutToken,
        ...byAddress,
      }),
    ];
    const acl = new CfnWebACL(this, 'Acl', {
      name,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      customResponseBodies: { closed: bodyOf(closedAnswer), 'too-many': bodyOf(tooManyAnswer) },
      rules: rules.map((rule, priority) => ({ ...rule, priority, visibilityConfig: visible(rule.name) })),
      visibilityConfig: visible(),
      dataProtectionConfig: {
        dataProtections: [
          { field: { fieldType: 'SINGLE_HEADER', fieldKeys: [...hiddenHeaders] }, action: 'SUBSTITUTION' },
          ...['SINGLE_COOKIE', 'QUERY_STRING', 'BODY'].map((fieldType) => ({
            field: { fieldType },
            action: 'SUBSTITUTION',
          })),
        ],
      },
    });
    new CfnWebACLAssociation(this, 'Association', { webAclArn: acl.attrArn, resourceArn: gatewayStage.stageArn });

    const stack = Stack.of(this);
    const log = new LogGroup(this, 'Log', {
      logGroupName: `aws-waf-logs-${name}`, // WAF takes no log that begins otherwise
      encryptionKey: logKey,
      retention: stage.logRetentionDays,
      removalPolicy: keptOnceMade(stage),
    });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // Not logGroupArn, which ends with `:*`.
      logDestinationConfigs: [
        stack.formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: log.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      redactedFields: [
        { uriPath: {} },
        { queryString: {} },
        ...hiddenHeaders.map((header) => ({ singleHeader: { Name: header } })),
      ],
      // What was let through is in the log of the gateway.
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }],
          },
        ],
      },
    });
    logging.node.addDependency(log);
  }
}

const managedRule = ({ name, counted, withoutTokenOnly }: ManagedGroup) => ({
  name,
  overrideAction: { none: {} },
  statement: {
    managedRuleGroupStatement: {
      vendorName: 'AWS',
      name,
      ruleActionOverrides: Object.keys(counted).map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      ...(withoutTokenOnly ? { scopeDownStatement: withoutToken } : {}),
    },
  },
});

const byAddress = { aggregateKeyType: 'IP' };
const byToken = {
  aggregateKeyType: 'CUSTOM_KEYS',
  customKeys: [{ header: { name: 'authorization', textTransformations: [{ priority: 0, type: 'NONE' }] } }],
};

const rateRule = (
  name: string,
  limit: number,
  by: Pick<CfnWebACL.RateBasedStatementProperty, 'aggregateKeyType' | 'customKeys' | 'scopeDownStatement'>,
) => ({
  name,
  statement: { rateBasedStatement: { limit, evaluationWindowSec: rateWindowSeconds, ...by } },
  action: refuse('too-many', tooManyAnswer),
});

const refuse = (bodyKey: string, { statusCode, headers }: FirewallAnswer) => ({
  block: {
    customResponse: {
      responseCode: statusCode,
      customResponseBodyKey: bodyKey,
      responseHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })),
    },
  },
});

const bodyOf = ({ body }: FirewallAnswer) => ({ contentType: 'APPLICATION_JSON', content: body });
