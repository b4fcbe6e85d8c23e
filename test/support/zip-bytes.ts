import { crc32, deflateRawSync } from 'node:zlib';

/** Content of an entry, with its Unix mode if it is not that of an ordinary file, and `claimed` if its size is given wrong. */
export type ZipEntry = string | { text: string; mode: number; deflated?: boolean; claimed?: number };

/** The bytes of a zip (stored, unless an entry is `deflated`), made without any code of ours that is under test. */
export function zipBytes(entries: Readonly<Record<string, ZipEntry>>): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, entry] of Object.entries(entries)) {
    const how = typeof entry === 'string' ? { text: entry, mode: 0o100644 } : entry;
    const { text, mode, deflated = false, claimed = Buffer.byteLength(text) } = how;
    const path = Buffer.from(name);
    const data = deflated ? deflateRawSync(text) : Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflated ? 8 : 0, 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(text), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(claimed, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, rest, path]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(centrals.length, 8);
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}
