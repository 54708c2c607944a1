// Who may import whom: the table of DESIGN.md, checked over every source file, and the same table in the linter's configuration.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

interface Rule {
  /** Folders and files below src that may be imported; the own folder always may. */
  readonly imports: readonly string[];
  /** As `imports`, for types alone. */
  readonly types?: readonly string[];
  /** Packages; `node:*` stands for all of Node's own. */
  readonly packages?: readonly string[];
}

const DRIVER: Rule = { imports: ['domain', 'errors.ts'], types: ['ports', 'log.ts'] };
/** A driver with a thread of its own. */
const THREADED_DRIVER: Rule = { ...DRIVER, imports: [...DRIVER.imports, 'start-worker.ts'] };

/** Where it says more than DESIGN.md, the reason stands beside it. */
const RULES: Readonly<Record<string, Rule>> = {
  // Hashing is a pure function, and Node's is the only one at hand.
  domain: { imports: [], packages: ['node:crypto'] },
  ports: { imports: [], types: ['domain'] },
  wire: { imports: ['domain', 'errors.ts'], packages: ['zod', 'jose'] },
  // log.ts also at run time: maskCard lives there, beside the redaction that it serves.
  app: { imports: ['domain', 'wire', 'errors.ts', 'log.ts'], types: ['ports'] },
  'drivers/backup': { ...DRIVER, packages: ['node:*', 'age-encryption'] },
  'drivers/clock': { ...DRIVER, packages: ['node:*', 'koffi'] },
  'drivers/desk-store': { ...DRIVER, packages: ['node:*', 'level'] },
  'drivers/embedded-broker': { ...DRIVER, packages: ['node:*', 'aedes', 'mqtt-packet'] },
  'drivers/gpio': { ...THREADED_DRIVER, packages: ['node:*', 'koffi', 'rpi-gpio'] },
  'drivers/journal': { ...DRIVER, packages: ['node:*'] },
  'drivers/level': { ...DRIVER, packages: ['node:*', 'level'] },
  'drivers/mfrc522': { ...THREADED_DRIVER, packages: ['node:*', 'koffi', 'mfrc522-rpi'] },
  'drivers/mqtt': { ...DRIVER, packages: ['node:*', 'mqtt', 'mqtt-packet'] },
  'drivers/simulated': { ...DRIVER, packages: [] },
  'drivers/systemd': { ...DRIVER, packages: ['node:*', 'koffi'] },
  // The server logs what technicians do.
  admin: { imports: ['app', 'domain', 'errors.ts'], types: ['ports', 'log.ts'], packages: ['node:*'] },
  // config: where the socket is, and `cardea config`. wire and mqtt: the desk's one-shots publish HR messages themselves.
  cli: {
    imports: ['admin/protocol.ts', 'config', 'desk-api/contract.ts', 'domain', 'wire', 'errors.ts', 'version.ts'],
    // Handed to it, as the gateway is.
    types: ['ports/backup-files.ts'],
    packages: [
      'node:*',
      'commander',
      'mqtt',
      'zod',
      'cli-progress',
      'csv-parse/sync',
      'csv-stringify/sync',
      '@inquirer/confirm',
      '@inquirer/input',
      '@inquirer/password',
      '@inquirer/search',
      '@inquirer/select',
    ],
  },
  config: { imports: ['domain', 'errors.ts'], packages: ['node:*', 'yaml', 'zod'] },
  // The HR side. Links, clocks and stores are handed to it; it validates what the store gives back, and hashes passwords and secrets.
  desk: { imports: ['domain', 'wire', 'errors.ts'], types: ['ports'], packages: ['zod', 'node:crypto'] },
  // The desk over HTTP: for HR systems that would rather not speak MQTT, and for the command line.
  'desk-api': {
    imports: ['desk', 'domain', 'wire', 'errors.ts', 'version.ts'],
    types: ['ports', 'log.ts'],
    packages: [
      'node:*',
      'zod',
      'fastify',
      '@fastify/swagger',
      'fastify-type-provider-zod',
      'openapi-types',
      'csv-stringify/sync',
    ],
  },
};

