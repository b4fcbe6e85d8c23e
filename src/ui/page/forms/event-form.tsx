import { Component } from 'preact';
import type { ComponentChildren, TargetedKeyboardEvent, VNode } from 'preact';
import type { CommandError } from '../api.ts';
import { answerOf, sendFor } from './answers.ts';
import { draftOf, forgetDraft, keepDraft } from './drafts.ts';
import { prettyJson } from '../format.ts';
import { JsonText } from './json-text.tsx';
import { remember, rememberedOf } from './remembered.ts';

interface EventFormProps<T> {
  /** What events are remembered for. */
  name: string;
  label: string;
  verb: string;
  /** Sends the event. `onAnswer` may be called several times before it ends; false: nobody waits for more. */
  send(text: string, onAnswer: (answer: T) => boolean): Promise<void>;
  show(answer: T): ComponentChildren;
}

/** A form for a JSON event, and what came back. Ctrl-Enter sends it. */
export class EventForm<T> extends Component<EventFormProps<T>> {
  override render({ name, label, verb, show }: EventFormProps<T>): VNode {
    const remembered = rememberedOf(name) ?? [];
    const text = draftOf(name) ?? prettyJson(remembered[0] ?? '{}');
    const problem = problemOf(text);
    const { isSending, answer, error } = answerOf(answerNameOf(this.props));
    const submit = (): void => {
      if (problem === undefined && !isSending) this.#send(text);
    };
    return (
      <>
        <form
          class="try"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
          onKeyDown={submitOnCtrlEnter}
        >
          <label>
            <span>{label}</span>
            <textarea
              spellcheck={false}
              rows={Math.min(14, Math.max(5, text.split('\n').length))}
              value={text}
              aria-invalid={problem !== undefined}
              onInput={({ currentTarget }) => this.#change(currentTarget.value)}
            />
          </label>
          {problem !== undefined && <p class="problem">{problem}</p>}
          <div class="actions">
            <button type="submit" class="primary" disabled={problem !== undefined} aria-busy={isSending}>
              {isSending ? `${verb} …` : verb}
            </button>
            {remembered.length > 1 && (
              <select
                aria-label="Earlier events"
                onChange={({ currentTarget }) => {
                  const chosen = remembered[Number(currentTarget.value)];
                  if (chosen !== undefined) this.#change(prettyJson(chosen));
                  currentTarget.value = '';
                }}
              >
                <option value="">Earlier events</option>
                {remembered.map((one, index) => (
                  <option key={one} value={index}>
                    {one.replace(/\s+/g, ' ').slice(0, 60)}
                  </option>
                ))}
              </select>
            )}
          </div>
        </form>
        <Failure error={error} />
        {answer !== undefined && <div class="answer">{show(answer as T)}</div>}
      </>
    );
  }

  #change(text: string): void {
    keepDraft(this.props.name, text);
    this.setState({});
  }

  #send(text: string): void {
    const { name, send } = this.props;
    remember(name, text);
    forgetDraft(name);
    void sendFor(answerNameOf(this.props), (onAnswer) => send(text, onAnswer));
  }
}

/** A function may become a state machine of the same name: the answer of one is not that of the other. */
function answerNameOf({ verb, name }: { verb: string; name: string }): string {
  return `${verb} ${name}`;
}

/** Sends a form from any of its fields. */
export function submitOnCtrlEnter(event: TargetedKeyboardEvent<HTMLFormElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
}

/** A command that failed. */
export function Failure({ error }: { error: CommandError | undefined }): VNode | null {
  if (error === undefined) return null;
  return (
    <div class="box box-failed" role="alert">
      <pre>{error.message}</pre>
      {error.hint !== undefined && <p>{error.hint}</p>}
    </div>
  );
}

/** A text that was sent or came back. */
export function TextBlock({ label, text }: { label: string; text: string }): VNode {
  return (
    <>
      <h3 class="label">{label}</h3>
      <JsonText text={text} />
    </>
  );
}

function problemOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
