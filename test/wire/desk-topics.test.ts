import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deskTopicsOf, requestingGateway } from '../../src/wire/desk-topics.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId, siteId } from '../domain/samples.ts';

const SITE = siteId('hq');
const GATEWAY = gatewayId('lobby-1');

test('HR publishes on the topics that gateways read', () => {
  const { cardBound, cardRevoked, rosterDigest, calendar, siteCommand } = topicsOf(SITE, GATEWAY);
  const desk = deskTopicsOf(SITE);
  assert.deepEqual(
    [desk.cardBound, desk.cardRevoked, desk.rosterDigest, desk.calendar, desk.command],
    [cardBound, cardRevoked, rosterDigest, calendar, siteCommand],
  );
});

test('the filters for what gateways tell take in that of each of them', () => {
  const { receipt, event, status } = topicsOf(SITE, GATEWAY);
  const { receipts, events, statuses } = deskTopicsOf(SITE);
  assert.deepEqual(
    [receipts, events, statuses].map((filter) => filter.replace('+', GATEWAY)),
    [receipt, event, status],
  );
});

test('the filter for roster requests takes in those of each gateway, and the gateway is told by the topic', () => {
  const { rosterRequest } = topicsOf(SITE, GATEWAY);
  assert.equal(deskTopicsOf(SITE).rosterRequests.replace('+', GATEWAY), rosterRequest);
  assert.equal(requestingGateway(SITE, rosterRequest), GATEWAY);
});

test('no other topic is taken for a roster request', () => {
  const others = [
    topicsOf(SITE, GATEWAY).receipt,
    topicsOf(siteId('branch'), GATEWAY).rosterRequest,
    `${topicsOf(SITE, GATEWAY).rosterRequest}/more`,
    'cardea/hq/gateways/+/roster-request',
    'cardea/hq/gateways//roster-request',
    'lobby-1',
    '',
  ];
  for (const topic of others) assert.equal(requestingGateway(SITE, topic), undefined, topic);
});