/** Files at the top of src: the composition root may import anything, the others next to nothing. */
const TOP: Readonly<Record<string, Rule | 'anything'>> = {
  'main.ts': 'anything',
  // What the composition roots have in common about a broker.
  'broker-options.ts': 'anything',
  // The composition root of the desk, its signing keys on the disk, and the code for its first admin.
  'desk-service.ts': 'anything',
  // And of the commands that work with the records of a desk that does not run.
  'desk-offline.ts': 'anything',
  'desk-keys.ts': 'anything',
  'desk-setup-code.ts': 'anything',
  // The composition root of HR's archive of events.
  'desk-archive.ts': 'anything',
  'gateway.ts': 'anything',
  // Split off gateway.ts for its length: what belongs to the doors, and what constructs the drivers.
  // The events of its own life and the checkpoints of the log.
  'gateway-audit.ts': 'anything',
  'gateway-backup.ts': 'anything',
  'gateway-doors.ts': 'anything',
  'gateway-drivers.ts': 'anything',
  'gateway-ending.ts': 'anything',
  // Split off for its length: what looks after the room on the disk.
  'gateway-disk.ts': 'anything',
  // Split off likewise: the way in for HR's messages, and the key files.
  // The outbox, its limit, and the retention of what has left it.
  'gateway-outbox.ts': 'anything',
  'gateway-roster.ts': 'anything',
  'gateway-store-key.ts': 'anything',
  'gateway-trust.ts': 'anything',
  // And what is known of damage to the store.
  'gateway-store.ts': 'anything',
  'errors.ts': { imports: [] },
  'log.ts': { imports: [], packages: ['pino'] },
  // Two drivers have threads, and a driver may not import another.
  'start-worker.ts': { imports: [], packages: ['node:*'] },
  'version.ts': { imports: [] },
};

/** What nobody imports, but for the composition root itself. */
const ROOT = Object.entries(TOP).flatMap(([file, rule]) => (rule === 'anything' ? [file] : []));

interface Import {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  readonly isDynamic: boolean;
}

interface SourceFile {
  /** Below src, with forward slashes. */
  readonly path: string;
  readonly imports: readonly Import[];
}

