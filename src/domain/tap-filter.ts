// From what a reader sees many times a second to taps: one tap per presentation of a card.
//
// 1. A card is gone only after two clean looks at an empty field; a garbled look means that it is still there.
// 2. What cannot be read for certain becomes one ambiguous tap per presentation, not silence, so that the person learns why.
// 3. After a reported collision the field must be empty before anything is a tap again: no card of a stack is picked out,
//    whatever was reported or read before.

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
  /** Consecutive ambiguous looks. */
  readonly unclear: number;
}

export const IDLE_FILTER: TapFilterState = { tapped: undefined, reported: undefined, empty: 0, unclear: 0 };

/** Clean empty looks after which a card counts as removed. */
export const LOOKS_TO_BE_GONE = 2;
/** Ambiguous looks in a row after which a person is told, so that a card on its way into the field is not denied. */
export const LOOKS_TO_BE_AMBIGUOUS = 3;

export interface TapFilterStep {
  readonly state: TapFilterState;
  readonly tap?: Tap;
}

export const stepTapFilter = (state: TapFilterState, observation: FieldObservation): TapFilterStep => {
  switch (observation.kind) {
    case 'none': {
      const empty = state.empty + 1;
      return { state: empty >= LOOKS_TO_BE_GONE ? IDLE_FILTER : { ...state, empty, unclear: 0 } };
    }
    case 'card':
      return onCard(state, observation.uid);
    case 'ambiguous':
      return onAmbiguous(state, observation.cause);
  }
};

const onCard = (state: TapFilterState, uid: Uint8Array): TapFilterStep => {
  const tapped = Array.from(uid, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const present = { ...state, empty: 0, unclear: 0 };
  if (state.reported === 'collision' || state.tapped === tapped) return { state: present };
  return { state: { ...present, tapped }, tap: { kind: 'card', uid } };
};

const onAmbiguous = (state: TapFilterState, cause: AmbiguityCause): TapFilterStep => {
  const unclear = state.unclear + 1;
  const present = { ...state, empty: 0, unclear };
  // A card that was read and is now read badly is the same card, still there; two cards at once are news.
  const isNews = state.reported === undefined && (state.tapped === undefined || cause === 'collision');
  if (unclear < LOOKS_TO_BE_AMBIGUOUS) return { state: present };
  if (isNews) return { state: { ...present, reported: cause }, tap: { kind: 'ambiguous', cause } };
  // Told once already; but whatever was reported before, two cards at once shut the presentation.
  return { state: cause === 'collision' ? { ...present, reported: cause } : present };
};
