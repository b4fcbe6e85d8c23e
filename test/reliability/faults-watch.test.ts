import { expect, it } from 'vitest';
import { ALL_CELLS, fillFaultTable, recordFaultTable } from '../support/fault-table.ts';
import { openFaultWatch } from '../support/fault-watch.ts';
import { openCloud } from '../support/open-cloud.ts';

const FILE = 'test/reliability/faults-watch.test.ts';
const opened = await openCloud();

it('a watch completes, or fails clearly and completes the next save', { timeout: ALL_CELLS }, async () => {
  const table = await fillFaultTable(await openFaultWatch(opened, 'faults-watch'), 4);
  recordFaultTable(FILE, 'a watch', table);
  expect(table.wrong).toEqual([]);
});
