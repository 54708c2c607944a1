// The files that prove us to the broker and the broker to us, and which of their contents is used: the newest that makes a
// usable set. While the files do not make one (half renewed, unreadable, key and certificate that do not belong together) the
// last usable set stays, `fault` says what is wrong, and a later good change heals. Contents are never logged.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';

type ForEachFile<T> = { readonly [Name in 'ca' | 'cert' | 'key' | 'password']?: T };

/** Where they are. Authorities, client certificate and its key are PEM; whitespace at the end of the password does not count. */
export type CredentialPaths = ForEachFile<string | undefined>;

/** What is in them. */
export type Credentials = ForEachFile<string>;

export class CredentialFiles {
  readonly #paths: CredentialPaths;
  readonly #log: Log;
  #usable: Credentials | undefined;
  #fault: string | undefined;

  constructor(paths: CredentialPaths, log: Log) {
    this.#paths = paths;
    this.#log = log;
  }

  /** The newest usable set; undefined when there never was one. */
  get usable(): Credentials | undefined {
    return this.#usable;
  }

  /** Why the files as they are now cannot be used, in words for a person. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Reads the files anew, through whatever links lead to them. Returns whether they make another usable set than before. */
  refresh(): boolean {
    try {
      const credentials = read(this.#paths);
      const isNew = JSON.stringify(credentials) !== JSON.stringify(this.#usable);
      if (isNew) this.#adopt(credentials);
      this.#report(undefined);
      return isNew;
    } catch (error) {
      this.#report(errorMessage(error));
      return false;
    }
  }

  #adopt(credentials: Credentials): void {
    for (const { file, certificate } of check(credentials, this.#paths)) {
      const { validTo } = certificate;
      // Only a warning: the clock may be wrong, and the broker decides.
      if (Date.parse(validTo) < Date.now()) this.#log.warn({ file, validTo }, 'a certificate has expired');
    }
    this.#usable = credentials;
  }

  #report(fault: string | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    if (fault === undefined) this.#log.info({}, 'the credentials for the broker can be used again');
    // Without any usable set no connection can be tried, and that is said then.
    else if (this.#usable !== undefined)
      this.#log.error(
        { reason: fault },
        'new credentials for the broker cannot be used; those before them stay in use',
      );
  }
}

const read = (paths: CredentialPaths): Credentials => ({
  ...readOne('ca', paths),
  ...readOne('cert', paths),
  ...readOne('key', paths),
  ...readOne('password', paths),
});

const readOne = (name: keyof CredentialPaths, paths: CredentialPaths): Credentials => {
  const path = paths[name];
  if (path === undefined) return {};
  const text = readFileSync(path, 'utf8').trimEnd();
  if (text === '') throw unusable(`${path} is empty`);
  return { [name]: text };
};

interface NamedCertificate {
  readonly file: string | undefined;
  readonly certificate: X509Certificate;
}

/** Returns every certificate. Throws CardeaError `link-configuration`, naming the file, for what no connection can be made with. */
const check = ({ ca, cert, key }: Credentials, paths: CredentialPaths): NamedCertificate[] => {
  const authorities = ca === undefined ? [] : certificatesIn(ca, paths.ca);
  const chain = cert === undefined ? [] : certificatesIn(cert, paths.cert);
  if (key !== undefined) {
    const privateKey = parsed(paths.key, 'private key without a passphrase', () => createPrivateKey(key));
    if (chain[0]?.certificate.checkPrivateKey(privateKey) === false) {
      throw unusable(`the key in ${paths.key} does not belong to the certificate in ${paths.cert}`);
    }
  }
  // What the TLS library has to say beyond that, such as keys that are too short.
  if (authorities.length > 0 || chain.length > 0) createSecureContext({ ca, cert, key });
  return [...authorities, ...chain];
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

const certificatesIn = (text: string, file: string | undefined): NamedCertificate[] => {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw unusable(`${file} holds no certificate in PEM form`);
  return found.map((pem) => ({ file, certificate: parsed(file, 'certificate', () => new X509Certificate(pem)) }));
};

const parsed = <T>(file: string | undefined, what: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    throw unusable(`${file} holds no ${what} that can be read: ${errorMessage(error)}`, error);
  }
};

const unusable = (text: string, cause?: unknown): CardeaError => new CardeaError('link-configuration', text, { cause });
