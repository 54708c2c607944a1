// JSON.parse keeps the last of two members with one name and says nothing (RFC 8259, section 4: behaviour is unpredictable).
// Whoever wrote or approved the message may have read the other one, so such a message is not understood completely.

/** Strings and the characters that give JSON its structure; what lies between them is numbers, literals and white space. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/gs;

interface Level {
  /** Undefined in an array. */
  readonly names: Set<string> | undefined;
  at: string | number;
}

/** Where the first member is whose name its object has already, outermost first. `json` must be what JSON.parse has taken. */
export const repeatedKey = (json: string): readonly (string | number)[] | undefined => {
  const levels: Level[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKEN)) {
    const level = levels.at(-1);
    switch (token) {
      case '{':
        levels.push({ names: new Set(), at: '' });
        break;
      case '[':
        levels.push({ names: undefined, at: 0 });
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (typeof level?.at === 'number') level.at += 1;
        break;
      case ':': {
        // Two spellings of one name are one name: "c\u0061rd" is "card".
        const name: unknown = JSON.parse(text);
        if (level?.names === undefined || typeof name !== 'string') break;
        level.at = name;
        if (level.names.has(name)) return levels.map(({ at }) => at);
        level.names.add(name);
        break;
      }
      default:
        text = token;
    }
  }
  return undefined;
};
