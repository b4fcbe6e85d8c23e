import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { DeleteStackCommand, DescribeStacksCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { clients, deployTemplate, poll } from '../cloud.ts';
import type { TestCloud } from '../cloud.ts';
import { makePlace } from '../interruption/leftovers.ts';
import { startRun } from '../interruption/run.ts';
import type { Place } from '../interruption/run.ts';
import { runPeer } from '../peer.ts';
import { writeFiles } from '../temp-folder.ts';
import { sharedApp } from './application.ts';
import type { Intent } from './application.ts';

/** What somebody else did. */
export interface OtherEnd {
  exitCode: number | null;
  output: string;
}

/** Somebody else who changes the same stack. */
export interface Other {
  name: string;
  /** Whether it wants what we want, other code, or no stack. undefined: it leaves code and settings as they are. */
  wants: 'same' | 'other' | 'nothing' | undefined;
  /** It makes sense only where the stack does not exist yet, or only where it does. */
  needs?: 'new' | 'deployed';
  act(context: OtherContext): Promise<OtherEnd>;
}

interface OtherContext {
  cloud: TestCloud;
  stackName: string;
  /** Ours. */
  place: Place;
  /** The arguments that we have, without --watch. */
  args: readonly string[];
  /** A folder for it alone, the same each time. */
  folder: string;
  intent: Intent;
  /** Different each time. */
  note: string;
}

export const OTHERS: readonly Other[] = [
  { name: 'one folder', wants: 'same', act: (context) => syncAt(context.place, context) },
  {
    name: 'two folders',
    wants: 'other',
    act: async (context) => syncAt({ ...(await copied(context)), home: context.place.home }, context),
  },
  { name: 'two machines', wants: 'other', act: async (context) => syncAt(await copied(context), context) },
  {
    name: 'beside SAM CLI',
    wants: 'other',
    act: async (context) => {
      const { app } = await copied(context);
      const env = { ...context.cloud.env, SAM_CLI_POLL_DELAY: '0.1' };
      const words = ['sync', '--stack-name', context.stackName, '--no-dependency-layer', ...context.args];
      const { code, stdout, stderr } = await runPeer(words, { cwd: app, env });
      return { exitCode: code, output: stdout + stderr };
    },
  },
  {
    name: 'somebody deploys',
    wants: undefined,
    needs: 'deployed',
    act: async ({ cloud, stackName, note }) => {
      const { cloudformation } = clients(cloud.endpoint);
      await stackSettled(cloud, stackName);
      const update = new UpdateStackCommand({
        StackName: stackName,
        UsePreviousTemplate: true,
        Parameters: [{ ParameterKey: 'Note', ParameterValue: note }],
        Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
      });
      await cloudformation.send(update);
      await stackSettled(cloud, stackName);
      return { exitCode: 0, output: '' };
    },
  },
  {
    name: 'somebody deletes',
    wants: 'nothing',
    needs: 'deployed',
    act: async ({ cloud, stackName }) => {
      await stackSettled(cloud, stackName);
      await clients(cloud.endpoint).cloudformation.send(new DeleteStackCommand({ StackName: stackName }));
      await stackSettled(cloud, stackName);
      return { exitCode: 0, output: '' };
    },
  },
  {
    name: 'somebody creates',
    wants: undefined,
    needs: 'new',
    act: async ({ cloud, stackName }) => {
      await stackSettled(cloud, stackName);
      const template = { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } };
      const there = await clients(cloud.endpoint)
        .cloudformation.send(new DescribeStacksCommand({ StackName: stackName }))
        .catch(() => undefined);
      if (there === undefined) await deployTemplate(cloud.endpoint, stackName, template);
      return { exitCode: 0, output: '' };
    },
  },
];

async function copied({ folder, intent }: OtherContext): Promise<Place> {
  const place = await makePlace(folder);
  await fs.mkdir(path.join(place.home, '.cache'), { recursive: true });
  await writeFiles(place.app, sharedApp(intent));
  return place;
}

async function syncAt(place: Place, { cloud, stackName, args }: OtherContext): Promise<OtherEnd> {
  const run = startRun(place, ['--stack-name', stackName, '--yes', '--no-dependency-layer', ...args], cloud.env);
  const { code } = await run.ended;
  return { exitCode: code, output: run.lines.join('\n') };
}

async function stackSettled(cloud: TestCloud, StackName: string): Promise<void> {
  await poll(async () => {
    const answer = await clients(cloud.endpoint)
      .cloudformation.send(new DescribeStacksCommand({ StackName }))
      .catch(() => undefined);
    return answer?.Stacks?.[0]?.StackStatus?.endsWith('_IN_PROGRESS') ? undefined : true;
  });
}
