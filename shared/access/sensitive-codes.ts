/** Which edition of the set this is. A change of it changes what is shared with the next request, of records that are there already as well. */
export const sensitiveCodesVersion = '2026-11';

// A starting set, small and from public sources, and no value set of an authority: the chapters of ICD-10-CM (https://www.cdc.gov/nchs/icd/icd-10-cm/)
// and ICD-10 (https://icd.who.int/browse10/), groups of the ATC (https://atcddd.fhi.no/atc_ddd_index/), ingredients of RxNorm
// (https://mor.nlm.nih.gov/RxNav/), LOINC (https://loinc.org) and single concepts of SNOMED CT, divided as SAMHSA's Consent2Share divides its value sets
// (https://vsac.nlm.nih.gov/valueset/2.16.840.1.113762.1.4.1142.58/expansion), tobacco left out as there. A deployment adds its own: docs/access.md.

/** Codes by label of v3-ActCode and by code system. `*` stands for whatever begins so, `F20*-F69*` for all categories between. */
export const sensitiveCodes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  HIV: {
    'icd-10': 'B20*-B24* R75* Z21* O98.7* B97.35 Z20.6 Z71.7 Z11.4 Z29.81',
    sct: '86406008 62479008 165816005 91947003 111880001',
    // Antibodies, antigen, RNA; T4 helper cells, which are counted for little else.
    loinc: '75622-1 56888-1 7917-8 29893-5 5220-9 80203-3 20447-9 25836-8 24467-3',
    atc: 'J05AE* J05AF* J05AG* J05AJ* J05AR* J05AX07 J05AX09',
    // Zidovudine, lamivudine, abacavir, emtricitabine, efavirenz, nevirapine, rilpivirine, dolutegravir, raltegravir, atazanavir, darunavir, lopinavir,
    // ritonavir, maraviroc; emtricitabine and tenofovir alafenamide.
    rxnorm: '11413 68244 190521 276237 195085 53654 1102270 1433868 719872 343047 460132 195088 85762 620216 1747692',
  },
  ETH: {
    'icd-10': 'F10*-F16* F18*-F19* K70* G31.2 G62.1 I42.6 K29.2* K85.2* K86.0 O99.31* O99.32* R78.0 Z71.41 Z71.51',
    sct: '7200002 66590003 15167005 284591009 66214007 26416006 191816009 75544000 5602001 31956009 78267003 37344009',
    // Ethanol, AUDIT, AUDIT-C, DAST-10; cocaine, opiates and amphetamines in urine.
    loinc: '5643-2 75624-7 75626-2 82667-7 3397-7 3879-4 3349-8',
    atc: 'N07BB* N07BC*',
    // Buprenorphine, methadone, naltrexone, disulfiram, acamprosate.
    rxnorm: '1819 6813 7243 3554 82819',
  },
  PSY: {
    'icd-10': 'F20*-F69* F90*-F99* R45.85* T14.91* X60*-X84* Z91.5*',
    sct: `74732009 35489007 36923009 370143000 66344007 13746004 58214004 69322001 197480006 21897009 371631005 47505003 191736004 72366004 56882008
      78004001 20010003 406506008 6471006 82313006`,
    // PHQ-9, PHQ-2, GAD-7: panels and totals.
    loinc: '44249-1 44261-6 55758-7 69737-5 70274-6',
    atc: 'N05A* N06A*',
  },
  SEX: {
    'icd-10': 'O00*-O08* Z30* Z31* Z32* Z33.2 Z64.0 N97* F52* F64* F65* F66* Z87.890',
    sct: '13197004 386639001 57797005 17369002 19169002 85116003 8619003 6738008 93461009 65200003',
    // Pregnancy tests, pregnancy and its intention, orientation, identity.
    loinc: '2106-3 2118-8 82810-3 86645-9 76690-7 76691-5',
    atc: 'G02B* G03A*',
  },
  SDV: {
    'icd-10': 'T74* T76* Y06* Y07* Z69* Z04.4* Z04.7* Z62.81* Z91.41* O9A.3* O9A.4* O9A.5*',
    sct: '412732008 706893006',
    // HARK; fear of a partner.
    loinc: '76499-3 76501-6',
  },
};

/** Names of code systems above, and the addresses that records have of them. */
export const sensitiveSystems: Readonly<Record<string, readonly string[]>> = {
  'icd-10': [
    'http://hl7.org/fhir/sid/icd-10-cm',
    'http://hl7.org/fhir/sid/icd-10',
    'urn:oid:2.16.840.1.113883.6.90',
    'urn:oid:2.16.840.1.113883.6.3',
  ],
  sct: ['http://snomed.info/sct', 'urn:oid:2.16.840.1.113883.6.96'],
  loinc: ['http://loinc.org', 'urn:oid:2.16.840.1.113883.6.1'],
  atc: ['http://www.whocc.no/atc', 'urn:oid:2.16.840.1.113883.6.73'],
  rxnorm: ['http://www.nlm.nih.gov/research/umls/rxnorm', 'urn:oid:2.16.840.1.113883.6.88'],
};
