// The topics of PROTOCOL.md, for one gateway of one site.

import type { GatewayId, SiteId } from '../domain/ids.ts';

export interface Topics {
  /** Inbound, from HR to all gateways. */
  readonly cardBound: string;
  readonly cardRevoked: string;
  readonly rosterDigest: string;
  readonly calendar: string;
  /** Inbound, from HR or a console to all gateways. */
  readonly siteCommand: string;
  /** Inbound, from HR to this gateway. */
  readonly rosterPage: string;
  readonly eventAck: string;
  readonly command: string;
  /** Outbound, from this gateway. */
  readonly receipt: string;
  readonly event: string;
  readonly rosterRequest: string;
  /** Outbound and retained; also the last will. */
  readonly status: string;
}

export const topicsOf = (site: SiteId, gateway: GatewayId): Topics => {
  const root = `cardea/${site}`;
  const own = `${root}/gateways/${gateway}`;
  return {
    cardBound: `${root}/hr/card-bound`,
    cardRevoked: `${root}/hr/card-revoked`,
    rosterDigest: `${root}/hr/roster-digest`,
    calendar: `${root}/hr/calendar`,
    siteCommand: `${root}/hr/command`,
    rosterPage: `${own}/roster-page`,
    eventAck: `${own}/event-ack`,
    command: `${own}/command`,
    receipt: `${own}/receipt`,
    event: `${own}/event`,
    rosterRequest: `${own}/roster-request`,
    status: `${own}/status`,
  };
};

/** What the gateway subscribes to. */
export const subscriptionsOf = (topics: Topics): readonly string[] => [
  topics.cardBound,
  topics.cardRevoked,
  topics.rosterDigest,
  topics.calendar,
  topics.siteCommand,
  topics.rosterPage,
  topics.eventAck,
  topics.command,
];
