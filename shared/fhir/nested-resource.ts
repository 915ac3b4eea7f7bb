import { $constructor, $ZodType } from 'zod/v4/core';
import { maxIssues } from './complex-type.ts';
import { resourceTypes } from './generated/resource-types.ts';
import { id } from './primitives.ts';
import type { SchemaIssue } from './schema-issue.ts';
import { schemaIssue } from './schema-issue.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const known: ReadonlySet<unknown> = new Set(resourceTypes);

const elementName = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/;

/** What JSON of every resource type must keep to. https://hl7.org/fhir/R4/json.html */
const checkJson = (value: unknown, path: Path, issues: SchemaIssue[]): void => {
  if (issues.length >= maxIssues) return;
  const report = (message: string, at: Path = path): void => {
    issues.push(schemaIssue('structure', message, [...at]));
  };
  if (value === null) report('must not be null');
  else if (typeof value === 'string') {
    if (!/\S/.test(value)) report(value === '' ? 'must not be empty' : 'must not consist of white space alone');
  } else if (Array.isArray(value)) {
    if (value.length === 0) report('must not be an empty array');
    for (const [index, item] of value.entries()) checkJson(item, [...path, index], issues);
  } else if (typeof value === 'object') {
    if (Object.keys(value).length === 0) report('must not be empty');
    else checkMembers(value as JsonObject, path, issues);
  }
};

const checkMembers = (members: JsonObject, path: Path, issues: SchemaIssue[]): void => {
  for (const [name, member] of Object.entries(members)) {
    if (!elementName.test(name)) {
      issues.push(schemaIssue('structure', 'has a property that is not an element', [...path]));
      continue;
    }
    const isExtensions = name.startsWith('_');
    const primitiveName = isExtensions ? name.slice(1) : name;
    const others = members[isExtensions ? primitiveName : `_${name}`];
    const memberPath = [...path, primitiveName];
    if (!Array.isArray(member) || member.length === 0 || !Array.isArray(others)) {
      checkJson(member, memberPath, issues);
      continue;
    }
    for (const [index, item] of member.entries()) {
      const other: unknown = others[index];
      // null fills the place of a primitive that only has extensions, or of extensions that only have a primitive;
      // where both are null, the primitive's array is told of it
      const isFilled = other !== undefined && (other !== null || isExtensions);
      if (item !== null || !isFilled) checkJson(item, [...memberPath, index], issues);
    }
  }
};

interface NestedDefinition {
  type: 'custom';
  readonly isContained: boolean;
}

const NestedResource = /* @__PURE__ */ $constructor<$ZodType & { _zod: { def: NestedDefinition } }>(
  'FhirNestedResource',
  (schema, { type, isContained }) => {
    $ZodType.init(schema, { type });
    schema._zod.parse = (payload) => {
      const { value } = payload;
      const issues: SchemaIssue[] = [];
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        issues.push(schemaIssue('structure', 'must be an object'));
      } else {
        const resource = value as JsonObject;
        if (!known.has(resource['resourceType'])) {
          issues.push(schemaIssue('structure', 'must be a resource type of R4', ['resourceType']));
        }
        const brokenId = resource['id'] === undefined ? undefined : id.rule(resource['id']);
        if (brokenId !== undefined) issues.push(schemaIssue(brokenId.code, brokenId.message, ['id']));
        const { id: _id, contained, ...others } = resource;
        // https://hl7.org/fhir/R4/references.html#contained
        if (isContained && contained !== undefined) {
          issues.push(schemaIssue('structure', 'is not allowed in a contained resource', ['contained']));
        }
        checkMembers(isContained || contained === undefined ? others : { ...others, contained }, [], issues);
      }
      for (const issue of issues) payload.issues.push(issue);
      return payload;
    };
  },
);

/**
 * A resource inside another one. Its elements are not checked against its type: a function holds the schema of its own
 * type alone. What is checked holds for each type: its name, the id, no empty values, no null.
 */
export const containedResource: $ZodType = /* @__PURE__ */ new NestedResource({ type: 'custom', isContained: true });

/** A resource in an entry of a Bundle or a parameter of Parameters, which may contain others. */
export const anyResource: $ZodType = /* @__PURE__ */ new NestedResource({ type: 'custom', isContained: false });
