import { describe, expect, it } from 'vitest';
import { matchRoute } from '../../infra/local/match-route.ts';
import { routes as served } from '../../infra/routes.ts';

const routes = [
  '/',
  '/fhir',
  '/fhir/metadata',
  '/fhir/Patient',
  '/fhir/Patient/{proxy+}',
  '/fhir/{type}',
  '/fhir/{type}/{proxy+}',
].map((path) => ({ path, entry: `functions${path}.ts`, open: true }));
const routeOf = (path: string) => matchRoute(routes, path)?.route.path;

describe('matchRoute', () => {
  it.each([
    ['/', '/'],
    ['/fhir', '/fhir'],
    ['/fhir/', '/fhir'],
    ['/fhir/metadata', '/fhir/metadata'],
    ['/fhir/Patient', '/fhir/Patient'],
    ['/fhir/Patient/', '/fhir/Patient'],
    ['/fhir/Patient/1/_history/2', '/fhir/Patient/{proxy+}'],
    ['/fhir/Patients', '/fhir/{type}'],
    ['/fhir/Account/_search', '/fhir/{type}/{proxy+}'],
  ])('takes %s to %s', (path, expected) => {
    expect(routeOf(path)).toBe(expected);
  });

  it.each(['/other', '/fhirs', '/FHIR/Patient', '//fhir', '/fhir//1'])('takes %s nowhere', (path) => {
    expect(routeOf(path)).toBeUndefined();
  });

  it.each([
    ['/fhir/_history', 'functions/history.ts'],
    ['/fhir/Patient/_history', 'functions/history.ts'],
    ['/fhir/Account/_history', 'functions/history.ts'],
    ['/fhir/Patient/1/_history', 'functions/records/patient.ts'],
    ['/fhir/Account/1/_history', 'functions/other-records.ts'],
    ['/fhir/AuditEvent/_history', 'functions/records/audit-event.ts'],
  ])('takes %s to %s, by the routes that there are', (path, entry) => {
    expect(matchRoute(served, path)?.route.entry).toBe(entry);
  });

  it('gives the variables of the path', () => {
    expect(matchRoute(routes, '/fhir/Account/a%2Fb/c')?.pathParameters).toEqual({ type: 'Account', proxy: 'a/b/c' });
    expect(matchRoute(routes, '/fhir/Patient')?.pathParameters).toBeNull();
  });
});
