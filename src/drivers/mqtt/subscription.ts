// Subscribing to all topics of the link at once, and what counts as granted.

import type { MqttClient } from 'mqtt';
import { errorMessage } from '../../errors.ts';

/**
 * The broker's retained copies come at every connect, also to a session that it remembers (3.1.1, 3.8.4; 5.0, 3.8.3.1), and they
 * alone carry the retain flag.
 */
const OPTIONS = { qos: 1, rh: 0, rap: false } as const;

/** Calls `onAnswer` once the broker has answered: with undefined when everything was granted at QoS 1, else with what was not. */
export const subscribeAll = (
  client: MqttClient,
  subscriptions: readonly string[],
  onAnswer: (refused: string | undefined) => void,
): void => {
  const topics = [...subscriptions];
  client.subscribe(topics, OPTIONS, (error, _grants, suback) => {
    // At QoS 0 a revocation could be lost without anybody noticing.
    const refused = suback === undefined ? [] : topics.filter((_topic, index) => suback.granted[index] !== 1);
    if (refused.length > 0) onAnswer(refused.join(', '));
    else onAnswer(error ? errorMessage(error) : undefined);
  });
};
