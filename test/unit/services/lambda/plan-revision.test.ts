import { describe, expect, it } from 'vitest';
import { planRevision } from '../../../../src/services/lambda/web-functions/plan-revision.ts';
import type { WebFunctionState } from '../../../../src/services/lambda/web-functions/plan-revision.ts';
import { placeOf, toRevision } from '../../../../src/services/lambda/web-functions/revisions.ts';
import type { Endpoint, Revision } from '../../../../src/services/lambda/web-functions/revisions.ts';

const PLACE = { functionName: 'site', endpointName: 'prod', revisionId: 'own' };
const OLD = { bucket: 'code', key: 'old' };
const NEW = { bucket: 'code', key: 'new' };
const OURS = 'created by us';
const ENDPOINT: Endpoint = {
  weights: [{ revisionId: 'own', weight: 100 }],
  autoDeploymentMode: 'Disabled',
  endpointType: 'HomeRegion',
  state: 'Active',
  updateStatus: undefined,
  updateStatusReason: undefined,
};

const SERVICE = { executionRoleArn: 'role', timeoutSeconds: 30, futureSetting: { a: 1 } };
const BUILD = { runtimeConfig: { runtime: 'nodejs24.x' }, codeConfig: { s3Object: { ...OLD, versionId: '7' } } };
const RESULTS = {
  functionArn: 'f',
  revisionArn: 'r',
  revisionId: 'own',
  state: 'Active',
  stateReason: '',
  createdAt: 'now',
};
const revision = (more: object = {}): Revision =>
  toRevision(
    { ...RESULTS, description: 'theirs', kmsKeyArn: 'key', buildConfig: BUILD, serviceConfig: SERVICE, ...more },
    'GetWebFunctionRevision',
  );

const plan = (
  change: { endpoint?: Partial<Endpoint>; own?: object; live?: object | 'several' },
  code = NEW,
  previous: string | null = OURS,
): ReturnType<typeof planRevision> => {
  const own = revision(change.own);
  const live = change.live === 'several' ? undefined : change.live === undefined ? own : revision(change.live);
  const state: WebFunctionState = { place: PLACE, endpoint: { ...ENDPOINT, ...change.endpoint }, own, live };
  return planRevision(state, code, { description: OURS, previous: previous ?? undefined });
};

describe('planRevision', () => {
  const live = (key: string): object => ({
    revisionId: 'r2',
    description: OURS,
    buildConfig: { ...BUILD, codeConfig: { s3Object: { ...OLD, key } } },
  });
  const body = {
    description: OURS,
    kmsKeyArn: 'key',
    buildConfig: { ...BUILD, codeConfig: { s3Object: NEW } },
    serviceConfig: SERVICE,
  };

  it.each([
    ['new code: the settings of the stack’s revision', {}, NEW, { action: 'create', place: PLACE, body }],
    [
      'new code again: our revision is superseded',
      { live: live('x') },
      NEW,
      { action: 'create', superseded: 'r2', body },
    ],
    ['the same code', {}, OLD, { action: 'none' }],
    ['the same code as ours', { live: live('new') }, NEW, { action: 'none' }],
    ['code as deployed', { live: live('x') }, OLD, { action: 'restore', place: PLACE, superseded: 'r2' }],
  ])('%s', (_name, change, code, expected) => {
    expect(plan(change, code)).toMatchObject(expected);
  });

  it.each([
    [{ endpoint: { state: 'Pending' } }, 'its endpoint is Pending'],
    [{ endpoint: { updateStatus: 'InProgress' } }, 'its endpoint is being updated'],
    [{ endpoint: { endpointType: 'PerRegion' } }, 'its endpoint (PerRegion) serves several Regions'],
    [{ endpoint: { autoDeploymentMode: 'LatestRevision' } }, 'its endpoint chooses revisions itself (LatestRevision)'],
    [{ live: 'several' as const }, 'its endpoint divides requests between two revisions'],
    [
      { live: { ...live('x'), description: 'theirs' } },
      'its endpoint serves revision r2, which is not the one of the stack',
    ],
    [{ own: { state: 'Failed' } }, 'revision own is Failed'],
    [
      { own: { errors: [{ attribute: 'environmentVariables', errorCode: 'X', errorMessage: 'no key' }] } },
      'Lambda cannot read revision own: environmentVariables: no key',
    ],
    [{ own: { scalingHint: 3 } }, 'its revision has scalingHint, which sam-sync does not know'],
  ])('%j waits for the deployment', (change, why) => {
    expect(plan(change)).toEqual({ action: 'wait', why });
  });

  it('a revision that looks like ours is not, if we created none', () => {
    expect(plan({ live: live('x') }, NEW, null)).toMatchObject({ action: 'wait' });
  });
});

it('placeOf finds names in ARNs and in joined identifiers', () => {
  const at = (physicalId: string) => ({ type: 'x', physicalId, updatedAt: 0 });
  const arn = 'arn:aws:lambda:us-east-1:1:web-function/site';
  const listing = { Site: at(arn), SiteRevision: at(`${arn}/revision/own`), SiteEndpoint: at(`${arn}|prod`) };
  expect(placeOf(listing, 'Site')).toEqual(PLACE);
  expect(placeOf({ Site: at(arn) }, 'Site')).toBeUndefined();
});
