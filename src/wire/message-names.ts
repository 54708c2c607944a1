// The messages of the contract, by the `type` that each carries and that its topic ends with.

export const MESSAGE_NAMES = [
  'card-bound',
  'card-revoked',
  'calendar',
  'roster-digest',
  'roster-page',
  'event-ack',
  'command',
  'receipt',
  'event',
  'roster-request',
  'status',
] as const;
export type MessageName = (typeof MESSAGE_NAMES)[number];
