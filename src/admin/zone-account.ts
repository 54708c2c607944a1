// Who is inside which zone, for `cardea zone`: what a roll call needs. Names appear here as they do for cards.

import { promisify } from 'node:util';
import type { Occupant, PassageBook } from '../app/passage-book.ts';
import type { CardholderId, ZoneId } from '../domain/ids.ts';
import { formatInstant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { OccupantView, ZoneAnswer } from './protocol.ts';

interface Dependencies {
  readonly passages: Pick<PassageBook, 'zones' | 'occupants'>;
  readonly store: CredentialStore;
}

const turnOfOthers = promisify(setImmediate);
/** People looked up between two looks at what else there is to do; below a millisecond. */
const SLICE = 25;

/** All zones, or the one that is asked for. Rejects with CardeaError `unknown-zone`. */
export const showZones = async (deps: Dependencies, zone: string | undefined): Promise<ZoneAnswer> => {
  const known = [...deps.passages.zones];
  const asked = zone === undefined ? known : known.filter(([id]) => id === zone);
  if (zone !== undefined && asked.length === 0) {
    const names = known.map(([id]) => id).join(', ') || 'none';
    throw new CardeaError('unknown-zone', `there is no such zone here; the zones are ${names}`);
  }
  const zones: ZoneAnswer['zones'][number][] = [];
  for (const [id, { mode }] of asked) zones.push({ zone: id, antiPassback: mode, inside: await insideOf(deps, id) });
  return { zones };
};

const insideOf = async ({ passages, store }: Dependencies, zone: ZoneId): Promise<readonly OccupantView[]> => {
  const views: OccupantView[] = [];
  for (const [index, occupant] of passages.occupants(zone).entries()) {
    if (index % SLICE === SLICE - 1) await turnOfOthers();
    views.push(viewOf(occupant, store));
  }
  return views;
};

const viewOf = ({ cardholder, since, isSinceGuessed }: Occupant, store: CredentialStore): OccupantView => ({
  cardholder,
  name: nameOf(cardholder, store),
  since: formatInstant(since),
  isSinceGuessed,
});

/** As HR wrote it with one of the person's cards; whoever has no card any more has no name here. */
const nameOf = (cardholder: CardholderId, store: CredentialStore): string | null => {
  try {
    for (const card of store.findCardholder(cardholder)?.cards ?? []) {
      const found = store.findCard(card);
      if (found.kind === 'live' && found.binding.name !== undefined) return found.binding.name;
    }
  } catch {
    // A roll call goes on without the name of somebody whose record cannot be read.
  }
  return null;
};
