import { sensitiveSystems } from '../sensitive-codes.ts';
import type { Matter } from './confidential.ts';

// Which codes are about care that a minor may consent to alone, by code system. `*` stands for all codes that begin so. Of a classification whole chapters are
// named, of a terminology what is common in the care of young people; what the set for sharing calls sensitive (shared/access/sensitive-codes.ts) comes beside it. What
// else is such care is labelled by who gives it (ADOL).
// 2026-11: ICD-10-CM 2027, CPT 2026 (by number alone), SNOMED CT International, LOINC 2.81, ATC 2026.

type Codes = readonly (readonly [matter: Matter, codes: readonly string[]])[];

const words = (text: string): string[] => text.split(/\s+/);

/** https://www.cms.gov/medicare/coding-billing/icd-10-codes, https://icd.who.int/browse10 */
const icd10: Codes = [
  ['own', words('T74* T76* Y07* Z69*')],
  [
    'infection',
    words(
      'A50* A51* A52* A53* A54* A55* A56* A57* A58* A59* A60* A63* A64* A74* B20* B97.35 O98.7* R75* Z11.3 Z11.4 Z20.2 Z20.6 Z21* Z29.81 Z71.7',
    ),
  ],
  ['sexual', words('O* Z30* Z31* Z32* Z33* Z34* Z36* Z37* Z39* Z3A* Z64.0 Z70* Z72.5* N96* N97*')],
  [
    'substance',
    words('F10* F11* F12* F13* F14* F15* F16* F18* F19* T40* Z71.4* Z71.5* Z71.6 R78.0 R78.1 R78.2 R78.3 R78.4'),
  ],
  ['mental', words('F2* F3* F4* F5* F6* F93* F94* F99* R45.85* T14.91* X7* X80* X81* X82* X83* Z91.5* Z13.31')],
];

/** https://www.hl7.org/fhir/R4/codesystem-service-type.html, which is an example, and used. */
const serviceTypes: Codes = [
  ['own', words('72 80 82 439 467 485 543')],
  ['infection', words('441 450 451')],
  ['sexual', words('54 67 301 410 411 433 438 440')],
  ['mental', words('70 81 134 135 136 137 138 139 140 141 142 414 417 418 419 420 421 422 423 490 541 564')],
  ['substance', words('105 106 107 108 111 247 455 552')],
];

/** The codes under each address that a code system has. */
const underAll = (system: string, codes: Codes): Record<string, Codes> =>
  Object.fromEntries((sensitiveSystems[system] ?? []).map((address) => [address, codes]));

export const codesByMatter: Readonly<Record<string, Codes>> = {
  ...underAll('icd-10', icd10),
  'http://terminology.hl7.org/CodeSystem/service-type': serviceTypes,
  // https://www.ama-assn.org/practice-management/cpt
  'http://www.ama-assn.org/go/cpt': [
    ['infection', words('86592 86593 86701 86702 86703 86780 87389 87390 87391 8749* 8753* 8759*')],
    ['sexual', words('11976 11981 11982 11983 57170 58300 58301 59* 81025 84702 84703')],
    ['mental', words('9079* 9083* 9084* 9085* 96127')],
    ['substance', words('99408 99409 803* 80305 80306 80307')],
  ],
  // https://www.cms.gov/medicare/coding-billing/healthcare-common-procedure-system: H is care for mind and addiction.
  'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets': [
    ['mental', words('H2*')],
    ['substance', words('H00* G0396 G0397')],
    ['sexual', words('J7296 J7297 J7298 J7300 J7301 J7307 J1050 S4993')],
  ],
  // https://browser.ihtsdotools.org/
  ...underAll('sct', [
    ['infection', words('86406008 62479008 240589008 15628003 76272004 33839006 8098009 165816005')],
    ['sexual', words('77386006 13197004 72892002 169553002')],
    ['mental', words('35489007 370143000 197480006 48694002 6471006')],
    ['substance', words('66214007 7200002 191816009 75544000')],
  ]),
  // https://loinc.org/
  ...underAll('loinc', [
    ['infection', words('56888-1 31201-7 25836-8 7917-8 43304-5 43305-2 36902-5 36903-3 20507-0 22461-8')],
    ['sexual', words('2106-3 2110-5 2118-8 19080-1 21198-7 82810-3 11449-6')],
    ['mental', words('44249-1 44261-6 55758-7 69737-5 70274-6 89204-2')],
    ['substance', words('82667-7 82666-9 75626-2 68517-2 3426-4')],
  ]),
  // https://atcddd.fhi.no/atc_ddd_index/
  ...underAll('atc', [
    ['infection', words('J05AR* J05AF* J05AJ* J05AG* J05AE*')],
    ['sexual', words('G02B* G03A* G03X*')],
    ['mental', words('N05A* N05B* N06A*')],
    ['substance', words('N07BB* N07BC*')],
  ]),
};
