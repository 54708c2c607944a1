// The topics of PROTOCOL.md as HR sees them: one site, all of its gateways.

import { type GatewayId, parseGatewayId, type SiteId } from '../domain/ids.ts';
import { topicsOf } from './topics.ts';

export interface DeskTopics {
  /** Outbound, to all gateways. */
  readonly cardBound: string;
  readonly cardRevoked: string;
  /** Outbound and retained. */
  readonly rosterDigest: string;
  readonly calendar: string;
  /** Outbound, to all gateways: lockdown and its end. */
  readonly command: string;
  /** To subscribe to: the requests of all gateways. */
  readonly rosterRequests: string;
  /** Likewise, their receipts, their events and their statuses. */
  readonly receipts: string;
  readonly events: string;
  readonly statuses: string;
}

export const deskTopicsOf = (site: SiteId): DeskTopics => {
  const root = `cardea/${site}`;
  return {
    cardBound: `${root}/hr/card-bound`,
    cardRevoked: `${root}/hr/card-revoked`,
    rosterDigest: `${root}/hr/roster-digest`,
    calendar: `${root}/hr/calendar`,
    command: `${root}/hr/command`,
    rosterRequests: `${root}/gateways/+/roster-request`,
    receipts: `${root}/gateways/+/receipt`,
    events: `${root}/gateways/+/event`,
    statuses: `${root}/gateways/+/status`,
  };
};

/** The gateway whose roster requests come on that topic; undefined where it is another topic. */
export const requestingGateway = (site: SiteId, topic: string): GatewayId | undefined => {
  const gateway = gatewayOf(site, topic);
  return gateway !== undefined && topicsOf(site, gateway).rosterRequest === topic ? gateway : undefined;
};

/** The gateway below whose topics this one is; undefined where it is none of a gateway of the site. */
export const gatewayOf = (site: SiteId, topic: string): GatewayId | undefined => {
  const [root, ofSite, gateways, gateway = ''] = topic.split('/');
  return root === 'cardea' && ofSite === site && gateways === 'gateways' ? parseGatewayId(gateway) : undefined;
};
