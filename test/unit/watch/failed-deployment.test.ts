import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/errors.ts';
import type { ApplicationSnapshot } from '../../../src/watch/application-snapshot.ts';
import { NO_RESOURCES } from '../../../src/watch/loop/schedule.ts';
import { describeFailedDeployment } from '../../../src/watch/work/failed-deployment.ts';
import { fakeStack } from '../../support/stack-builder.ts';

/** Fn is code-synced, Site is not. */
const SNAPSHOT = {
  resources: { root: fakeStack(), selected: new Set(['Fn', 'Other']), deployedOnly: ['Site'] },
} as unknown as ApplicationSnapshot;

describe('a deployment whose builds failed for the time being', () => {
  it.each([
    ['Fn', 'system', undefined],
    ['Site', undefined, 'system'],
  ])('%s: tried again by a code sync (%s) or by a deployment (%s)', (id, bySync, byDeployment) => {
    const error = new BuildError([
      { ids: [id], message: 'no space left', hint: undefined, output: undefined, isTransient: true },
    ]);
    const end = describeFailedDeployment(SNAPSHOT, error, NO_RESOURCES);
    expect(end.causes.map(({ failure }) => failure?.transient)).toEqual([bySync]);
    expect(end.failure).toMatchObject({ message: `Not deployed, because ${id} could not be built` });
    expect(end.failure.transient).toBe(byDeployment);
    expect(end.retryOn(id)).toBe(true);
    expect(end.toSync).toEqual(id === 'Fn' ? ['Other'] : ['Fn', 'Other']);
  });
});
