import type { VNode } from 'preact';
import type { InvokeAnswer } from '../../commands.ts';
import { api } from '../api.ts';
import { EventForm, TextBlock } from './event-form.tsx';
import { formatMs } from '../format.ts';

/** Invokes a function with an event: its response, its log and its time. */
export function InvokeForm({ id }: { id: string }): VNode {
  return (
    <EventForm<InvokeAnswer>
      name={id}
      label="Event"
      verb="Invoke"
      send={async (event, onAnswer) => void onAnswer(await api.invoke(id, event))}
      show={(answer) => <InvokeResult answer={answer} />}
    />
  );
}

function InvokeResult({ answer }: { answer: InvokeAnswer }): VNode {
  const { payload, functionError, log, ms } = answer;
  const { Duration, 'Billed Duration': billed, 'Max Memory Used': memory, 'Init Duration': init } = reportOf(log);
  return (
    <>
      <p class={`result ${functionError === undefined ? 'is-good' : 'is-bad'}`} role="status">
        <strong>{functionError === undefined ? 'Succeeded' : `Failed (${functionError})`}</strong>
        <span>{formatMs(ms)} round trip</span>
        {Duration !== undefined && <span>ran {Duration}</span>}
        {init !== undefined && <span>cold start {init}</span>}
        {billed !== undefined && <span>billed {billed}</span>}
        {memory !== undefined && <span>{memory} used</span>}
      </p>
      <TextBlock label="Response" text={payload === '' ? 'null' : payload} />
      {log.trim() !== '' && <TextBlock label="Log" text={log.trimEnd()} />}
    </>
  );
}

/** The values of Lambda's REPORT line. */
function reportOf(log: string): Partial<Record<string, string>> {
  const line = /^REPORT .*$/m.exec(log)?.[0] ?? '';
  return Object.fromEntries(
    [...line.matchAll(/(Init Duration|Billed Duration|Duration|Max Memory Used): ([\d.]+ \w+)/g)].map(
      ([, name = '', value]) => [name, value],
    ),
  );
}
