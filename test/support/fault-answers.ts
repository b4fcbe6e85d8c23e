import type * as http from 'node:http';

/** What a fault proxy does to a call. */
export type Fault =
  /** Passes it on later. */
  | { kind: 'delay'; ms: number }
  /** An error in the form of the service. */
  | { kind: 'throttle' }
  | { kind: 'error'; status: number; code?: string; message?: string }
  | { kind: 'expired' }
  | { kind: 'denied' }
  /** The clock of the service is ahead (`CLOCK_AHEAD`); its answer says so. */
  | { kind: 'clock-skew' }
  /** Cuts the connection before it passes the request on, or when the service has answered. */
  | { kind: 'reset'; when: 'before' | 'after-answer' }
  /** Half of the answer, then cut. */
  | { kind: 'truncate' }
  /** No answer. */
  | { kind: 'hang' }
  /** The page of a gateway, in place of the service. */
  | { kind: 'html' }
  /** Passes another request on. */
  | { kind: 'rewrite'; body: (text: string) => string }
  /** This answer, by default an empty 200, in place of the service. */
  | { kind: 'answer'; status?: number; headers?: Record<string, string>; body?: string }
  /** Changes the answer. */
  | { kind: 'change'; body: (text: string) => string }
  | { kind: 'freeze'; answers: Map<string, Answer> }
  | { kind: 'hold'; when: HoldPoint; arrived: () => void; released: Promise<Fault | undefined> };

/** Before the request is passed on (never, if its client has gone when it is released), or when the service has answered. */
export type HoldPoint = 'before' | 'after-answer';

/** The call that a fault meets. */
interface FailedCall {
  service: string;
  operation: string;
  method: string;
}

/** What a client receives. */
export interface Answer {
  status: number;
  headers: http.OutgoingHttpHeaders;
  body: Buffer;
}

/** Seconds. */
export const CLOCK_AHEAD = 3_600;

const PAGE =
  '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to use this network.</body></html>';

/** The answer of the proxy itself; undefined: the service answers. */
export function answerItself(call: FailedCall, fault: Fault): Answer | undefined {
  switch (fault.kind) {
    case 'answer': {
      const { status = 200, headers = {}, body = '' } = fault;
      return { status, headers, body: Buffer.from(body) };
    }
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: Buffer.from(PAGE) };
    case 'throttle':
    case 'error':
    case 'expired':
    case 'denied':
    case 'clock-skew': {
      const { headers, ...error } = errorOf(call, fault);
      const answer = shapeError(call.service, error);
      // an answer to HEAD has no body
      const body = call.method === 'HEAD' ? Buffer.alloc(0) : answer.body;
      return { ...answer, headers: { ...answer.headers, ...headers }, body };
    }
    default:
      return undefined;
  }
}

interface ServiceError {
  status: number;
  code: string;
  message: string;
  headers?: http.OutgoingHttpHeaders;
}

type ErrorFault = Extract<Fault, { kind: 'throttle' | 'error' | 'expired' | 'denied' | 'clock-skew' }>;

/** How the services refuse (API references, common errors). */
function errorOf({ service, operation }: FailedCall, fault: ErrorFault): ServiceError {
  const isJson = ['lambda', 'apigateway', 'states', 'ecr', 'logs', 'cloudcontrolapi', 'tagging'].includes(service);
  // the JSON protocols with `X-Amz-Target` have the status 400 for all errors of the client
  const status = ['states', 'ecr', 'logs', 'cloudcontrolapi', 'tagging'].includes(service) ? 400 : 403;
  switch (fault.kind) {
    case 'throttle':
      return { ...(THROTTLES[service] ?? { status: 400, code: 'Throttling' }), message: 'Rate exceeded' };
    case 'expired': {
      if (service === 's3') return { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' };
      const message = 'The security token included in the request is expired';
      return { status, code: isJson ? 'ExpiredTokenException' : 'ExpiredToken', message };
    }
    case 'denied': {
      if (service === 's3') return { status, code: 'AccessDenied', message: 'Access Denied' };
      const message = `User: arn:aws:iam::000000000000:user/dev is not authorized to perform: ${service}:${operation} because no identity-based policy allows the ${service}:${operation} action`;
      return { status, code: isJson ? 'AccessDeniedException' : 'AccessDenied', message };
    }
    case 'clock-skew': {
      const now = new Date(Date.now() + CLOCK_AHEAD * 1_000);
      const headers = { date: now.toUTCString() };
      if (service === 's3') {
        const message = 'The difference between the request time and the current time is too large.';
        return { status, code: 'RequestTimeTooSkewed', message, headers };
      }
      const message = `Signature expired: ${stamp(new Date())} is now earlier than ${stamp(new Date(now.getTime() - 300_000))} (${stamp(now)} - 5 min.)`;
      return { status, code: isJson ? 'InvalidSignatureException' : 'SignatureDoesNotMatch', message, headers };
    }
    default: {
      const { status: given, code = given >= 500 ? 'InternalFailure' : 'BadRequest' } = fault;
      return { status: given, code, message: fault.message ?? 'A fault of the proxy' };
    }
  }
}

/** As in signatures: `20261126T200000Z`. */
function stamp(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

/** How each service says "too many requests" (API references, common errors). */
const THROTTLES: Record<string, { status: number; code: string }> = {
  s3: { status: 503, code: 'SlowDown' },
  lambda: { status: 429, code: 'TooManyRequestsException' },
  apigateway: { status: 429, code: 'TooManyRequestsException' },
  states: { status: 400, code: 'ThrottlingException' },
  cloudcontrolapi: { status: 400, code: 'ThrottlingException' },
  tagging: { status: 400, code: 'ThrottledException' },
  ecr: { status: 400, code: 'ThrottlingException' },
  logs: { status: 400, code: 'ThrottlingException' },
};

function shapeError(service: string, { status, code, message }: ServiceError): Answer {
  const requestId = 'fault-proxy-request';
  const json = (body: object, headers = {}): Answer => ({
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId, ...headers },
    body: Buffer.from(JSON.stringify(body)),
  });
  const xml = (body: string): Answer => ({
    status,
    headers: { 'content-type': 'text/xml', 'x-amz-request-id': requestId, 'x-amzn-requestid': requestId },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${body}`),
  });
  const inner = `<Code>${code}</Code><Message>${message}</Message>`;
  switch (service) {
    case 'cloudcontrolapi':
    case 'tagging':
    case 'states':
    case 'ecr':
    case 'logs':
      return json({ __type: code, message });
    case 'lambda':
    case 'apigateway':
      return json({ message }, { 'x-amzn-errortype': code });
    case 's3':
      return xml(`<Error>${inner}<RequestId>${requestId}</RequestId></Error>`);
    default:
      return xml(
        `<ErrorResponse><Error><Type>Sender</Type>${inner}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      );
  }
}
