// Why a door says to a card what it says, in words: for `cardea card show` and `cardea explain`.

import type { DecisionView, DoorAnswer } from '../admin/protocol.ts';

/** The decision, with what else it takes or brings about. */
export const verdictText = (said: DecisionView): string => {
  if (said.decision === 'denied') return `denied: ${said.reason}`;
  const pair = said.needsSecondCard === true ? ', together with the card of another person' : '';
  const passback = said.isPassback === true ? ', and recorded as a passback' : '';
  return `granted${pair}${passback}`;
};

/** The mode of the door, with the order that it goes back to. */
export const modeText = ({ doorMode, modeOrder }: Pick<DoorAnswer, 'doorMode' | 'modeOrder'>): string => {
  if (modeOrder === null) return doorMode;
  const { operator, reason, at, until } = modeOrder;
  const why = reason === null ? '' : ` (${reason})`;
  return `${doorMode} by ${operator}${why} since ${at}${until === null ? '' : ` until ${until}`}`;
};

/** Each grant that names the door: its schedule, where that comes from, and whether it holds. */
export const grantTexts = ({ grants }: Pick<DoorAnswer, 'grants'>): readonly string[] => grants.map(grantText);

const grantText = ({ schedule, level, state }: DoorAnswer['grants'][number]): string => {
  const source = level === null ? '' : ` (level ${level})`;
  switch (state) {
    case 'unknown-level':
      return `level ${level ?? ''}: not known here`;
    case 'unknown-schedule':
      return `${schedule ?? ''}${source}: not known here`;
    case 'clock-untrusted':
      return `${schedule ?? ''}${source}: cannot be told while the clock is not set`;
    case 'open':
    case 'closed':
      return `${schedule ?? ''}${source}: ${state}`;
  }
};
