import { LambdaClient, paginateListFunctions, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { poll } from '../test/support/cloud.ts';
import { functions, python } from './apps.ts';
import type { Bench, BenchCase, Subject } from './bench-case.ts';
import { writeCopy } from './commands.ts';
import type { Copy } from './commands.ts';
import type { Row } from './rows.ts';
import type { Tool } from './tools.ts';
import { startWatch } from './watch.ts';
import type { Watch } from './watch.ts';

/** How long CloudFormation takes for an update (seconds). */
const STACK_DELAY = 30;
const TOOLS: readonly Tool[] = ['ours', 'peer'];
/** Rounds of each: SAM CLI's take as long as CloudFormation. */
const ROUNDS = { ours: 10, peer: 3 };
/** Operation of the looks at the function, which are not the tool's. */
const LOOK = 'GetFunctionConfiguration';

/** A watch; each round saves another memory size, and ends when Lambda has it. */
export const WATCH_SETTING: BenchCase = {
  name: 'watch-setting',
  about: `a watch, a function's memory changed, CloudFormation takes ${STACK_DELAY} s`,
  stackDelay: STACK_DELAY,
  run: measureSetting,
};

async function measureSetting(bench: Bench): Promise<Row[]> {
  const watches: { copy: Copy; watch: Watch }[] = [];
  try {
    for (const tool of TOOLS) {
      const app = functions([python()], { seed: 'setting' });
      const copy = await writeCopy(bench, { tool, name: 'watch-setting', app });
      watches.push({ copy, watch: await startWatch(copy) });
    }
    const title = `watch, a changed memory size saved → Lambda has it, CloudFormation takes ${STACK_DELAY} s`;
    const subjects = await Promise.all(watches.map(({ copy }) => saveSettings(copy)));
    return [await bench.compare({ id: 'watch-setting', title, goals: [{ kind: 'faster', times: 20 }], subjects })];
  } finally {
    for (const { watch } of watches) await watch.stop();
  }
}

async function saveSettings(copy: Copy): Promise<Subject> {
  const { proxy, env } = copy.way;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const lambda = new LambdaClient({ endpoint: proxy.endpoint, region: env['AWS_REGION'] ?? 'us-east-1', credentials });
  const FunctionName = await findFunction(lambda, copy.stackName);
  const template = path.join(copy.dir, 'template.yaml');
  const original = await fs.readFile(template, 'utf8');
  return {
    name: copy.tool,
    rounds: ROUNDS[copy.tool],
    slow: copy.tool === 'peer',
    proxy,
    round: async (round) => {
      const size = 200 + round;
      const started = performance.now();
      await fs.writeFile(template, original.replace('Handler:', `MemorySize: ${size}\n      Handler:`));
      await poll(async () => {
        const { MemorySize } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
        return MemorySize === size || undefined;
      }, 240_000);
      const ms = performance.now() - started;
      const calls = proxy.calls.map(({ operation }) => operation).filter((operation) => operation !== LOOK);
      // SAM CLI loses what is saved before its deployment has ended
      if (copy.tool === 'peer') await delay(8_000);
      return { ms, calls };
    },
  };
}

async function findFunction(client: LambdaClient, stackName: string): Promise<string> {
  for await (const { Functions = [] } of paginateListFunctions({ client }, {})) {
    const name = Functions.find((one) => one.FunctionName?.startsWith(`${stackName}-`))?.FunctionName;
    if (name !== undefined) return name;
  }
  throw new Error(`${stackName} has no function`);
}
