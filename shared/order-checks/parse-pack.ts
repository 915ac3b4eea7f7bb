import * as z from 'zod/mini';
import { type Pack, severities } from './knowledge.ts';
import { rxnorm } from './known-medicines.ts';

/** A pack that cannot be used, with each thing that is wrong: which list, which row, which rule. */
export class PackError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The pack of order checks cannot be used: ${problems.slice(0, 20).join('; ')}`);
    this.name = 'PackError';
    this.problems = problems;
  }
}

const text = z.string().check(z.trim(), z.minLength(1));
const id = z.string().check(z.regex(/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/, 'must be lower-case words with hyphens between'));
const rxcui = z.string().check(z.regex(/^[1-9][0-9]{0,7}$/, 'must be an RxNorm code'));
const code = z.strictObject({ system: z.url(), code: text });
const ids = z.array(id).check(z.minLength(1));
const codes = z.array(rxcui).check(z.minLength(1));
const sourced = { id, source: id, where: text };
const rule = { ...sourced, severity: z.enum(severities), text };

/** The format of docs/order-checks.md. Lists that are left out are empty. */
const packSchema = z.strictObject({
  edition: text,
  addsTo: z.optional(text),
  date: z.iso.date(),
  licence: text,
  sources: z._default(z.array(z.strictObject({ id, title: text, url: z.url() })), []),
  ingredients: z._default(
    z.array(
      z.strictObject({
        id,
        name: text,
        also: z.optional(z.array(text)),
        rxcui: z.optional(codes),
        codes: z.optional(z.array(code)),
        source: z.optional(ids),
      }),
    ),
    [],
  ),
  products: z._default(z.array(z.strictObject({ of: ids, rxcui: codes })), []),
  classes: z._default(
    z.array(
      z.strictObject({
        ...sourced,
        name: text,
        also: z.optional(z.array(text)),
        members: ids,
        codes: z.optional(z.array(code)),
      }),
    ),
    [],
  ),
  interactions: z._default(z.array(z.strictObject({ ...rule, between: z.tuple([id, id]) })), []),
  allergies: z._default(z.array(z.strictObject({ ...rule, allergicTo: id, against: id })), []),
  duplicates: z._default(z.array(z.strictObject({ ...rule, class: id })), []),
  pregnancy: z._default(z.array(z.strictObject({ ...rule, of: id })), []),
  renal: z._default(
    z.array(
      z.strictObject({
        ...rule,
        of: id,
        measure: z.enum(['egfr', 'clearance']),
        below: z.optional(z.number().check(z.positive())),
        atMost: z.optional(z.number().check(z.positive())),
        above: z.optional(z.number().check(z.positive())),
      }),
    ),
    [],
  ),
});

/**
 * Reads a pack.
 *
 * @param content - JSON, as docs/order-checks.md describes it.
 * @param base - a pack that it adds to (`addedTo`): its rows may name what is there.
 * @throws PackError with all that is wrong.
 */
export const parsePack = (content: string, base?: Pack): Pack => {
  const parsed = packSchema.safeParse(read(content));
  if (!parsed.success)
    throw new PackError(parsed.error.issues.map((issue) => `${placeOf(issue.path)}: ${wordsOf(issue)}`));
  const problems = inconsistencies(parsed.data, base);
  if (problems.length > 0) throw new PackError(problems);
  return parsed.data;
};

const read = (content: string): unknown => {
  try {
    return JSON.parse(content);
  } catch {
    throw new PackError(['it is no JSON']);
  }
};

/** The small edition of the library brings no words of its own. */
const wordsOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `nobody knows ${issue.keys.join(', ')}`;
    case 'invalid_type':
      return `must be ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      return 'is empty or too small';
    case 'too_big':
      return 'is too long';
    case 'invalid_format':
      return issue.message === 'Invalid input' ? `must be a ${issue.format}` : issue.message;
    default:
      return issue.message;
  }
};

