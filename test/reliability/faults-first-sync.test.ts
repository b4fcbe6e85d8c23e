import { expect, it } from 'vitest';
import { openFaultRounds } from '../support/fault-cells.ts';
import { ALL_CELLS, fillFaultTable, recordFaultTable } from '../support/fault-table.ts';
import { openCloud } from '../support/open-cloud.ts';

const FILE = 'test/reliability/faults-first-sync.test.ts';
const opened = await openCloud();

it('a first sync completes, or fails clearly and the next one completes', { timeout: ALL_CELLS }, async () => {
  const mode = { stackName: 'faults', args: [], changes: 'nothing is there' } as const;
  const table = await fillFaultTable(await openFaultRounds(opened, mode), 1);
  recordFaultTable(FILE, 'a first sync', table);
  expect(table.wrong).toEqual([]);
});
