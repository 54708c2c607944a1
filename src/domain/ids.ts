// Identifiers that appear on the wire and in the configuration. Each is parsed once, at the edge.

declare const id: unique symbol;
type Id<Name extends string> = string & { readonly [id]: Name };

export type SiteId = Id<'SiteId'>;
export type GatewayId = Id<'GatewayId'>;
export type DoorId = Id<'DoorId'>;
export type ReaderId = Id<'ReaderId'>;
export type ScheduleId = Id<'ScheduleId'>;
export type ZoneId = Id<'ZoneId'>;
export type CardholderId = Id<'CardholderId'>;
/** Names one HR message or command; 1 to 64 characters; a redelivery keeps it. */
export type MessageId = Id<'MessageId'>;
/** HR's change counter over the whole roster, 1 to 2^53-1. The only thing that orders changes. */
export type Revision = number & { readonly [id]: 'Revision' };

/** Site, gateway, door, reader, schedule and zone ids (PROTOCOL.md, Topics). */
export const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Cardholder ids are HR's own: 1 to 64 characters without control characters or lone surrogates, which would not survive UTF-8. */
export const CARDHOLDER_ID = /^[^\p{Cc}\p{Cs}]{1,64}$/u;

const slug = <T extends string>(value: string): T | undefined => (SLUG.test(value) ? (value as T) : undefined);

/** The parsers return undefined for text that is no such id. */
export const parseSiteId = (value: string): SiteId | undefined => slug<SiteId>(value);
export const parseGatewayId = (value: string): GatewayId | undefined => slug<GatewayId>(value);
export const parseDoorId = (value: string): DoorId | undefined => slug<DoorId>(value);
export const parseReaderId = (value: string): ReaderId | undefined => slug<ReaderId>(value);
export const parseScheduleId = (value: string): ScheduleId | undefined => slug<ScheduleId>(value);
export const parseZoneId = (value: string): ZoneId | undefined => slug<ZoneId>(value);
/** In Unicode's composed form, so that the same name typed on two keyboards is the same person. */
export const parseCardholderId = (value: string): CardholderId | undefined => {
  const composed = value.normalize('NFC');
  return CARDHOLDER_ID.test(composed) ? (composed as CardholderId) : undefined;
};
export const parseMessageId = (value: string): MessageId | undefined =>
  CARDHOLDER_ID.test(value) ? (value as MessageId) : undefined;
export const parseRevision = (value: number): Revision | undefined =>
  Number.isSafeInteger(value) && value >= 1 ? (value as Revision) : undefined;
