import { describe, expect, it } from 'vitest';
import { LoopRunner } from '../../../src/watch/loop/loop-runner.ts';
import type { DeployEnd, LoopEvent, SyncedResource } from '../../../src/watch/loop/results.ts';
import type { ResourceSet } from '../../../src/watch/loop/schedule.ts';
import type { DeployContext, SyncContext, WatchTasks } from '../../../src/watch/loop/watch-tasks.ts';
import { poll } from '../../support/cloud.ts';

interface SyncCall {
  ids: string[];
  task: SyncContext;
  end(...results: Partial<SyncedResource>[]): void;
}

interface DeployCall {
  force: boolean;
  task: DeployContext;
  end(result: DeployEnd): void;
}

/** Work that goes on until it is ended, or aborted. */
const pending = <T>(signal: AbortSignal, call: (resolve: (value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
    call(resolve);
  });

const nth = async <T>(calls: T[], n: number): Promise<T> => poll(async () => calls[n]);

/** A loop whose work is done by hand: each call waits until the test ends it, or is aborted. */
function start(more: Partial<WatchTasks> = {}) {
  const syncs: SyncCall[] = [];
  const deploys: DeployCall[] = [];
  const events: LoopEvent[] = [];
  const renewed: string[][] = [];
  const tasks: WatchTasks = {
    sync: (ids, task) =>
      pending(task.signal, (resolve) =>
        syncs.push({
          ids: [...ids],
          task,
          end: (...results) =>
            resolve(ids.map((id, n) => ({ id, outcome: 'synced', ...results[n] }) satisfies SyncedResource)),
        }),
      ),
    deploy: ({ force }, task) => pending(task.signal, (end) => deploys.push({ force, task, end })),
    touchedBy: (id) => new Set([id]),
    isDeployed: () => true,
    setsDirectly: () => false,
    read: async () => ({ toSync: [], deploy: 'now' }),
    renew: (kinds) => void renewed.push([...kinds]),
    describeError: (error) => ({ message: String(error) }),
    ...more,
  };
  const loop = new LoopRunner(tasks, {
    onEvent: (event) => void events.push(event),
    times: { firstRetry: 5, longestRetry: 5, quiet: 5 },
  });
  return {
    loop,
    changed: (ids: string[], deploy = false) => loop.send({ type: 'changed', ids, deploy }),
    syncs,
    deploys,
    renewed,
    sync: (n: number) => nth(syncs, n),
    deployment: (n: number) => nth(deploys, n),
    idle: () => poll(async () => (loop.isIdle ? true : undefined)),
    ended: () =>
      events.flatMap((event) => (event.type === 'ended' ? [`${event.resource.id} ${event.resource.outcome}`] : [])),
  };
}

const deployed: DeployEnd = { outcome: 'deployed', results: [], toSync: [] };
/** It compared the resource after the deployment. */
const deployedWith = (id: string) => ({
  outcome: 'deployed' as const,
  results: [{ id, outcome: 'unchanged' as const }],
  toSync: [],
});
const failedDeploy = (retryOn: ResourceSet, causes: SyncedResource[] = []): DeployEnd => ({
  outcome: 'failed',
  failure: { message: 'no' },
  causes,
  toSync: [],
  retryOn,
});

describe('the runner of the loop', () => {
  it('syncs what changed, resources side by side', async () => {
    const { changed, sync, idle, ended } = start();
    changed(['A', 'B']);
    (await sync(1)).end();
    (await sync(0)).end();
    await idle();
    expect(ended()).toEqual(['B synced', 'A synced']);
  });

  it('gives a build up when its resource changes, and brings the newest', async () => {
    const { changed, sync, idle, ended } = start();
    changed(['A']);
    const first = await sync(0);
    changed(['A']);
    const second = await sync(1);
    expect(first.task.signal.aborted).toBe(true);
    second.end();
    await idle();
    expect(ended()).toEqual(['A synced']);
  });

  it('lets an update end and syncs again after it, once for any number of changes', async () => {
    const { changed, sync, syncs, idle } = start();
    changed(['A']);
    const first = await sync(0);
    first.task.committed();
    for (let n = 0; n < 5; n++) changed(['A']);
    expect(first.task.signal.aborted).toBe(false);
    first.end();
    (await sync(1)).end();
    await idle();
    expect(syncs.length).toBe(2);
  });

  it('a failure of one is no failure of another; a change tries it again', async () => {
    const { changed, sync, idle, ended } = start();
    changed(['A', 'B']);
    (await sync(0)).end({ outcome: 'failed', failure: { message: 'broken' } });
    (await sync(1)).end();
    await idle();
    changed(['A']);
    (await sync(2)).end();
    await idle();
    expect(ended()).toEqual(['A failed', 'B synced', 'A synced']);
  });

  it('syncs what waited for a resource once that is synced', async () => {
    const { changed, sync, idle, ended } = start();
    changed(['A', 'B']);
    (await sync(0)).end({ outcome: 'failed', failure: { message: 'left as it is', waitsFor: 'B' } });
    (await sync(1)).end({ outcome: 'failed', failure: { message: 'broken' } });
    await idle();
    changed(['B']);
    (await sync(2)).end();
    const followed = await sync(3);
    expect(followed.ids).toEqual(['A']);
    followed.end();
    await idle();
    expect(ended()).toEqual(['A failed', 'B failed', 'B synced', 'A synced']);
  });

  it('survives work that throws', async () => {
    const { changed, idle, ended } = start({ sync: () => Promise.reject(new Error('a defect')) });
    changed(['A']);
    await idle();
    changed(['A']);
    await idle();
    expect(ended()).toEqual(['A failed', 'A failed']);
  });

  it('tries again by itself what signing in or a network may mend, after renewing them', async () => {
    const { changed, sync, deployment, renewed, idle, ended } = start();
    changed(['A', 'B']);
    (await sync(0)).end({ outcome: 'failed', failure: { message: 'expired', transient: 'credentials' } });
    (await sync(1)).end({ outcome: 'failed', failure: { message: 'syntax' } });
    const again = await sync(2);
    expect(again.ids).toEqual(['A']);
    again.end();
    changed([], true);
    (await deployment(0)).end({
      ...failedDeploy(() => false),
      failure: { message: 'gone', transient: 'connection' },
    } as DeployEnd);
    (await deployment(1)).end(deployed);
    await idle();
    expect(renewed).toEqual([['credentials'], ['connection']]);
    expect(ended()).toEqual(['A failed', 'B failed', 'A synced']);
  });

  it('during a deployment syncs what it does not touch, and the rest after it', async () => {
    const { changed, sync, syncs, deployment, idle } = start();
    changed([], true);
    const deploy = await deployment(0);
    changed(['A', 'B']);
    expect(syncs).toEqual([]); // it has not said yet what it touches
    deploy.task.reserve((id) => id === 'A');
    const free = await sync(0);
    expect(free.ids).toEqual(['B']);
    free.end();
    deploy.task.committed();
    deploy.end(deployed);
    const later = await sync(1);
    expect(later.ids).toEqual(['A']);
    later.end();
    await idle();
  });

  it('a deployment waits for syncs of what it is going to change', async () => {
    const { changed, sync, deployment, idle } = start();
    changed(['A']);
    const running = await sync(0);
    running.task.committed();
    changed([], true);
    const deploy = await deployment(0);
    deploy.task.reserve((id) => id === 'A');
    let isCleared = false;
    const cleared = deploy.task.cleared().then(() => (isCleared = true));
    await Promise.resolve();
    expect(isCleared).toBe(false);
    running.end();
    await cleared;
    deploy.end(deployed);
    await idle();
  });

  it('does not repeat what a deployment brought, and syncs what it left', async () => {
    const { changed, sync, syncs, deployment, idle } = start();
    changed([], true);
    const first = await deployment(0);
    first.task.committed();
    changed(['A']);
    first.task.reserve((id) => id === 'A');
    changed([], true);
    first.end(deployed);
    // A changed before the second one read it
    (await deployment(1)).end({ ...deployedWith('A'), toSync: ['B'] });
    const left = await sync(0);
    expect(left.ids).toEqual(['B']);
    left.end();
    await idle();
    expect(syncs.length).toBe(1);
  });

  it('gives a deployment up for a newer one as long as nothing was changed', async () => {
    const { loop, changed, deployment, deploys, idle } = start();
    loop.send({ type: 'deploy-requested' });
    const first = await deployment(0);
    changed([], true);
    const second = await deployment(1);
    expect(first.task.signal.aborted).toBe(true);
    expect(second.force).toBe(true);
    second.task.committed();
    changed([], true);
    expect(second.task.signal.aborted).toBe(false);
    second.end(deployed);
    (await deployment(2)).end(deployed);
    await idle();
    expect(deploys.length).toBe(3);
  });

  it('defect 25: a failed deployment is tried again when code that it concerns changes, also if that happened meanwhile', async () => {
    const { changed, sync, deployment, deploys, idle, ended } = start();
    changed([], true);
    const broken: SyncedResource = { id: 'A', outcome: 'failed', failure: { message: 'syntax error' } };
    (await deployment(0)).end(failedDeploy((id) => id === 'A', [broken]));
    await idle();
    changed(['B']);
    (await sync(0)).end();
    await idle();
    expect(deploys.length).toBe(1);
    changed(['A']);
    const second = await deployment(1);
    second.task.committed();
    changed(['A']);
    second.end(failedDeploy((id) => id === 'A', [broken]));
    (await deployment(2)).end(deployedWith('A'));
    await idle();
    expect(ended().slice(0, 2)).toEqual(['A failed', 'B synced']);
  });

  it('a build that keeps failing in deployments is no reason for endless ones', async () => {
    const { changed, deployment, deploys, syncs, idle } = start();
    const broken: SyncedResource = { id: 'A', outcome: 'failed', failure: { message: 'syntax error' } };
    changed(['A'], true);
    (await deployment(0)).end(failedDeploy((id) => id === 'A', [broken]));
    await idle();
    expect([deploys.length, syncs.length]).toEqual([1, 0]);
  });

  it('keeps changes of a resource that is not deployed yet for the deployment', async () => {
    let isThere = false;
    const { changed, sync, deployment, syncs, idle } = start({ isDeployed: (id) => id !== 'New' || isThere });
    changed([], true);
    (await deployment(0)).end(failedDeploy((id) => id === 'New'));
    await idle();
    changed(['New']);
    const second = await deployment(1);
    second.task.committed();
    isThere = true;
    changed(['New']);
    second.end(deployed);
    (await sync(0)).end();
    await idle();
    expect(syncs.length).toBe(1);
  });

  it('forgets removed resources', async () => {
    const { loop, changed, syncs, idle } = start({ isDeployed: () => false });
    changed(['Gone']);
    loop.send({ type: 'resources', ids: new Set(['A']) });
    await idle();
    expect(syncs).toEqual([]);
  });

  it('ends: aborts what runs and begins nothing more', async () => {
    const { loop, changed, sync, syncs, deployment } = start();
    changed(['A']);
    changed([], true);
    const running = await sync(0);
    const deploy = await deployment(0);
    await loop.end();
    expect([running.task.signal.aborted, deploy.task.signal.aborted]).toEqual([true, true]);
    changed(['B']);
    expect(syncs.length).toBe(1);
  });
});
