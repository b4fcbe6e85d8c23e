import { describe, expect, it } from 'vitest';
import { planSteps } from '../../../src/watch/loop/schedule.ts';
import type { ActiveSync, Situation } from '../../../src/watch/loop/schedule.ts';

/** Functions A–D and layer L, which A and B use. */
const USES: Record<string, string[]> = { L: ['L', 'A', 'B'] };

interface Given {
  pending?: string;
  running?: ActiveSync[];
  deploy?: Partial<Situation['deploy']>;
  reading?: boolean;
  first?: string;
  limit?: number;
}

function plan({ pending = '', running = [], deploy = {}, limit = 8, reading = false, first = '' }: Given): string[] {
  const steps = planSteps({
    pending: new Set(pending),
    running,
    reading,
    first: new Set(first),
    deploy: { wanted: false, running: false, abortable: false, reserved: () => false, ...deploy },
    touchedBy: (id) => new Set(USES[id] ?? [id]),
    limit,
  });
  return steps.map((step) => {
    if (step.do === 'sync') return `sync ${[...step.ids].sort().join('')}`;
    return step.do === 'abort' ? `abort ${[...step.sync.ids].join('')}` : step.do;
  });
}

/** One that builds, or one that updates. */
const run = (ids: string, building = true): ActiveSync => ({ ids: new Set(ids), building, abortable: building });
const reserved = (ids: string) => (id: string) => ids.includes(id);

describe('what is done next', () => {
  it.each<[string, Given, string[]]>([
    ['nothing if nothing changed', {}, []],
    ['each changed resource on its own, so that one can be given up alone', { pending: 'AC' }, ['sync A', 'sync C']],
    ['a layer and the functions that use it together', { pending: 'CAL' }, ['sync C', 'sync AL']],
    ['two functions of one changed layer with it', { pending: 'BLA' }, ['sync ABL']],
    [
      'a build that is outdated is given up, and begun when it is gone',
      { pending: 'A', running: [run('A')] },
      ['abort A'],
    ],
    ['an update that is under way is not given up', { pending: 'A', running: [run('A', false)] }, []],
    ['others go on beside it', { pending: 'AC', running: [run('A', false)] }, ['sync C']],
    ['a function waits for the layer that is moved', { pending: 'AC', running: [run('L', false)] }, ['sync C']],
    ['a layer waits for a function that uses it', { pending: 'L', running: [run('B', false)] }, []],
    [
      'and other functions of it that are saved later with it',
      { pending: 'LAC', running: [run('B', false)] },
      ['sync C'],
    ],
    ['but not those that were saved before', { pending: 'ALC', running: [run('B', false)] }, ['sync A', 'sync C']],
    ['no more at once than the limit', { pending: 'ABCD', running: [run('X')], limit: 3 }, ['sync A', 'sync B']],
    [
      'a sync that waits for the service takes no place',
      { pending: 'AB', running: [run('X', false)], limit: 2 },
      ['sync A', 'sync B'],
    ],
    ['a deployment first: it says what may go on', { pending: 'C', deploy: { wanted: true } }, ['deploy']],
    [
      'beside a deployment what it does not touch',
      { pending: 'AC', deploy: { running: true, reserved: reserved('A') } },
      ['sync C'],
    ],
    [
      'a layer not, if the deployment touches one of its functions',
      { pending: 'LD', deploy: { running: true, reserved: reserved('B') } },
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