/** `interactions[3].severity`. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '') || 'the pack';

const ruleLists = ['interactions', 'allergies', 'duplicates', 'pregnancy', 'renal'] as const;

/** What no schema tells: names that lead nowhere, and what is there twice. */
export const inconsistencies = (pack: Pack, base?: Pack): readonly string[] => {
  const all = base ? addedTo(base, pack) : pack;
  const sources = new Set(all.sources.map((each) => each.id));
  const ingredients = new Set(all.ingredients.map((each) => each.id));
  const classes = new Set(all.classes.map((each) => each.id));
  const problems: string[] = [];
  const require = (place: string, known: ReadonlySet<string>, named: readonly string[], what: string): void => {
    for (const each of named) if (!known.has(each)) problems.push(`${place}: there is no ${what} ${each}`);
  };
  const side = new Set([...ingredients, ...classes]);
  pack.ingredients.forEach(({ id: name, source = [] }, row) => {
    require(`ingredients[${row}] ${name}`, sources, source, 'source');
    if (classes.has(name)) problems.push(`ingredients[${row}] ${name}: a class has this id, too`);
  });
  pack.products.forEach(({ of }, row) => require(`products[${row}]`, ingredients, of, 'ingredient'));
  pack.classes.forEach(({ id: name, members, source }, row) => {
    require(`classes[${row}] ${name}`, ingredients, members, 'ingredient');
    require(`classes[${row}] ${name}`, sources, [source], 'source');
  });
  for (const list of ruleLists) {
    pack[list].forEach((each, row) => {
      const place = `${list}[${row}] ${each.id}`;
      require(place, sources, [each.source], 'source');
      require(place, list === 'duplicates' ? classes : side, sidesOf(each), list === 'duplicates'
        ? 'class'
        : 'ingredient or class');
    });
  }
  pack.renal.forEach(({ id: name, below, atMost, above }, row) => {
    if ([below, atMost, above].filter((each) => each !== undefined).length !== 1)
      problems.push(`renal[${row}] ${name}: one of below, atMost and above has to be given`);
  });
  return [...problems, ...repeated(all), ...ambiguous(all)];
};

type AnyRule = Pack[(typeof ruleLists)[number]][number];

const sidesOf = (each: AnyRule): readonly string[] => {
  if ('between' in each) return each.between;
  if ('allergicTo' in each) return [each.allergicTo, each.against];
  return 'class' in each ? [each.class] : [each.of];
};

/** Rows of one list with one id. Rules share their ids, since findings name them. */
const repeated = (pack: Pack): readonly string[] => {
  const lists = [
    pack.sources,
    pack.ingredients,
    pack.classes,
    ruleLists.flatMap((list): readonly { id: string }[] => pack[list]),
  ];
  return lists.flatMap((rows) => {
    const seen = new Set<string>();
    return rows.flatMap((row) => (seen.size === seen.add(row.id).size ? [`${row.id} is there twice`] : []));
  });
};

/** A code that means two things would be a patient's harm. */
const ambiguous = ({ ingredients, products, classes }: Pack): readonly string[] => {
  const meanings = new Map<string, string>();
  const problems: string[] = [];
  const add = (system: string, codesOfIt: readonly string[], meaning: string): void => {
    for (const each of codesOfIt) {
      const key = `${system} ${each}`;
      const before = meanings.get(key);
      if (before !== undefined && before !== meaning)
        problems.push(`the code ${each} of ${system} means ${before} and ${meaning}`);
      meanings.set(key, meaning);
    }
  };
  for (const { id: name, rxcui: own = [] } of ingredients) add(rxnorm, own, name);
  for (const { of, rxcui: own } of products) add(rxnorm, own, of.join(' + '));
  for (const { id: name, codes: own = [] } of [...ingredients, ...classes])
    for (const { system, code: each } of own) add(system, [each], name);
  return problems;
};

/**
 * A pack with the rows of another one: rows with the same id, and products with the same codes, are those of the other.
 *
 * @returns a pack whose edition names both.
 */
export const addedTo = (base: Pack, other: Pack): Pack => {
  const newer = new Set(other.products.flatMap((product) => product.rxcui));
  const products = base.products.flatMap(({ of, rxcui: own }) => {
    const left = own.filter((each) => !newer.has(each));
    return left.length > 0 ? [{ of, rxcui: left }] : [];
  });
  return {
    edition: `${base.edition} + ${other.edition}`,
    date: other.date,
    licence: `${base.licence} ${other.licence}`,
    sources: merged(base.sources, other.sources),
    ingredients: merged(base.ingredients, other.ingredients),
    products: [...products, ...other.products],
    classes: merged(base.classes, other.classes),
    interactions: merged(base.interactions, other.interactions),
    allergies: merged(base.allergies, other.allergies),
    duplicates: merged(base.duplicates, other.duplicates),
    pregnancy: merged(base.pregnancy, other.pregnancy),
    renal: merged(base.renal, other.renal),
  };
};

const merged = <R extends { readonly id: string }>(base: readonly R[], other: readonly R[]): readonly R[] => {
  const replaced = new Set(other.map((row) => row.id));
  return [...base.filter((row) => !replaced.has(row.id)), ...other];
};
