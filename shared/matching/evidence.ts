import type { Match } from './grade.ts';
import { weightOfFinding } from './weights.ts';

/** https://hl7.org/fhir/R4/extension-match-grade.html */
const gradeUrl = 'http://hl7.org/fhir/StructureDefinition/match-grade';
/** Says why a score is what it is: one for each field that was compared, and one for a rule that held the grade down. */
export const evidenceUrl = 'https://concord.example/fhir/StructureDefinition/match-evidence';

/** https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.search */
export const searchOf = ({ score, grade, findings, limit }: Match): fhir4.BundleEntrySearch => ({
  extension: [
    { url: gradeUrl, valueCode: grade },
    ...findings.map((finding) => ({
      url: evidenceUrl,
      extension: [
        { url: 'field', valueCode: finding.field },
        { url: 'finding', valueCode: finding.level },
        { url: 'weight', valueDecimal: Math.round(weightOfFinding(finding) * 100) / 100 },
      ],
    })),
    ...(limit === undefined ? [] : [{ url: evidenceUrl, extension: [{ url: 'limit', valueString: limit }] }]),
  ],
  mode: 'match',
  score,
});
