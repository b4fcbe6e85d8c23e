import { createHash } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { deflate } from 'libdeflate';
import { describe, expect, it } from 'vitest';
import { openEnded } from '../../../src/package/zip/deflate-blocks.ts';

const noise = (size: number): Buffer => createHash('shake256', { outputLength: size }).update('noise').digest();
const text = (size: number): Buffer => Buffer.from(noise(size).map((byte) => 97 + (byte % 7) * (byte % 3)));

/** Streams of the pieces, all but the last with an open end. */
const joined = (streams: readonly Uint8Array[]): Buffer =>
  Buffer.concat(streams.map((stream, at) => (at < streams.length - 1 ? openEnded(stream) : stream)));

describe('openEnded', () => {
  it.for([
    ['one byte', Buffer.from('x')],
    ['stored blocks', noise(200_000)],
    ['fixed codes', Buffer.from('hello hello hello')],
    ['dynamic codes, many blocks', Buffer.concat([text(400_000), noise(70_000), Buffer.alloc(300_000), text(400_000)])],
    ['long matches', Buffer.alloc(1_000_000, 'ab')],
  ] as const)('lets a stream follow another one: %s', ([, content]) => {
    const streams = [6, 1, 9].map((level) => deflate(content, level));
    // zlib makes blocks that libdeflate does not
    for (const strategy of [constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE]) {
      streams.push(deflateRawSync(content, { strategy }));
    }
    streams.push(deflateRawSync(content, { level: 0 }));
    expect(inflateRawSync(joined(streams)).equals(Buffer.concat(streams.map(() => content)))).toBe(true);
  });

  it('does so for any contents', () => {
    const piece = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.string({ minLength: 1, maxLength: 3000 }).map((string) => Buffer.from(string)),
      fc
        .array(fc.constantFrom('a', 'bb', 'import os\n'), { minLength: 1, maxLength: 2000 })
        .map((words) => Buffer.from(words.join(''))),
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 2, maxLength: 4 }), (pieces) => {
        const inflated = inflateRawSync(joined(pieces.map((content) => deflate(content, 6))));
        expect(inflated.equals(Buffer.concat(pieces))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses what is no deflate stream', () => {
    expect(() => openEnded(Buffer.from([0b110]))).toThrow();
    expect(() => openEnded(deflate(text(10_000), 6).subarray(0, 2000))).toThrow();
  });
});
