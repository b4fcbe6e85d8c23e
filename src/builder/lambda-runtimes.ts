import { nearestName } from '../support/nearest-name.ts';
import { ownValue } from '../support/own-value.ts';

/**
 * Deprecated runtimes with the date of their deprecation (Lambda developer guide, "Lambda runtimes"). Lambda still accepts
 * updates of such functions for some time, and sam-sync builds them as long as the tools can.
 */
const DEPRECATED: Readonly<Record<string, string>> = {
  'nodejs4.3': '2020-03-05',
  'nodejs6.10': '2019-08-12',
  'nodejs8.10': '2020-03-06',
  'nodejs10.x': '2021-07-30',
  'nodejs12.x': '2023-03-31',
  'nodejs14.x': '2023-12-04',
  'nodejs16.x': '2024-06-12',
  'nodejs18.x': '2025-09-01',
  'nodejs20.x': '2026-04-30',
  'python2.7': '2021-07-15',
  'python3.6': '2022-07-18',
  'python3.7': '2023-12-04',
  'python3.8': '2024-10-14',
  'python3.9': '2025-12-15',
  'ruby2.5': '2021-07-30',
  'ruby2.7': '2023-12-07',
  'ruby3.2': '2026-03-31',
  java8: '2024-01-08',
  'go1.x': '2024-01-08',
  provided: '2024-01-08',
  'dotnetcore1.0': '2019-06-27',
  'dotnetcore2.0': '2019-05-30',
  'dotnetcore2.1': '2022-01-05',
  'dotnetcore3.1': '2023-04-03',
  dotnet6: '2024-12-20',
};

/** Returns the date of a runtime's deprecation (`YYYY-MM-DD`); undefined if we know of none. */
export function deprecatedSince(runtime: string | undefined): string | undefined {
  return runtime === undefined ? undefined : ownValue(DEPRECATED, runtime);
}

/** Runtimes that are not deprecated, as the API lists them. */
const CURRENT =
  'nodejs22.x nodejs24.x nodejs26.x python3.10 python3.11 python3.12 python3.13 python3.14 python3.15 ruby3.3 ruby3.4 ruby4.0 '
    .concat(
      'java8.al2 java11 java17 java21 java25 java8.al2023 java11.al2023 java17.al2023 dotnet8 dotnet10 provided.al2 provided.al2023',
    )
    .split(' ');

const KNOWN: ReadonlySet<string> = new Set([...CURRENT, ...Object.keys(DEPRECATED), 'nodejs', 'nodejs4.3-edge']);

/** Whether Lambda has a runtime of this name, as far as we know. */
export function isKnownRuntime(runtime: string): boolean {
  return KNOWN.has(runtime);
}

/** Returns the runtime that the user probably meant. */
export function nearestRuntime(runtime: string): string | undefined {
  // of the same language rather than of similar digits
  const language = /^[a-z]*/i.exec(runtime)?.[0].toLowerCase() ?? '';
  const related = CURRENT.filter((name) => language !== '' && name.startsWith(language));
  return nearestName(runtime.toLowerCase(), related.length > 0 ? related : CURRENT);
}
