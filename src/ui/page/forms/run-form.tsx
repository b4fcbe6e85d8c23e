import type { VNode } from 'preact';
import type { Execution, ExecutionStep } from '../../commands.ts';
import { api } from '../api.ts';
import { EventForm, TextBlock } from './event-form.tsx';
import { formatMs } from '../format.ts';
import { JsonText } from './json-text.tsx';

/** Between two questions for the state of an execution (ms): longer the longer it runs. */
const FIRST_DELAY = 200;
const LONGEST_DELAY = 2_000;

/** Runs a state machine, and shows the path of the execution while it runs. */
export function RunForm({ id }: { id: string }): VNode {
  return (
    <EventForm<Execution>
      name={id}
      label="Input"
      verb="Run"
      send={(input, onAnswer) => follow(id, input, onAnswer)}
      show={(execution) => <ExecutionResult execution={execution} />}
    />
  );
}

async function follow(id: string, input: string, onAnswer: (execution: Execution) => boolean): Promise<void> {
  let execution = await api.run(id, input);
  let delay = FIRST_DELAY;
  while (onAnswer(execution) && execution.status === 'RUNNING' && execution.arn !== undefined) {
    const wait = delay;
    await new Promise((resolve) => setTimeout(resolve, wait));
    delay = Math.min(LONGEST_DELAY, delay * 1.3);
    execution = await api.execution(execution.arn);
  }
}

function ExecutionResult({ execution }: { execution: Execution }): VNode {
  const { status, ms, output, error, steps, note } = execution;
  const tone = status === 'SUCCEEDED' ? 'is-good' : status === 'RUNNING' ? '' : 'is-bad';
  return (
    <>
      <p class={`result ${tone}`} role="status">
        <strong>{status.toLowerCase().replaceAll('_', ' ')}</strong>
        <span>{formatMs(ms)}</span>
      </p>
      {steps.length > 0 && (
        <ol class="path">
          {steps.map((step, index) => (
            <Step key={index} step={step} />
          ))}
        </ol>
      )}
      {note !== undefined && <p class="empty">{note}</p>}
      {error !== undefined && <TextBlock label="Error" text={error} />}
      {output !== undefined && <TextBlock label="Output" text={output} />}
    </>
  );
}

function Step({ step }: { step: ExecutionStep }): VNode {
  const { name, type, status, start, end, input, output, error } = step;
  return (
    <li class={`step-${status}`}>
      <details>
        <summary>
          <i class="icon" />
          <span class="name">{name}</span>
          <span class="type">{type}</span>
          <span class="time">{end === undefined ? status : formatMs(end - start)}</span>
        </summary>
        {error !== undefined && <pre class="text">{error}</pre>}
        {input !== undefined && <JsonText before="in  " text={input} />}
        {output !== undefined && <JsonText before="out " text={output} />}
      </details>
    </li>
  );
}
