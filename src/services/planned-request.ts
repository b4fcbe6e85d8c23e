import { createHash } from 'node:crypto';

/** A request of a plan, as `--dry-run --output json` shows it: what apply sends, with bytes and documents by size and hash. */
export interface PlannedRequest {
  /** As the AWS CLI names it. */
  service:
    | 'appsync'
    | 'lambda'
    | 'lambda-web'
    | 'apigateway'
    | 'apigatewayv2'
    | 'stepfunctions'
    | 'cloudcontrol'
    | 'cloudformation'
    | 'resourcegroupstaggingapi';
  operation: string;
  /** A text with `${Operation.Member}` in it takes that value from the answer to an earlier request of the plan. */
  parameters: object;
  /** The values to set, where the parameters have them in patches; `null`: removed. */
  values?: Readonly<Record<string, unknown>>;
  /** When the request is sent, if answers to earlier ones decide whether it is. */
  condition?: string | undefined;
}

/** The placeholder for a member of the answer to an earlier request. */
export function fromAnswer(operation: string, member: string): string {
  return `\${${operation}.${member}}`;
}

/** The size in bytes and the SHA-256 in base64 that a plan shows instead of bytes or a document. */
export interface ContentSummary {
  size: number;
  sha256: string;
}

/** Summarizes a document, which may be long and contain the values of secret parameters. */
export function summarize(content: string | Uint8Array): ContentSummary {
  return { size: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('base64') };
}
