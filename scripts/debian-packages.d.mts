/** Whether a program is on PATH. */
export function isOnPath(program: string): boolean;
/** Installs packages; undefined, or why not. Only as root: nobody is asked for a password. */
export function installPackages(packages: readonly string[]): string | undefined;
