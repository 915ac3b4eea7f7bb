import type { StageConfig } from '../stages.ts';
import type { WorkingCopy } from './working-copy.ts';

/** What speaks against deploying, found without an account. */
export interface Hindrance {
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Domains that nobody can own. https://www.rfc-editor.org/rfc/rfc2606 */
const placeholder = /(?:^|[/@.])(?:[a-z0-9-]+\.)*(?:example(?:\.(?:com|net|org))?|test|invalid)(?=$|[/:])/;

/** Looks for what would make a deployment a mistake before anything is asked of an account. */
export const hindrances = (stage: StageConfig, { commit, changed }: WorkingCopy, uncommitted: boolean): Hindrance[] => [
  ...(changed.length > 0 && !uncommitted
    ? [
        {
          what: `${changed.length} files are in no commit, such as ${changed[0]}: nobody could say later what was deployed`,
          remedy: 'commit them, or say --uncommitted',
        },
      ]
    : []),
  ...(commit === undefined && !uncommitted
    ? [{ what: 'This is no checkout of a commit', remedy: 'deploy from a clone, or say --uncommitted' }]
    : []),
  ...placeholdersIn(stage).map((text) => ({
    what: `${stage.name} still has ${text}, a name that nobody can own`,
    remedy: 'put your own into infra/stages.ts',
  })),
];

/** Names in a protected stage that stand for those which a network puts in. Another stage may keep them: nobody signs in there in earnest. */
const placeholdersIn = (stage: StageConfig): string[] =>
  stage.protected ? textsIn(stage).filter((text) => placeholder.test(text)) : [];

const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
};
