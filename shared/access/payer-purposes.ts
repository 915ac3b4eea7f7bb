import type { Rule } from './directive.ts';

/** Payment (`HPAYMT`), health care operations (`HOPERAT`), and what each includes. https://terminology.hl7.org/CodeSystem-v3-ActReason.html */
const purposesOfPayers: ReadonlySet<string> = new Set(
  [
    'HPAYMT CLMATTCH COVAUTH COVERAGE ELIGDTRM ELIGVER ENROLLM MILDCRG REMITADV',
    'HOPERAT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP HSYSADMIN LABELING',
    'METAMGT MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN',
  ].flatMap((codes) => codes.split(' ')),
);

export const isForPayers = (purpose: string): boolean => purposesOfPayers.has(purpose);

/** Organisations that a provision names as receivers for payment or operations: it is about them as payers, whoever works there. */
export const payersIn = ({ purposes = [], recipients = [] }: Rule): readonly string[] =>
  purposes.some(isForPayers) ? recipients.filter((name) => name.startsWith('Organization/')) : [];
