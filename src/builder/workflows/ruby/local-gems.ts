import * as path from 'node:path';

/** Returns the folders of gems that the Gemfile (`path:`) or its lock (`PATH … remote:`) names. Absolute, without the code's. */
export function localGems(codeDir: string, gemfile: string, lock: string | undefined): string[] {
  const code = gemfile.replace(/^\s*#.*$/gm, '');
  const named = [
    ...code.matchAll(/(?:\bpath:|:path\s*=>)\s*["']([^"']+)["']/g),
    ...code.matchAll(/^\s*path\s+["']([^"']+)["']\s+do/gm),
    ...(lock ?? '').matchAll(/^PATH\n {2}remote: (.+)$/gm),
  ].map((match) => path.resolve(codeDir, match[1] ?? '.'));
  return [...new Set(named)].filter((dir) => dir !== path.resolve(codeDir)).sort();
}
