import { it } from 'vitest';
import { MODES, openBench } from '../support/interruption/bench.ts';
import { describePoint } from '../support/interruption/points.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();
const only = process.env['ONLY'];
for (const mode of MODES.filter(({ name }) => only === undefined || name === only)) {
  it(mode.name, { timeout: 600_000 }, async () => {
    const t = Date.now();
    const bench = await openBench({ cloud, proxy, mode });
    const points = await bench.record();
    console.log(mode.name, points.length, Date.now() - t, 'ms');
    const kinds = new Map<string, number>();
    for (const p of points) kinds.set(p.kind, (kinds.get(p.kind) ?? 0) + 1);
    console.log([...kinds]);
    if (process.env['LIST']) console.log(points.map(describePoint).join('\n'));
    for (const kind of kinds.keys()) {
      const at = points.filter((p) => p.kind === kind);
      const point = at[Math.floor(at.length / 2)];
      if (point === undefined) continue;
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const t2 = Date.now();
        const r = await bench.interrupt(point, signal);
        console.log(signal, describePoint(point), Date.now() - t2, JSON.stringify(r, undefined, 1));
      }
    }
  });
}
