// From what a reader sees many times a second to taps: one tap per presentation of a card.
//
// 1. A card is gone only after two clean looks at an empty field; a garbled look means that it is still there.
// 2. What cannot be read for certain becomes one ambiguous tap per presentation, not silence, so that the person learns why.
// 3. No card of a stack is picked out: after a single look at a collision nothing is a tap until the field was empty, or one
//    card was read alone LOOKS_TO_BE_ALONE times in a row; after a reported one, until the field was empty.

export type FieldObservation =
  | { readonly kind: 'card'; readonly uid: Uint8Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous'; readonly cause: AmbiguityCause };

export type AmbiguityCause = 'collision' | 'short-read' | 'noise';

export type Tap =
  | { readonly kind: 'card'; readonly uid: Uint8Array }
  | { readonly kind: 'ambiguous'; readonly cause: AmbiguityCause };

export interface TapFilterState {
  /** Hex of the UID that made the last tap of this presentation. */
  readonly tapped: string | undefined;
  /** Whether this presentation was reported as ambiguous, and as what. */
  readonly reported: AmbiguityCause | undefined;
  /** Consecutive empty looks. */
  readonly empty: number;
  /** Ambiguous looks in a row; after a collision, cards that were read in between do not end the row. */
  readonly unclear: number;
  /** Set by a collision: the card that was read alone since then, and in how many looks in a row. */
  readonly collided: { readonly alone: string | undefined; readonly looks: number } | undefined;
}

export const IDLE_FILTER: TapFilterState = {
  tapped: undefined,
  reported: undefined,
  empty: 0,
  unclear: 0,
  collided: undefined,
};

/** Clean empty looks after which a card counts as removed. */
export const LOOKS_TO_BE_GONE = 2;
/** Ambiguous looks in a row after which a person is told, so that a card on its way into the field is not denied. */
export const LOOKS_TO_BE_AMBIGUOUS = 3;

/** Looks in a row at one and the same card after which the other card of a collision counts as removed. */
export const LOOKS_TO_BE_ALONE = 5;

const NONE_ALONE = { alone: undefined, looks: 0 } as const;

export interface TapFilterStep {
  readonly state: TapFilterState;
  readonly tap?: Tap;
}

export const stepTapFilter = (state: TapFilterState, observation: FieldObservation): TapFilterStep => {
  switch (observation.kind) {
    case 'none': {
      const empty = state.empty + 1;
      if (empty >= LOOKS_TO_BE_GONE) return { state: IDLE_FILTER };
      return { state: { ...state, empty, unclear: 0, collided: state.collided && NONE_ALONE } };
    }
    case 'card':
      return onCard(state, observation.uid);
    case 'ambiguous':
      return onAmbiguous(state, observation.cause);
  }
};

const onCard = (state: TapFilterState, uid: Uint8Array): TapFilterStep => {
  const card = Array.from(uid, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (state.reported === 'collision') return { state: { ...state, empty: 0, unclear: 0 } };
  if (state.collided !== undefined) {
    const looks = state.collided.alone === card ? state.collided.looks + 1 : 1;
    // One card of a stack is read now and then: that settles nothing.
    if (looks < LOOKS_TO_BE_ALONE) return { state: { ...state, empty: 0, collided: { alone: card, looks } } };
  }
  const present = { ...state, empty: 0, unclear: 0, collided: undefined };
  if (state.tapped === card) return { state: present };
  return { state: { ...present, tapped: card }, tap: { kind: 'card', uid } };
};

const onAmbiguous = (state: TapFilterState, cause: AmbiguityCause): TapFilterStep => {
  const unclear = state.unclear + 1;
  const hasCollided = cause === 'collision' || state.collided !== undefined;
  const present = { ...state, empty: 0, unclear, collided: hasCollided ? NONE_ALONE : undefined };
  // A card that was read and is now read badly is the same card, still there; two cards at once are news.
  const isNews = state.reported === undefined && (state.tapped === undefined || cause === 'collision');
  if (unclear < LOOKS_TO_BE_AMBIGUOUS) return { state: present };
  if (isNews) return { state: { ...present, reported: cause }, tap: { kind: 'ambiguous', cause } };
  // Told once already; but whatever was reported before, two cards at once shut the presentation.
  return { state: cause === 'collision' ? { ...present, reported: cause } : present };
};
