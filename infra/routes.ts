import { recordTypes } from '../shared/record-types/index.ts';

/** One path of the API and the function behind it. The gateway of AWS and the local one are made from the same list. */
export interface Route {
  /** Path as API Gateway writes it; `{proxy+}` stands for one or more segments, `{type}` for one. */
  readonly path: string;
  /** The function's source, relative to the project. */
  readonly entry: string;
  /** Needs no access token. */
  readonly open: boolean;
}

/** The folder's way of writing a type's name: `MedicationRequest` is in medication-request.ts. */
export const fileNameOf = (type: string): string => type.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase();

/** Every path, the more specific before the more general. */
export const routes: readonly Route[] = [
  { path: '/fhir/metadata', entry: 'functions/metadata.ts', open: true },
  { path: '/fhir/.well-known/smart-configuration', entry: 'functions/metadata.ts', open: true },
  { path: '/', entry: 'functions/metadata.ts', open: true },
  { path: '/openapi.json', entry: 'functions/metadata.ts', open: true },
  { path: '/docs/{file}', entry: 'functions/metadata.ts', open: true },
  { path: '/cds-services', entry: 'functions/cds-services.ts', open: true },
  { path: '/cds-services/{proxy+}', entry: 'functions/cds-services.ts', open: false },
  { path: '/fhir', entry: 'functions/system.ts', open: false },
  { path: '/fhir/$explain-access', entry: 'functions/system.ts', open: false },
  { path: '/fhir/$refile', entry: 'functions/system.ts', open: false },
  { path: '/fhir/$sign-out', entry: 'functions/system.ts', open: false },
  { path: '/fhir/_search', entry: 'functions/system.ts', open: false },
  { path: '/fhir/_history', entry: 'functions/history.ts', open: false },
  { path: '/fhir/_changes', entry: 'functions/history.ts', open: false },
  ...recordTypes.flatMap(({ name, readOnly }): Route[] => {
    const entry = `functions/records/${fileNameOf(name)}.ts`;
    return [
      { path: `/fhir/${name}`, entry, open: false },
      ...(readOnly ? [] : [{ path: `/fhir/${name}/_history`, entry: 'functions/history.ts', open: false }]),
      { path: `/fhir/${name}/{proxy+}`, entry, open: false },
    ];
  }),
  { path: '/hl7/v2', entry: 'functions/hl7-v2.ts', open: false },
  { path: '/hl7/v2/waiting/{id}/$replay', entry: 'functions/hl7-v2.ts', open: false },
  { path: '/hl7/v2/waiting/{id}/$discard', entry: 'functions/hl7-v2.ts', open: false },
  { path: '/fhir/{type}', entry: 'functions/other-records.ts', open: false },
  { path: '/fhir/{type}/_history', entry: 'functions/history.ts', open: false },
  { path: '/fhir/{type}/{proxy+}', entry: 'functions/other-records.ts', open: false },
];
