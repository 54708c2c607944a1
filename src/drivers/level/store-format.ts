// What every version can tell of a store, whatever else it understands of it: its format, and whose it is.

import { CardeaError } from '../../errors.ts';
import type { Handles } from './sublevels.ts';

/** The layout of keys and sublevels; migrate-store.ts brings older ones to it. */
export const FORMAT = '4';

/** Throws CardeaError `store-format`, with the format in its context, for another one than this version's. */
export const checkFormat = (format: string): void => {
  if (format === FORMAT) return;
  const advice =
    Number(format) < Number(FORMAT)
      ? 'that is too old to be brought up to date; move the dataDir away and let HR fill a new one'
      : 'use the version that wrote it, or a newer one';
  throw new CardeaError('store-format', `the store has format ${format}, this version reads ${FORMAT}: ${advice}`, {
    context: { format },
  });
};

/** Throws CardeaError `store-format` when the store in `directory` was filled for another owner than the configuration names. */
export const checkOwner = (directory: string, stored: string | undefined, configured: string | undefined): void => {
  if (stored === undefined || configured === undefined || stored === configured) return;
  throw new CardeaError(
    'store-format',
    `the store in ${directory} was filled for ${stored}, the configuration says ${configured}: correct the ` +
      'configuration, or choose another dataDir and let HR fill it',
  );
};

/** A new database is marked with format and owner, another is held against them. Rejects as checkFormat() and checkOwner() throw. */
export const claimDatabase = async (
  { db, meta }: Handles,
  directory: string,
  identity: string | undefined,
): Promise<void> => {
  const mark = (key: string, value: string): Promise<void> =>
    db.batch([{ type: 'put', sublevel: meta, key, value: Buffer.from(value) }], { sync: true });
  const format = (await meta.get('format'))?.toString();
  if (format === undefined) await mark('format', FORMAT);
  else checkFormat(format);
  if (identity === undefined) return;
  const owner = (await meta.get('identity'))?.toString();
  if (owner === undefined) await mark('identity', identity);
  else checkOwner(directory, owner, identity);
};
