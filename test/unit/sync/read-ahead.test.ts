import { GetFunctionCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import type { Aws } from '../../../src/aws/aws.ts';
import { openLambda } from '../../../src/services/lambda/lambda-client.ts';

/** Lambda with three functions whose code changes with each look; `calls` counts the looks. */
function open() {
  let calls = 0;
  const send = async () => {
    calls++;
    return { Functions: ['a', 'b', 'c'].map((FunctionName) => ({ FunctionName, CodeSha256: `look ${calls}` })) };
  };
  const service = { ListFunctionsCommand, GetFunctionCommand, send };
  const aws = { lambda: async () => service } as unknown as Aws;
  const lambda = openLambda(aws, { signal: new AbortController().signal });
  const look = async (...names: string[]): Promise<(string | undefined)[]> => {
    const states = await lambda.readMany(names);
    return names.map((name) => states.get(name)?.codeSha256);
  };
  return { lambda, look, calls: () => calls };
}

it('what was read ahead is not asked again, once', async () => {
  const { lambda, look, calls } = open();
  lambda.readAhead(['a', 'b', 'c']);
  expect(await look('a', 'b', 'c')).toEqual(['look 1', 'look 1', 'look 1']);
  expect(calls()).toBe(1);
  expect(await look('a', 'b', 'c')).toEqual(['look 2', 'look 2', 'look 2']);
});

it('serves no question about another function', async () => {
  const { lambda, look } = open();
  // so few are asked for one by one
  lambda.readAhead(['a', 'b']);
  expect(await look('a', 'b', 'c')).toEqual(['look 3', 'look 3', 'look 3']);
});

it('is forgotten when the stack was deployed meanwhile', async () => {
  const { lambda, look } = open();
  lambda.readAhead(['a', 'b', 'c']);
  lambda.forget();
  expect(await look('a', 'b', 'c')).toEqual(['look 2', 'look 2', 'look 2']);
});

it('is forgotten when the sync that it was read for does not come soon: a save may have changed nothing', async () => {
  const { lambda, look } = open();
  lambda.readAhead(['a', 'b', 'c'], { within: 0 });
  expect(await look('a', 'b', 'c')).toEqual(['look 2', 'look 2', 'look 2']);
  lambda.readAhead(['a', 'b', 'c'], { within: 60_000 });
  expect(await look('a', 'b', 'c')).toEqual(['look 3', 'look 3', 'look 3']);
});
