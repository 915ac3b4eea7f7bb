import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

/** Extension of `meta`: which messages of a laboratory a record is made of. The server alone writes it. */
const filedUrl = 'https://concord.example/fhir/StructureDefinition/filed';

/** What a record that was filed tells of the messages it is made of. */
export interface FiledMark {
  /** The messages that are known (`messageKey`): of a report all, of a result the one that it is from. */
  readonly messages: readonly string[];
  /** Of a report, how many of its results are of the newest message: these come first. */
  readonly results?: number;
  /** Of a result, what tells it apart in its report. */
  readonly result?: string;
  /** Of what waits to be filed, its Task. */
  readonly task?: string;
}

const extensionsOf = (resource: Resource | undefined): readonly fhir4.Extension[] => resource?.meta?.extension ?? [];
const isMark = ({ url }: fhir4.Extension): boolean => url === filedUrl;

const withMarks = (resource: Resource, marks: readonly fhir4.Extension[]): Resource => {
  const { extension: _, ...meta } = resource.meta ?? {};
  const extension = [...extensionsOf(resource).filter((each) => !isMark(each)), ...marks];
  return withSpellingOf({ ...resource, meta: extension.length === 0 ? meta : { ...meta, extension } }, resource);
};

/** A version with what is known of its messages. */
export const withFiledMark = (resource: Resource, { messages, results, result, task }: FiledMark): Resource =>
  withMarks(resource, [
    {
      url: filedUrl,
      extension: [
        ...messages.map((message) => ({ url: 'message', valueString: message })),
        ...(results === undefined ? [] : [{ url: 'results', valueUnsignedInt: results }]),
        ...(result === undefined ? [] : [{ url: 'result', valueString: result }]),
        ...(task === undefined ? [] : [{ url: 'task', valueString: task }]),
      ],
    },
  ]);

/** What a version tells of its messages; none for what was not filed. */
export const filedMarkOf = (resource: Resource | undefined): FiledMark => {
  const parts = extensionsOf(resource).find(isMark)?.extension ?? [];
  const [results] = parts.flatMap(({ valueUnsignedInt }) => valueUnsignedInt ?? []);
  const textOf = (name: string) => parts.find(({ url }) => url === name)?.valueString;
  const [result, task] = [textOf('result'), textOf('task')];
  return {
    messages: parts.flatMap(({ url, valueString = '' }) => (url === 'message' ? [valueString] : [])),
    ...(results === undefined ? {} : { results }),
    ...(result === undefined ? {} : { result }),
    ...(task === undefined ? {} : { task }),
  };
};

/** What the server itself keeps: which messages are known is neither given by a client nor taken away by one. */
export const keepFiledMark = (before: Resource | undefined, next: Resource): Resource => {
  const kept = extensionsOf(before).filter(isMark);
  return kept.length === 0 && !extensionsOf(next).some(isMark) ? next : withMarks(next, kept);
};
