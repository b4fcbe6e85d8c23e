import { Component } from 'preact';
import type { ComponentChildren } from 'preact';
import type { Place } from './store.ts';

interface GuardProps {
  /** Another place is tried again. */
  place: Place;
  children: ComponentChildren;
}

interface GuardState {
  failed: Place | undefined;
  message: string;
}

/** A part of the page that may fail by itself: without this, an error while one part is drawn ends the whole page. */
export class Guard extends Component<GuardProps, GuardState> {
  override state: GuardState = { failed: undefined, message: '' };

  override componentDidCatch(error: unknown): void {
    this.setState({ failed: this.props.place, message: String(error) });
  }

  override render({ place, children }: GuardProps, { failed, message }: GuardState): ComponentChildren {
    if (failed !== place) return children;
    return (
      <section class="detail">
        <div class="box box-failed" role="alert">
          <strong>This part of the page failed</strong>
          <pre>{message}</pre>
          <p>The sync continues. Reload the page to see this part again.</p>
        </div>
      </section>
    );
  }
}
