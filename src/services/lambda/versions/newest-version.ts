import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { ownValue } from '../../../support/own-value.ts';
import { DYNAMIC_REFERENCE } from '../../../template/dynamic-references.ts';
import { isIntrinsic, isMap, mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import type { LambdaAccess } from '../lambda-client.ts';

/** The newest version that was published of a function, and what would be published now (`$LATEST`). */
export interface NewestVersion {
  newest: FunctionConfiguration;
  latest: FunctionConfiguration;
}

/** Reads the newest version; undefined: none was published. One call for each 50 versions. */
export async function readNewestVersion(
  lambda: LambdaAccess,
  FunctionName: string,
): Promise<NewestVersion | undefined> {
  const { send, ListVersionsByFunctionCommand } = await lambda.service();
  let [newest, latest]: (FunctionConfiguration | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await send(new ListVersionsByFunctionCommand({ FunctionName, Marker }));
    for (const version of page.Versions ?? []) {
      if (version.Version === '$LATEST') latest = version;
      else if (newest === undefined || Number(version.Version) > Number(newest.Version)) newest = version;
    }
    Marker = page.NextMarker || undefined;
  } while (Marker !== undefined);
  return newest && latest && { newest, latest };
}

/**
 * Whether the version certainly has other settings than the function after the deployment. Compares what names versions; where
 * only something else changes, a version may be published that is not needed. Pure.
 */
export function hasOtherSettings(version: FunctionConfiguration, properties: TemplateMap): boolean {
  const { Environment, MemorySize, Description = '' } = version;
  return (
    differs(properties['MemorySize'] ?? 128, MemorySize) ||
    differs(describedWithHash(properties), Description) ||
    // Lambda shows no variables without permission for their key
    (Environment?.Error === undefined &&
      hasOtherVariables(mapOf(properties['Environment'])['Variables'] ?? {}, Environment?.Variables))
  );
}

/** SAM adds the hash that names the version to the function's description, unless the version has one of its own. */
function describedWithHash({
  AutoPublishCodeSha256: hash = null,
  Description = '',
  VersionDescription = null,
}: TemplateMap): TemplateValue {
  const texts = [Description, hash].map(scalarText);
  if (VersionDescription !== null || texts.includes(undefined)) return null;
  return texts.filter((text) => text !== '').join(' ');
}

function hasOtherVariables(wanted: TemplateValue, shown: Readonly<Record<string, string>> = {}): boolean {
  if (!isMap(wanted) || isIntrinsic(wanted)) return false;
  if (Object.keys(shown).some((name) => ownValue(wanted, name) === undefined)) return true;
  return Object.entries(wanted).some(([name, value]) => differs(value, ownValue(shown, name)));
}

/** Intrinsic functions and dynamic references may have any value. */
function differs(wanted: TemplateValue, shown: string | number = ''): boolean {
  const text = scalarText(wanted);
  return text !== undefined && text !== String(shown) && text.search(DYNAMIC_REFERENCE) < 0;
}
