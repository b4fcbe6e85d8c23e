import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../errors.ts';

/** Where a scope of the cache is. */
export type CacheLocation =
  | { kind: 's3'; name: string; bucket: string; /** Without slashes around it. */ prefix: string }
  | { kind: 'file'; name: string; /** Absolute. */ folder: string };

const S3 = /^s3:\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(?:\/(.*))?$/;

/** Parses `s3://bucket/prefix` or `file:/path`; relative paths start from `cwd`. `place`: the option, for the error. */
export function parseLocation(name: string, cwd: string, place = '--build-cache'): CacheLocation {
  const [, bucket, prefix = ''] = S3.exec(name) ?? [];
  if (bucket !== undefined) return { kind: 's3', name, bucket, prefix: prefix.replace(/^\/+|\/+$/g, '') };
  if (name.startsWith('file://')) {
    try {
      return { kind: 'file', name, folder: fileURLToPath(name) };
    } catch {
      throw invalid(name, place);
    }
  }
  if (/^file:./.test(name)) return { kind: 'file', name, folder: path.resolve(cwd, name.slice('file:'.length)) };
  throw invalid(name, place);
}

function invalid(name: string, place: string): UsageError {
  return new UsageError(`${place}: \`${name}\` is not a place for a build cache`, {
    hint: 'Write s3://BUCKET/PREFIX, or file:FOLDER for a folder or a network share.',
  });
}
