import * as z from 'zod/mini';
import { reasonSystem } from '../shared/fhir/operation-outcome.ts';
import type { StableCode } from '../shared/stable-codes.ts';

/** WAF counts requests over this time, in seconds, and looks every few of them. */
export const rateWindowSeconds = 300;

/** Requests in five minutes. WAF takes 10 at least, and holds to the number roughly. https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html */
const perFiveMinutes = z.int().check(z.gte(10), z.lte(2_000_000_000));

/** Rates above which the firewall answers 429, in requests in five minutes. */
export const firewallSchema = z.strictObject({
  /** With one and the same access token. */
  perToken: perFiveMinutes,
  /** From one address with tokens: a whole hospital may stand behind it. */
  perAddress: perFiveMinutes,
  /** From one address without a token: descriptions of the server, and guesses. */
  perAddressWithoutToken: perFiveMinutes,
});

export type FirewallSettings = z.infer<typeof firewallSchema>;

/** A group of rules that AWS keeps, and those of its rules that only count here, each with the reason. */
export interface ManagedGroup {
  readonly name: string;
  readonly counted: Readonly<Record<string, string>>;
  /** Whether only requests without an access token are held to it. */
  readonly withoutTokenOnly?: true;
}

/**
 * Groups of rules of AWS. A clinical fact is never refused for how its text looks, so what looks into bodies for the marks of web pages counts and blocks nothing: functions parse each body
 * by a schema, and the API renders none. Names of rules that the group does not have would change nothing, so a test compares them with the list of AWS.
 * AWSManagedRulesSQLiRuleSet is left out, since there is no SQL; AWSManagedRulesAnonymousIpList too, since applications of hospitals run in clouds.
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
export const managedGroups: readonly ManagedGroup[] = [
  {
    name: 'AWSManagedRulesCommonRuleSet',
    counted: {
      NoUserAgent_HEADER: 'interface engines of hospitals send none, and a token says who they are',
      SizeRestrictions_QUERYSTRING: 'a search may name more than 2,048 bytes of ids and codes',
      SizeRestrictions_BODY: 'a bundle is larger than 8 KB; the gateway and the functions have limits of their own',
      GenericLFI_BODY: 'notes, HL7 v2 messages and documents may hold `../`',
      GenericRFI_BODY: 'an Endpoint or a Subscription may have an address of numbers',
      GenericRFI_QUERYARGUMENTS: 'a system of identifiers may be an address of numbers, and searches name it',
      RestrictedExtensions_URIPATH: 'an id has a dot before random letters, which may be `log`, `ini` or `bak`',
      RestrictedExtensions_QUERYARGUMENTS: 'likewise, where a search names a record',
      CrossSiteScripting_BODY: 'the narrative of every record is XHTML',
    },
  },
  { name: 'AWSManagedRulesKnownBadInputsRuleSet', counted: {} },
  // A hospital whose address gets onto a list must not be shut out by it; whoever sends no valid token, the authorizer refuses.
  { name: 'AWSManagedRulesAmazonIpReputationList', counted: {}, withoutTokenOnly: true },
];

/** Headers that are never kept: what opens the API, and what may name a patient. The others of a request say which program sent it. */
export const hiddenHeaders = [
  'authorization',
  'cookie',
  'idempotency-key', // a client's own words
  'if-none-exist', // a search for a patient
  'referer', // an address with its query
  'x-provenance', // a record
  'x-security-context', // a reference to a record
] as const;

/** An answer of the firewall itself. WAF sets the type, `application/json`, and allows 4 KB and ten headers. https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-for-blocked-requests.html */
export interface FirewallAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const answer = (
  statusCode: number,
  code: fhir4.OperationOutcomeIssue['code'],
  reason: StableCode,
  message: string,
  retryAfterSeconds: number,
): FirewallAnswer => {
  const outcome: fhir4.OperationOutcome = {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: statusCode >= 500 ? 'fatal' : 'error',
        code,
        details: { coding: [{ system: reasonSystem, code: reason }], text: message },
        diagnostics: message,
      },
    ],
  };
  return {
    statusCode,
    headers: {
      'Retry-After': String(retryAfterSeconds),
      'Access-Control-Allow-Origin': '*', // so that an app in a browser can read it, and the time
      'Access-Control-Expose-Headers': 'Retry-After',
    },
    body: JSON.stringify(outcome),
  };
};

/** What everybody is told while a stage is not `open`. */
export const closedAnswer = answer(
  503,
  'transient',
  'closed',
  'Concord is closed for the moment, and nothing of this request took effect; try again later',
  300,
);

/** What is told above a rate. WAF lets requests through again within some 30 seconds. */
export const tooManyAnswer = answer(429, 'throttled', 'throttled', 'Too many requests at once; try again', 30);
