// What is known of a card.

import * as z from 'zod';
import { cardAnswer } from './contract.ts';
import { found } from './problems.ts';
import { PROBLEMS, type RouteGroup } from './route-context.ts';

export const cardRoutes: RouteGroup = (app, { desk }) => {
  const { state, usage } = desk;
  app.get(
    '/v1/cards/:number',
    {
      config: { action: 'read-roster' },
      schema: {
        summary: 'A card, who has it or had it last, and what it was seen doing',
        tags: ['cards'],
        params: z.object({ number: z.string().min(1) }),
        response: { 200: cardAnswer, ...PROBLEMS },
      },
    },
    async ({ params: { number: text } }) => {
      const number = state.cardNumbered(text);
      const card = found(number === undefined ? undefined : state.cards.get(number), 'unknown-card', `a card ${text}`);
      const holder = state.people.find(card.cardholder) ?? null;
      return { ...card, holder, usage: (await usage.find(card.card)) ?? null };
    },
  );
};
