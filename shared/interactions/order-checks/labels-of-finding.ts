import { part2Label, sensitiveAmong } from '../../access/labels.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Finding } from '../../order-checks/findings.ts';
import type { RequestContext } from '../context.ts';
import { ofProgramme } from '../programme-labels.ts';
import type { ChartFacts } from './facts.ts';

/**
 * The labels of what tells of a finding: those of the order and of the record that it clashes with, and those that their codes come to. It names their medicines in words, so it is closed to whom
 * they are.
 */
export const labelsOfFinding = async (
  { sharing }: Pick<RequestContext, 'sharing'>,
  order: Resource,
  { record }: Finding,
  facts: ChartFacts,
): Promise<readonly fhir4.Coding[]> => {
  const [type, id] = record?.split('/') ?? [];
  const ofType = Object.entries(facts).find(([name]) => name === type)?.[1] as readonly Resource[] | undefined;
  const clashing = ofType?.filter((each) => each.id === id) ?? [];
  return labelsOfRecords({ sharing }, [order, ...clashing]);
};

/** The sensitive labels of what tells of these records, and those that their codes come to. With that of a substance-use programme goes the notice of the law, whoever keeps what tells of it. */
export const labelsOfRecords = async (
  { sharing }: Pick<RequestContext, 'sharing'>,
  records: readonly Resource[],
): Promise<readonly fhir4.Coding[]> => {
  const each = records.map(async (resource) => {
    const labels = (resource.meta?.security ?? []).map(({ system, code }) => `${system ?? ''}|${code ?? ''}`);
    return [...labels, ...(await sharing.labelsByCode({ labels, resource })).labels];
  });
  return sensitiveAmong((await Promise.all(each)).flat()).flatMap((label) => {
    if (label === part2Label) return ofProgramme;
    const at = label.lastIndexOf('|');
    return { ...(at > 0 ? { system: label.slice(0, at) } : {}), code: label.slice(at + 1) };
  });
};
