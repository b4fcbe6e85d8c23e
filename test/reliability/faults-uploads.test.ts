import { expect, it } from 'vitest';
import { openFaultRounds } from '../support/fault-cells.ts';
import { ALL_CELLS, fillFaultTable, recordFaultTable } from '../support/fault-table.ts';
import { openCloud } from '../support/open-cloud.ts';

const FILE = 'test/reliability/faults-uploads.test.ts';
const opened = await openCloud();

it(
  'a sync of code in parts and of an image completes, or fails clearly and the next one completes',
  { timeout: ALL_CELLS },
  async () => {
    const args = ['--resolve-image-repos'];
    const mode = { stackName: 'faults', args, changes: 'template and code', isLarge: true } as const;
    const table = await fillFaultTable(await openFaultRounds(opened, mode), 3);
    recordFaultTable(FILE, 'an upload in parts, and of the push of an image', table);
    expect(table.wrong).toEqual([]);
  },
);
