import { Duration, Stack } from 'aws-cdk-lib';
import { CfnRule, type EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { type Partner, patternFor } from '../partners.ts';
import type { Alarms } from './alarms.ts';
import { eventBridgeFor, queueForRule } from './rule-queue.ts';

export interface PartnerRuleProps {
  readonly partner: Partner;
  readonly bus: EventBus;
  /** Encrypts what could not be delivered. */
  readonly key: Key;
  readonly alarms: Alarms;
}

/** How long EventBridge tries: what a partner gets later would have been permitted too long ago. */
const retriedFor = Duration.minutes(15);
/** The most that EventBridge takes, so that time alone ends it. */
const attempts = 185;

/**
 * Hands events on to the bus of one partner, by a role that may do nothing else. What its bus does not take within a quarter of an hour
 * is kept in a queue of this partner alone, and told of: nothing sends it again by itself, because consent may have changed.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
export class PartnerRule extends Construct {
  constructor(scope: Construct, id: string, { partner, bus, key, alarms }: PartnerRuleProps) {
    super(scope, id);
    const { organization, busArn } = partner;
    // A rule's name is unique in its bus, and an organisation is a partner once.
    const ruleName = organization;
    const ruleArn = Stack.of(this).formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: `${bus.eventBusName}/${ruleName}`,
    });
    const undelivered = queueForRule(this, 'Undelivered', { key, ruleArn });
    const role = new Role(this, 'Role', {
      assumedBy: eventBridgeFor(this, ruleArn),
      description: `Puts events for ${organization} on its bus`,
      inlinePolicies: {
        own: new PolicyDocument({
          statements: [new PolicyStatement({ actions: ['events:PutEvents'], resources: [busArn] })],
        }),
      },
    });
    new CfnRule(this, 'Rule', {
      name: ruleName,
      description: `Events for ${organization}, and for every organisation`,
      eventBusName: bus.eventBusName,
      eventPattern: patternFor(partner),
      targets: [
        {
          id: 'bus',
          arn: busArn,
          roleArn: role.roleArn,
          deadLetterConfig: { arn: undelivered.queueArn },
          retryPolicy: { maximumEventAgeInSeconds: retriedFor.toSeconds(), maximumRetryAttempts: attempts },
        },
      ],
    });
    alarms.watchPartner(organization, { eventBusName: bus.eventBusName, ruleName, undelivered });
  }
}
