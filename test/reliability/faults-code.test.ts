import { expect, it } from 'vitest';
import { openFaultRounds } from '../support/fault-cells.ts';
import { ALL_CELLS, fillFaultTable, recordFaultTable } from '../support/fault-table.ts';
import { openCloud } from '../support/open-cloud.ts';

const FILE = 'test/reliability/faults-code.test.ts';
const opened = await openCloud();

it('a code sync completes, or fails clearly and the next one completes', { timeout: ALL_CELLS }, async () => {
  const mode = { stackName: 'faults-code', args: ['--code'], changes: 'code' } as const;
  const table = await fillFaultTable(await openFaultRounds(opened, mode), 0);
  recordFaultTable(FILE, 'a code sync', table);
  expect(table.wrong).toEqual([]);
});