const STATIC = /^(?:import|export)\s+(type\s)?([^'";]*?)\s*\bfrom\s*'([^']+)'/gm;
const BARE = /^import\s*'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;
/** A worker or another file found beside this one. */
const BESIDE = /new URL\(\s*'(\.[^']+\.ts)'\s*,\s*import\.meta\.url/g;

const importsOf = (text: string): Import[] => {
  const code = text.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  return [
    // `import { type A }` is not one: it still loads the module (verbatimModuleSyntax).
    ...[...code.matchAll(STATIC)].map(([, type, , specifier = '']) => ({
      specifier,
      isTypeOnly: type !== undefined,
      isDynamic: false,
    })),
    ...[...code.matchAll(BARE)].map(([, specifier = '']) => ({ specifier, isTypeOnly: false, isDynamic: false })),
    ...[...code.matchAll(DYNAMIC), ...code.matchAll(BESIDE)].map(([, specifier = '']) => ({
      specifier,
      isTypeOnly: false,
      isDynamic: true,
    })),
  ];
};

const sourceFiles = (): SourceFile[] =>
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.[cm]?ts$/.test(path))
    .map((path) => ({ path, imports: importsOf(readFileSync(join('src', path), 'utf8')) }));

const FILES = sourceFiles();

/** `drivers/mqtt`, `app`, or the file itself at the top of src. */
const zoneOf = (path: string): string => /^drivers\/[^/]+(?=\/)|^[^/]+/.exec(path)?.[0] ?? '';

const targetOf = (file: SourceFile, specifier: string): string =>
  normalize(join(dirname(file.path), specifier)).replaceAll('\\', '/');

const isWithin = (path: string, allowed: string): boolean => path === allowed || path.startsWith(`${allowed}/`);

const isAllowed = (file: SourceFile, rule: Rule, { specifier, isTypeOnly }: Import): boolean => {
  if (!specifier.startsWith('.')) {
    const isBuiltin = specifier.startsWith('node:') && builtinModules.includes(specifier.slice('node:'.length));
    return (rule.packages ?? []).some((name) => name === specifier || (name === 'node:*' && isBuiltin));
  }
  const target = targetOf(file, specifier);
  const allowed = [...rule.imports, ...(isTypeOnly ? (rule.types ?? []) : [])];
  if (!(file.path in TOP)) allowed.push(zoneOf(file.path));
  return allowed.some((place) => isWithin(target, place));
};

test('every source file is seen: as many as an independent count finds', () => {
  const found = execFileSync('find', ['src', '-name', '*.ts', '-type', 'f'], { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(FILES.map(({ path }) => `src/${path}`).sort(), found.sort());
  assert.ok(FILES.length >= 90, `${FILES.length} files`);
});

test('every import of a file is seen: as many as there are lines that look like one', () => {
  for (const { path, imports } of FILES) {
    const text = readFileSync(join('src', path), 'utf8');
    const clauses = text.match(/\bfrom '[^']+';$/gm)?.length ?? 0;
    const seen = imports.filter(({ isDynamic }) => !isDynamic).length;
    assert.ok(seen >= clauses, `${path}: ${seen} imports seen, ${clauses} from-clauses`);
    assert.ok(!/\brequire\(/.test(text) || path.startsWith('drivers/'), `${path} uses require`);
    for (const { specifier } of imports) {
      assert.ok(
        !specifier.startsWith('.') || /\.(ts|json|cjs|mjs|js)$/.test(specifier),
        `${path}: ${specifier} has no extension`,
      );
    }
  }
});

test('every folder has a rule, and every rule has files', () => {
  const zones = new Set(FILES.map(({ path }) => zoneOf(path)));
  assert.deepEqual([...zones].sort(), [...Object.keys(RULES), ...Object.keys(TOP)].sort());
});

test('nobody imports what the table of DESIGN.md does not allow', () => {
  const offences = FILES.flatMap((file) => {
    const rule = file.path in TOP ? TOP[file.path] : RULES[zoneOf(file.path)];
    assert.ok(rule !== undefined, file.path);
    if (rule === 'anything') return [];
    return file.imports
      .filter((imported) => !isAllowed(file, rule, imported))
      .map(({ specifier, isTypeOnly }) => `${file.path} imports ${specifier}${isTypeOnly ? ' (types)' : ''}`);
  });
  assert.deepEqual(offences, []);
});

test('nobody imports the composition root but itself', () => {
  const offences = FILES.filter(({ path }) => !ROOT.includes(path)).flatMap((file) =>
    file.imports
      .filter(({ specifier }) => specifier.startsWith('.') && ROOT.includes(targetOf(file, specifier)))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  assert.deepEqual(offences, []);
});

test('no file imports itself at run time, over however many others', () => {
  const graph = new Map(
    FILES.map((file) => [
      file.path,
      file.imports.flatMap(({ specifier, isTypeOnly, isDynamic }) =>
        isTypeOnly || isDynamic || !specifier.startsWith('.') ? [] : [targetOf(file, specifier)],
      ),
    ]),
  );
  const done = new Set<string>();
  const walk = (path: string, above: readonly string[]): void => {
    assert.ok(!above.includes(path), `import cycle: ${[...above.slice(above.indexOf(path)), path].join(' -> ')}`);
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...above, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  assert.equal(done.size, FILES.length);
});

test('the domain is pure: no clock, no randomness, no timers, no promises', () => {
  const impure =
    /\bDate\.now|\bnew Date\(\)|Math\.random|performance\.|setTimeout|setInterval|setImmediate|\basync\b|\bawait\b|\bPromise\b|process\.|console\./;
  for (const { path } of FILES.filter((file) => zoneOf(file.path) === 'domain')) {
    const text = readFileSync(join('src', path), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
    assert.doesNotMatch(text, impure, path);
  }
});

test('ports hold contracts and no code', () => {
  for (const { path } of FILES.filter((file) => zoneOf(file.path) === 'ports')) {
    assert.doesNotMatch(
      readFileSync(join('src', path), 'utf8'),
      /^(export )?(const|let|function|class)\b|=>\s*\{/m,
      path,
    );
  }
});

/** The group of import patterns that Biome refuses in a zone: everything, but for what the rule allows. */
const groupOf = (zone: string, { imports, types = [], packages = [] }: Rule): string[] => {
  const up = zone.includes('/') ? '../..' : '..';
  const allowed = [...imports, ...types].map((place) => `!${up}/${place}${place.endsWith('.ts') ? '' : '/**'}`);
  return ['**', '!./**', ...allowed, ...packages.map((name) => `!${name}`)];
};

test('the linter enforces the same table', () => {
  const { overrides = [], linter } = JSON.parse(readFileSync('biome.json', 'utf8'));
  const enforced = new Map<string, unknown>();
  for (const { includes, linter: own } of overrides) {
    const rule = own?.rules?.style?.noRestrictedImports;
    if (rule === undefined) continue;
    assert.equal(rule.level, 'error');
    enforced.set(includes.join(), rule.options.patterns[0].group);
  }
  const expected = Object.entries(RULES).map(([zone, rule]) => [`src/${zone}/**`, groupOf(zone, rule)] as const);
  assert.deepEqual(Object.fromEntries(enforced), Object.fromEntries(expected));
  assert.equal(linter.rules.suspicious.noImportCycles, 'error');
});
