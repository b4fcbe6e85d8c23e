import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** Programs that do nothing but note how they were called. */
export interface StubTools {
  /** A `PATH` on which nothing but they and what a shell needs is. */
  path: string;
  /** The calls since the last time: the program's name and its arguments, each as it arrived. */
  calls(): Promise<string[][]>;
}

const NAMES = ['npm', 'pnpm', 'yarn', 'bun', 'python3', 'uv', 'poetry', 'pipenv', 'ruby', 'mvn', 'gradle', 'go'].concat(
  ['cargo', 'cargo-lambda', 'dotnet', 'dotnet-lambda', 'make', 'docker'],
);

/** Begins each call. */
const START = 'called:';

/** Ends each word with a NUL. What a probe expects to read is printed. */
const SCRIPT = `#!/bin/sh
printf '%s\\0' '${START}' "\${0##*/}" "$@" >> "\${0%/*}/calls"
case "\${0##*/} $*" in
  python3*'sys.version_info'*) echo '3.12 linux x86_64' ;;
  ruby*' -e '*) echo '3.4.1 x86_64-linux' ;;
  'docker network'*) echo bridge ;;
  'docker image inspect'*Architecture*) echo 'sha256:0123 amd64' ;;
  'docker image inspect'*) echo 'sha256:0123' ;;
esac
`;

/** Makes the programs. */
export async function stubTools(): Promise<StubTools> {
  const folder = await tempFolder();
  await fs.writeFile(path.join(folder, 'stub'), SCRIPT, { mode: 0o755 });
  for (const name of NAMES) await fs.link(path.join(folder, 'stub'), path.join(folder, name));
  const log = path.join(folder, 'calls');
  return {
    path: folder,
    calls: async () => {
      const text = await fs.readFile(log, 'utf8').catch(() => '');
      await fs.rm(log, { force: true });
      return text
        .split(`${START}\0`)
        .slice(1)
        .map((call) => call.split('\0').slice(0, -1));
    },
  };
}
