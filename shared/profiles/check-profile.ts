import { maxIssues } from '../fhir/complex-type.ts';
import { referencedType } from '../fhir/fhirpath-runtime.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { type Element, elementsOf } from './elements.ts';
import { holds } from './evaluate.ts';
import { type Coded, isMember } from './membership.ts';
import type { Binding, CodeTable, ElementRule, Profile, Rule, Slice } from './profile.ts';

/** Profiles with all that they refer to. */
export interface Guide {
  /** Such as `6.1.0`. */
  readonly version: string;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly codeTables: ReadonlyMap<string, CodeTable>;
  readonly rules: readonly Rule[];
}

/** Whether a value has all that a pattern has; for lists, each of the pattern's items somewhere. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_ */
const covers = (pattern: unknown, value: unknown): boolean => {
  if (typeof pattern !== 'object' || pattern === null) return pattern === value;
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((each) => value.some((item) => covers(each, item)));
  }
  if (typeof value !== 'object' || value === null) return false;
  const held = value as Record<string, unknown>;
  return Object.entries(pattern).every(([name, each]) => covers(each, held[name]));
};

interface Concept extends Coded {
  readonly coding?: readonly Coded[];
  readonly text?: string;
}

/** How an element stands to a value set: `unknown` if what is held of the set does not tell; `uncoded` has nothing to compare. */
const standing = (value: unknown, table: CodeTable): 'in' | 'out' | 'unknown' | 'uncoded' => {
  const { coding, ...single } = (typeof value === 'object' ? value : { code: value }) as Concept;
  const isBare = typeof value !== 'object';
  const codings = coding ?? (single.code === undefined ? [] : [single]);
  if (codings.length === 0) return 'uncoded';
  const found = codings.map((each) => isMember(table, each, isBare));
  return found.includes(true) ? 'in' : found.includes(undefined) ? 'unknown' : 'out';
};

/**
 * Checks a resource against a profile: cardinality, types, fixed values and patterns, bindings, slices, extensions, the types that
 * references name, and rules between elements.
 *
 * @param resource - one that has the structure that R4 gives its type.
 * @returns errors where it does not meet the profile; warnings where it should do better; information where a check could not be
 *   made. At most 50 of each, in the order of the profile; none repeats a value of the resource.
 * @see https://hl7.org/fhir/R4/profiling.html
 */
export const checkProfile = (
  { profiles, codeTables, rules, version }: Guide,
  profile: Profile,
  resource: fhir4.Resource,
): ValidationIssue[] => {
  const issues = new Map<string, ValidationIssue>();
  // Each severity has room of its own: no number of notices may hide an error.
  const left = { error: maxIssues, warning: maxIssues, information: maxIssues };
  const report = (
    code: ValidationIssue['code'],
    expression: string,
    message: string,
    severity: ValidationIssue['severity'] = 'error',
  ): void => {
    const key = `${expression} ${message}`; // a slice repeats rules of the whole element
    if (left[severity] === 0 || issues.has(key)) return;
    left[severity] -= 1;
    issues.set(key, { severity, code, expression, message: `${message} (${profile.name} ${version})` });
  };

  const tableOf = (url: string): CodeTable => codeTables.get(url) ?? { url, systems: {}, open: true };

  const checkBinding = ({ strength, valueSet }: Binding, value: unknown, at: string): void => {
    const found = standing(value, tableOf(valueSet));
    if (found === 'unknown') {
      report('not-supported', at, `whether ${valueSet} has its code could not be checked`, 'information');
    } else if (strength === 'extensible' && found === 'out') {
      report('code-invalid', at, `should have a code of ${valueSet}, if one of them applies`, 'warning');
    } else if (found === 'out' || (found === 'uncoded' && strength === 'required')) {
      report('code-invalid', at, `must have a code of ${valueSet}`);
    }
  };

  const checkValue = (
    rule: ElementRule,
    { value, children }: Pick<Element, 'value' | 'children'>,
    at: string,
  ): void => {
    if (left.error === 0) return;
    if (value !== undefined) {
      if (rule.fixed !== undefined && !covers(rule.fixed, value)) {
        report('value', at, `must be ${JSON.stringify(rule.fixed)}`);
      }
      if (rule.pattern !== undefined && !covers(rule.pattern, value)) {
        report('value', at, `must have ${JSON.stringify(rule.pattern)}`);
      }
      for (const binding of rule.bindings ?? []) checkBinding(binding, value, at);
      const target = rule.targets && referencedType(value as fhir4.Reference);
      if (target !== undefined && !rule.targets?.includes(target)) {
        report('value', at, `must refer to ${rule.targets?.join(' or ')}`);
      }
    }
    for (const index of rule.rules ?? []) {
      const constraint = rules[index];
      if (constraint && !holds(constraint.expression, value ?? children)) {
        report('invariant', at, `${constraint.key}: ${constraint.human}`, constraint.severity);
      }
    }
    const extension = rule.profile === undefined ? undefined : profiles.get(rule.profile);
    if (extension) checkValue(extension.root, { value, children }, at);
    for (const [name, child] of Object.entries(rule.children ?? {})) checkElement(child, name, children, at);
  };

  const belongsTo = ({ match }: Slice, element: Element): boolean =>
    Object.entries(match).every(([path, condition]) =>
      path
        .split('.')
        .filter((step) => step !== '$this')
        .reduce((found, step) => found.flatMap(({ children }) => elementsOf(children, step)), [element])
        .some(
          ({ value }) =>
            (condition.fixed === undefined || covers(condition.fixed, value)) &&
            (condition.pattern === undefined || covers(condition.pattern, value)) &&
            (condition.bindings ?? []).every(({ valueSet }) => standing(value, tableOf(valueSet)) === 'in'),
        ),
    );

  const checkCount = ({ min = 0, max = Number.POSITIVE_INFINITY }: ElementRule, count: number, at: string, of = '') => {
    if (count < min) report('required', at, `must be there${min > 1 ? ` at least ${min} times` : ''}${of}`);
    if (count > max)
      report('structure', at, max === 0 ? 'must not be there' : `must be there at most ${max} time(s)${of}`);
  };

  const checkElement = (rule: ElementRule, name: string, parent: unknown, at: string): void => {
    const elements = elementsOf(parent, name);
    const whole = `${at}.${name.replace('[x]', '')}`;
    checkCount(rule, elements.length, whole);
    for (const element of elements) {
      const place = `${at}${element.step}`;
      if (rule.types && !rule.types.includes(element.property.slice(name.length - 3))) {
        report('structure', place, `must be of type ${rule.types.join(' or ')}`);
      }
      checkValue(rule, element, place);
    }
    for (const slice of rule.slices ?? []) {
      const own = elements.filter((element) => belongsTo(slice, element));
      checkCount(slice, own.length, whole, ` in the slice ${slice.name}`);
      for (const element of own) checkValue(slice, element, `${at}${element.step}`);
    }
  };

  for (const url of profile.notHeld ?? []) {
    report('not-supported', profile.type, `the rules of ${url} could not be checked`, 'information');
  }
  checkValue(profile.root, { value: resource, children: resource as unknown as Element['children'] }, profile.type);
  return [...issues.values()];
};
