import { expect, it } from 'vitest';
import { emptyWatchModel, updateWatchModel } from '../../../src/console/watch-model.ts';
import type { SyncEvent } from '../../../src/console/reporter.ts';
import { renderWatch } from '../../../src/console/watch-view.ts';

it('a function that is in sync and cannot run says so in its row, above the others, until it is fixed', () => {
  const model = emptyWatchModel(0);
  const rowsAfter = (...events: SyncEvent[]): string[] => {
    for (const event of events) updateWatchModel(model, event, 0);
    const style = (_look: string, text: string): string => text;
    const picture = { columns: 120, rows: 30, now: 0, wallClock: 0, spinner: '*', style };
    return renderWatch(model, picture).slice(0, 2);
  };
  const inSync = (id: string): SyncEvent => ({ type: 'resource-state', id, state: 'in-sync', changed: false });
  const problems = [{ message: 'SyntaxError: invalid syntax', file: 'b/app.py', line: 3, column: 7 }];

  expect(
    rowsAfter({ type: 'watch-resources', stackName: 'app', ids: ['A', 'B'] }, inSync('A'), {
      ...inSync('B'),
      problems,
    } as SyncEvent),
  ).toEqual(['! B  in sync   b/app.py:3:7: SyntaxError: invalid syntax', '✓ A  in sync   ']);
  expect(rowsAfter(inSync('B'))).toEqual(['✓ A  in sync   ', '✓ B  in sync   ']);
});
