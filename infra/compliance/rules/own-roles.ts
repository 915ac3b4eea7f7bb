import { type OwnRule, referredTo } from './rule.ts';

export const ownRoles: OwnRule = {
  name: 'Concord-OwnRoles',
  asks: 'Every function has a role of its own, which nothing else takes.',
  because: 'The packs look at what a role may do, and not at who shares it.',
  violations: (resources) => {
    const functions = resources.filter(({ type }) => type === 'AWS::Lambda::Function');
    const roleOf = ({ stack, properties }: (typeof functions)[number]) =>
      `${stack}/${referredTo(properties.Role) ?? JSON.stringify(properties.Role)}`;
    return functions
      .filter((each) => functions.filter((other) => roleOf(other) === roleOf(each)).length > 1)
      .map((resource) => ({ resource, says: 'Another function has the same role.' }));
  },
};
