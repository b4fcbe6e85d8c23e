import { createHash } from 'node:crypto';

/** A request of a plan, as `--dry-run --output json` shows it: what apply sends, with bytes and documents by size and hash. */
export interface PlannedRequest {
  /** As the AWS CLI names it. */
  service: 'lambda' | 'apigateway' | 'apigatewayv2' | 'stepfunctions' | 'cloudformation';
  operation: string;
  /** A text with `${Operation.Member}` in it takes that value from the answer to an earlier request of the plan. */
  parameters: object;
  /** When the request is sent at all, if answers to earlier ones decide about that. */
  condition?: string | undefined;
}

/** Stands for a member of the answer to an earlier request. */
export function fromAnswer(operation: string, member: string): string {
  return `\${${operation}.${member}}`;
}

/** What a plan shows instead of bytes or a document: how many bytes there are, and their SHA-256 in base64. */
export interface ContentSummary {
  size: number;
  sha256: string;
}

/** Summarizes a document: it may be long, and hold secrets that its parameters filled in. */
export function summarize(content: string | Uint8Array): ContentSummary {
  return { size: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('base64') };
}
