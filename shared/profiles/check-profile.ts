import { maxIssues } from '../fhir/complex-type.ts';
import { referencedType } from '../fhir/fhirpath-runtime.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { type Element, elementsOf, expressionOf } from './elements.ts';
import { holds } from './evaluate.ts';
import { type Coded, isMember } from './membership.ts';
import type { Binding, CodeTable, ElementRule, Profile, Rule, Slice } from './profile.ts';
import { usCoreBase } from './us-core-base.ts';

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
const standing = (value: unknown, table?: CodeTable): 'in' | 'out' | 'unknown' | 'uncoded' => {
  const isBare = typeof value !== 'object';
  const { coding, ...single } = (isBare ? { code: value } : value) as Concept;
  const codings = coding ?? (single.code === undefined ? [] : [single]);
  if (codings.length === 0) return 'uncoded';
  const found = codings.map((each) => table && isMember(table, each, isBare));
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
  const issues: ValidationIssue[] = [];
  /** Extensions that the profile names. */
  const asked = new Set<object>();
  // Each severity has room of its own: no number of notices may hide an error.
  const left = { error: maxIssues, warning: maxIssues, information: maxIssues };

  const report = (
    element: Element,
    code: ValidationIssue['code'],
    message: string,
    severity: ValidationIssue['severity'] = 'error',
  ): void => {
    if (left[severity] === 0) return;
    left[severity] -= 1;
    issues.push({
      severity,
      code,
      expression: expressionOf(element),
      message: `${message} (${profile.name} ${version})`,
    });
  };

  const checkBinding = ({ strength, valueSet }: Binding, element: Element): void => {
    const found = standing(element.value, codeTables.get(valueSet));
    if (found === 'unknown') {
      report(element, 'not-supported', `whether ${valueSet} has its code could not be checked`, 'information');
    } else if (strength === 'extensible' && found === 'out') {
      report(element, 'code-invalid', `should have a code of ${valueSet}, if one of them applies`, 'warning');
    } else if (found === 'out' || (found === 'uncoded' && strength === 'required')) {
      report(element, 'code-invalid', `must have a code of ${valueSet}`);
    }
  };

  const checkValue = (rule: ElementRule, element: Element): void => {
    if (left.error === 0) return;
    const { value, children } = element;
    if (value !== undefined) {
      const { pattern, targets } = rule;
      if (pattern !== undefined && !covers(pattern, value)) {
        report(element, 'value', `must have ${JSON.stringify(pattern)}`);
      }
      for (const binding of rule.bindings ?? []) checkBinding(binding, element);
      const target = targets && referencedType(value as fhir4.Reference);
      if (target !== undefined && !targets?.includes(target)) {
        report(element, 'value', `must refer to ${targets?.join(' or ')}`);
      }
    }
    for (const index of rule.rules ?? []) {
      const constraint = rules[index];
      if (constraint && !holds(constraint.expression, value ?? children)) {
        report(element, 'invariant', `${constraint.key}: ${constraint.human}`, constraint.severity);
      }
    }
    const extension = rule.profile === undefined ? undefined : profiles.get(rule.profile);
    if (extension) {
      asked.add(children);
      checkValue(extension.root, element);
    }
    for (const name in rule.children) {
      const child = rule.children[name];
      if (child) checkElement(child, name, element);
    }
  };

  const meets = ({ pattern, bindings = [] }: Slice['match'][string], value: unknown): boolean =>
    (pattern === undefined || covers(pattern, value)) &&
    bindings.every(({ valueSet }) => standing(value, codeTables.get(valueSet)) === 'in');

  const belongsTo = ({ match }: Slice, element: Element): boolean => {
    for (const path in match) {
      const condition = match[path];
      let found: readonly Element[] = [element];
      for (const step of path === '$this' ? [] : path.split('.'))
        found = found.flatMap((each) => elementsOf(each, step));
      if (condition && !found.some(({ value }) => meets(condition, value))) return false;
    }
    return true;
  };

  const checkCount = ({ min = 0, max }: ElementRule, count: number, whole: Element, of = '') => {
    if (count < min) report(whole, 'required', `must be there at least ${min} time(s)${of}`);
    if (max !== undefined && count > max) report(whole, 'structure', `must be there at most ${max} time(s)${of}`);
  };

  const checkElement = (rule: ElementRule, name: string, within: Element): void => {
    const elements = elementsOf(within, name);
    const whole = { value: undefined, children: {}, property: name.replace('[x]', ''), within };
    checkCount(rule, elements.length, whole);
    for (const element of elements) {
      if (rule.types && !rule.types.includes(element.property.slice(whole.property.length))) {
        report(element, 'structure', `must be of type ${rule.types.join(' or ')}`);
      }
      checkValue(rule, element);
    }
    for (const slice of rule.slices ?? []) {
      const own = elements.filter((element) => belongsTo(slice, element));
      checkCount(slice, own.length, whole, ` in the slice ${slice.name}`);
      for (const element of own) checkValue(slice, element);
    }
  };

  /** Extensions of the guide that the profile does not name are as their own profiles ask all the same, wherever they stand. */
  const checkExtensions = (within: Element): void => {
    const names = new Set(Object.keys(within.children).map((property) => property.replace(/^_/, '')));
    for (const name of names) {
      if (name === 'contained') continue;
      for (const element of elementsOf(within, name)) {
        const { url } = element.children;
        const extension = name === 'extension' && typeof url === 'string' ? extensionAt(url) : undefined;
        if (extension && !asked.has(element.children)) checkValue(extension.root, element);
        checkExtensions(element);
      }
    }
  };
  const extensionAt = (url: string): Profile | undefined => {
    const found = url.startsWith(usCoreBase) ? profiles.get(url.slice(usCoreBase.length)) : undefined;
    return found?.type === 'Extension' ? found : undefined;
  };

  const whole: Element = {
    value: resource,
    children: resource as unknown as Element['children'],
    property: resource.resourceType,
  };
  checkValue(profile.root, whole);
  checkExtensions(whole);
  return issues;
};
