import { listOf, type OwnRule, referredTo } from './rule.ts';

export const keptLogs: OwnRule = {
  name: 'Concord-KeptLogs',
  asks: 'Every log is kept for the time that the stage says, and every function writes to a log of the stack. 45 CFR 164.316(b)(2)(i) asks for six years.',
  because:
    'The packs look at groups of logs and not at functions: one that names no log gets one from Lambda, without a key and for ever.',
  violations: (resources, { logRetentionDays }) => {
    const logs = resources.filter(({ type }) => type === 'AWS::Logs::LogGroup');
    return [
      ...logs
        .filter(({ properties }) => properties.RetentionInDays !== logRetentionDays)
        .map((resource) => ({ resource, says: `It is not kept for ${logRetentionDays} days.` })),
      ...resources
        .filter(({ type, stack, properties }) => {
          if (type !== 'AWS::Lambda::Function') return false;
          const [named] = listOf((properties.LoggingConfig as { LogGroup?: unknown } | undefined)?.LogGroup);
          return !logs.some((log) => log.stack === stack && log.id === referredTo(named));
        })
        .map((resource) => ({ resource, says: 'It writes to a log that is not of its stack.' })),
    ];
  },
};
