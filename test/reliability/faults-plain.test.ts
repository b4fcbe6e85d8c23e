import { expect, it } from 'vitest';
import { openFaultRounds } from '../support/fault-cells.ts';
import { ALL_CELLS, fillFaultTable, recordFaultTable } from '../support/fault-table.ts';
import { openCloud } from '../support/open-cloud.ts';

const FILE = 'test/reliability/faults-plain.test.ts';
const opened = await openCloud();

it.each([
  ['a plain sync of templates and code', 'template and code', 2],
  ['a plain sync of code', 'code', 4],
] as const)(
  '%s completes, or fails clearly and the next one completes',
  { timeout: ALL_CELLS },
  async (name, changes, offset) => {
    const mode = { stackName: `faults-${offset}`, args: [], changes };
    const table = await fillFaultTable(await openFaultRounds(opened, mode), offset);
    recordFaultTable(FILE, name, table);
    expect(table.wrong).toEqual([]);
  },
);
