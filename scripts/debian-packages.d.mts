/** Returns whether a program is on PATH. */
export function isOnPath(program: string): boolean;
/** Installs packages, only as root. Returns the reason for a failure. */
export function installPackages(packages: readonly string[]): string | undefined;
