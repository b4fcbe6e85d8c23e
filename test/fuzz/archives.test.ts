import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { unpackZip } from '../../src/builder/workflows/unpack-zip.ts';
import { fuzz, HOSTILE_WORDS, orUserError } from '../support/fuzz.ts';
import { snapshotFolder, tempFolder } from '../support/temp-folder.ts';
import { zipBytes } from '../support/zip-bytes.ts';
import type { ZipEntry } from '../support/zip-bytes.ts';

const folder = await tempFolder({ 'sentinel/keep.txt': 'mine' });

const part = fc.oneof(
  fc.constantFrom('a', 'b', '..', '.', '', 'c:', 'sentinel', 'keep.txt'),
  fc.constantFrom(...HOSTILE_WORDS),
);
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const entry: fc.Arbitrary<ZipEntry> = fc.oneof(
  fc.string({ maxLength: 20 }),
  // a link, a folder, a device, a program
  fc.record({
    text: fc.constantFrom('../sentinel', '/etc', 'x'),
    mode: fc.constantFrom(0o120777, 0o040755, 0o020666, 0o104755),
  }),
);
const archive = fc.record({
  entries: fc.array(fc.tuple(name, entry), { maxLength: 6 }),
  damage: fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) }), { maxLength: 4 }),
  keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});

fuzz(
  'an archive with any names, kinds and damage is unpacked into its folder, or refused in a sentence',
  800,
  archive,
  async ({ entries, damage, keep }) => {
    const bytes = zipBytes(Object.fromEntries(entries));
    for (const { at, byte } of damage) bytes[Math.floor(at * (bytes.length - 1))] = byte;
    const zip = path.join(folder, 'archive.zip');
    const target = path.join(folder, 'target');
    await fs.writeFile(zip, bytes.subarray(0, Math.ceil(bytes.length * keep)));
    await orUserError(() => unpackZip(zip, target));
    await fs.rm(target, { recursive: true, force: true });
    await fs.rm(zip);
    expect(await snapshotFolder(folder)).toEqual({ sentinel: '/', 'sentinel/keep.txt': 'mine' });
  },
);
