import { readdirSync, readFileSync } from 'node:fs';

/** Command lines that were seen on this machine while something ran. */
export interface ProcessSpy {
  commandLines(): readonly string[];
  stop(): void;
}

/** How often all processes are looked at (ms). */
const EVERY = 25;

/** Notes the command lines of all processes but this one, as any user of the machine can (Linux). */
export function watchProcesses(): ProcessSpy {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // it has ended
      }
    }
  };
  const timer = setInterval(look, EVERY);
  return { commandLines: () => [...seen], stop: () => clearInterval(timer) };
}
