import { describe, expect, it } from 'vitest';
import { planSteps } from '../../../src/watch/loop/schedule.ts';
import type { RunningSync, Situation } from '../../../src/watch/loop/schedule.ts';

/** Functions A–D and layer L, which A and B use. */
const USES: Record<string, string[]> = { L: ['L', 'A', 'B'] };

interface Given {
  dirty?: string;
  running?: RunningSync[];
  deploy?: Partial<Situation['deploy']>;
  limit?: number;
}

function plan({ dirty = '', running = [], deploy = {}, limit = 8 }: Given): string[] {
  const steps = planSteps({
    dirty: new Set(dirty),
    running,
    deploy: { wanted: false, running: false, abortable: false, reserved: () => false, ...deploy },
    touchedBy: (id) => new Set(USES[id] ?? [id]),
    limit,
  });
  return steps.map((step) => {
    if (step.do === 'sync') return `sync ${[...step.ids].sort().join('')}`;
    return step.do === 'abort' ? `abort ${[...step.run.ids].join('')}` : step.do;
  });
}

/** One that builds, or one that updates. */
const run = (ids: string, building = true): RunningSync => ({ ids: new Set(ids), building, abortable: building });
const reserved = (ids: string) => (id: string) => ids.includes(id);

describe('what is done next', () => {
  it.each<[string, Given, string[]]>([
    ['nothing if nothing changed', {}, []],
    ['each changed resource on its own, so that one can be given up alone', { dirty: 'AC' }, ['sync A', 'sync C']],
    ['a layer and the functions that use it together', { dirty: 'CAL' }, ['sync C', 'sync AL']],
    ['two functions of one changed layer with it', { dirty: 'BLA' }, ['sync ABL']],
    [
      'a build that is outdated is given up, and begun when it is gone',
      { dirty: 'A', running: [run('A')] },
      ['abort A'],
    ],
    ['an update that is under way is not given up', { dirty: 'A', running: [run('A', false)] }, []],
    ['others go on beside it', { dirty: 'AC', running: [run('A', false)] }, ['sync C']],
    ['a function waits for the layer that is moved', { dirty: 'AC', running: [run('L', false)] }, ['sync C']],
    ['a layer waits for a function that uses it', { dirty: 'L', running: [run('B', false)] }, []],
    ['no more at once than the limit', { dirty: 'ABCD', running: [run('X')], limit: 3 }, ['sync A', 'sync B']],
    [
      'who waits for the service takes no place',
      { dirty: 'AB', running: [run('X', false)], limit: 2 },
      ['sync A', 'sync B'],
    ],
    ['a deployment first: it says what may go on', { dirty: 'C', deploy: { wanted: true } }, ['deploy']],
    [
      'beside a deployment what it does not touch',
      { dirty: 'AC', deploy: { running: true, reserved: reserved('A') } },
      ['sync C'],
    ],
    [
      'a layer not, if the deployment touches one of its functions',
      { dirty: 'LD', deploy: { running: true, reserved: reserved('B') } },
      ['sync D'],
    ],
    ['one deployment at a time', { deploy: { wanted: true, running: true, reserved: reserved('A') } }, []],
    [
      'a deployment that has changed nothing yet is given up for a newer one',
      { deploy: { wanted: true, running: true, abortable: true } },
      ['abort-deploy'],
    ],
  ])('%s', (_name, given, expected) => expect(plan(given)).toEqual(expected));
});
