import type { FaultRounds, InjectedFault, Verdict } from './fault-cells.ts';
import { LASTING, PASSING } from './fault-kinds.ts';
import type { FaultKind } from './fault-kinds.ts';
import { FULL_SIZE, recordReliability } from './reliability.ts';

/** A mode's table: operation → fault → how the run ended. */
export interface FaultTable {
  rows: ReadonlyMap<string, ReadonlyMap<string, Verdict | 'WRONG'>>;
  injected: number;
  /** Cells that are neither complete nor a clear failure, with the reason. */
  wrong: readonly string[];
}

/** Long enough for all cells (ms). */
export const ALL_CELLS = 7_200_000;

/** Cells with a lasting fault in a sample of a mode. */
const SAMPLED = 2;

/** Injects every fault into every operation (full size), or each operation and each fault at least once. */
export async function fillFaultTable(rounds: FaultRounds, offset: number): Promise<FaultTable> {
  const { operations } = rounds;
  const rows = new Map(operations.map((operation) => [operation, new Map<string, Verdict | 'WRONG'>()]));
  const wrong: string[] = [];
  let injected = 0;
  const enter = (faults: readonly InjectedFault[], verdict: Verdict | 'WRONG'): void => {
    injected += faults.length;
    for (const { operation, kind } of faults) rows.get(operation)?.set(kind.name, verdict);
  };
  const attempt = async (faults: readonly InjectedFault[]): Promise<Error | undefined> => {
    try {
      const { verdict, met } = await rounds.round(faults);
      if (verdict !== 'completes' && faults.every(({ kind }) => kind.times === 1)) throw new Error('The run fails');
      enter(met, verdict);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };
  const single = async (fault: InjectedFault): Promise<void> => {
    const error = await attempt([fault]);
    if (error === undefined) return;
    enter([fault], 'WRONG');
    if (process.env['SAM_SYNC_TEST_TRACE']) console.error(`${fault.operation}, ${fault.kind.name}: ${error.message}`);
    wrong.push(`${fault.operation}, ${fault.kind.name}: ${error.message}`);
  };
  const together = async (faults: readonly InjectedFault[]): Promise<void> => {
    // each fault passes, so that a run can meet all of them; alone, each shows whether it is the reason
    const error = await attempt(faults);
    if (error === undefined) return;
    if (process.env['SAM_SYNC_TEST_TRACE']) console.error(`${faults[0]?.kind.name}, all: ${error.message}`);
    for (const fault of faults) await single(fault);
  };
  const all = (kind: FaultKind): InjectedFault[] => operations.map((operation) => ({ operation, kind }));
  if (FULL_SIZE) {
    for (const kind of [...PASSING, ...LASTING]) {
      console.log(`${kind.name} of ${operations.length} operations, ${wrong.length} wrong so far`);
      if (PASSING.includes(kind)) await together(all(kind));
      for (const fault of all(kind)) if (!rows.get(fault.operation)?.has(kind.name)) await single(fault);
    }
  } else {
    await together(mix(operations, offset));
    // few operations of one kind: faults that stay are met by those of other modes
    const cells = operations.length < 6 ? 0 : SAMPLED;
    const lasting = LASTING.flatMap(all);
    // a prime step visits operations and kinds in turns
    for (let cell = 0; cell < cells; cell++) {
      const fault = lasting[((offset + cell * 4 + 1) * 37) % lasting.length];
      if (fault !== undefined) await single(fault);
    }
  }
  if (injected === 0) wrong.push('No call met a fault');
  return { rows, injected, wrong };
}

function mix(operations: readonly string[], offset: number): InjectedFault[] {
  return operations.map((operation, index) => {
    const kind = PASSING[(index + offset) % PASSING.length];
    if (kind === undefined) throw new Error('There are no faults');
    return { operation, kind };
  });
}

/** How the table of docs/reliability.md shows the end of a run. */
const SIGNS: Record<Verdict | 'WRONG', string> = {
  completes: '✓',
  'fails clearly, next run completes': '↻',
  WRONG: 'wrong',
};

/** Reports the table for docs/reliability.md. */
export function recordFaultTable(file: string, mode: string, { rows, injected, wrong }: FaultTable): void {
  const kinds = [...PASSING, ...LASTING].map(({ name }) => name);
  recordReliability(file, {
    class: 'Faults of AWS calls',
    injected: `every operation of ${mode}`,
    times: injected,
    lost: wrong.length,
    notes: [
      `${SIGNS.completes}: the run completes. ${SIGNS['fails clearly, next run completes']}: it fails clearly, and the next run completes.`,
      'An empty cell: no call of the operation met the fault, as not every run calls it.',
      'Up to `HTML`, each operation meets the fault once. The last three stay: each call of the operation meets them.',
    ],
    table: {
      header: ['Operation', ...kinds],
      rows: [...rows].map(([operation, cells]) => [operation, ...kinds.map((kind) => sign(cells.get(kind)))]),
    },
  });
}

function sign(end: Verdict | 'WRONG' | undefined): string {
  return end === undefined ? '' : SIGNS[end];
}
