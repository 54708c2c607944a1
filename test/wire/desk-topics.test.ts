import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deskTopicsOf, requestingGateway } from '../../src/wire/desk-topics.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId, siteId } from '../domain/samples.ts';

const SITE = siteId('hq');
const GATEWAY = gatewayId('lobby-1');

test('HR publishes on the topics that gateways read', () => {
  const { cardBound, cardRevoked, rosterDigest, calendar } = topicsOf(SITE, GATEWAY);
  const desk = deskTopicsOf(SITE);
  assert.deepEqual(
    [desk.cardBound, desk.cardRevoked, desk.rosterDigest, desk.calendar],
    [cardBound, cardRevoked, rosterDigest, calendar],
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
