import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  layerArnOf,
  layerMark,
  markDescription,
  moveLayers,
  readMark,
  versionOf,
} from '../../../../src/services/lambda/layers/layer-versions.ts';
import type { LayerMoves } from '../../../../src/services/lambda/layers/layer-versions.ts';

const layer = (name: string) => `arn:aws:lambda:eu-west-1:123456789012:layer:${name}`;
const version = (name: string, number: number) => `${layer(name)}:${number}`;
const move = (current: string[], moves: Partial<Record<keyof LayerMoves, unknown>>) =>
  moveLayers(current, { to: new Map(), add: [], drop: [], ...moves } as LayerMoves);
const to = (...entries: [string, number][]) =>
  new Map(entries.map(([name, number]) => [layer(name), version(name, number)]));

describe('the layers of a function', () => {
  it('are replaced where they stand', () => {
    const current = [version('a', 1), version('b', 1), version('c', 1)];
    expect(move(current, { to: to(['b', 7], ['a', 2]) })).toEqual([version('a', 2), version('b', 7), version('c', 1)]);
  });

  it('defect 13: are told apart by their whole name, and keep their order', () => {
    const current = [version('foo-bar', 3), version('foo', 1)];
    expect(move(current, { to: to(['foo', 2]) })).toEqual([version('foo-bar', 3), version('foo', 2)]);
  });

  it('are told apart by account', () => {
    const foreign = version('foo', 1).replace('123456789012', '999999999999');
    expect(move([foreign], { to: to(['foo', 2]) })).toEqual([foreign]);
  });

  it('get one more at the end, once', () => {
    const moves = { to: to(['deps', 4]), add: [layer('deps')] };
    expect(move([version('a', 1)], moves)).toEqual([version('a', 1), version('deps', 4)]);
    expect(move([version('deps', 3), version('a', 1)], moves)).toEqual([version('deps', 4), version('a', 1)]);
  });

  it('lose one', () => {
    expect(move([version('deps', 3), version('a', 1)], { drop: [layer('deps')] })).toEqual([version('a', 1)]);
  });
});

describe('the mark of a version of ours', () => {
  const sha256 = createHash('sha256').update('content').digest('base64');
  const mark = layerMark('arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1', sha256);

  it.each([
    ['a description', 'Shared code', 'Shared code [sam-sync '],
    ['none', undefined, '[sam-sync '],
    ['a long one', 'x'.repeat(256), 'x'.repeat(200)],
  ])('is read back after %s', (_, description, start) => {
    const text = markDescription(description, mark);
    expect(text.length).toBeLessThanOrEqual(256);
    expect(text.startsWith(start)).toBe(true);
    expect(readMark(text)).toEqual(mark);
  });

  it('differs by stack and by content', () => {
    const other = layerMark('arn:aws:cloudformation:eu-west-1:123456789012:stack/app/2', sha256);
    expect(other.content).toBe(mark.content);
    expect(other.stack).not.toBe(mark.stack);
    expect(layerMark('x', createHash('sha256').update('other').digest('base64')).content).not.toBe(mark.content);
  });

  it.each(['Shared code', undefined, '[sam-sync 12345678 0123456789abcdef] and more', '[sam-sync x y]'])(
    'is not in %s',
    (description) => expect(readMark(description)).toBeUndefined(),
  );
});

it('takes ARNs apart', () => {
  expect([layerArnOf(version('a', 12)), versionOf(version('a', 12))]).toEqual([layer('a'), 12]);
});
