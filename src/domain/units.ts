// Units that must not be mixed up: two clocks, two lengths of time. A brand's constructor is the only place that casts.

declare const unit: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [unit]: Name };

/** A length of time in milliseconds; finite, may be negative where a difference is meant. */
export type Milliseconds = Branded<number, 'Milliseconds'>;
/** A reading of the monotonic clock in milliseconds since an arbitrary start; only differences mean something. */
export type MonotonicTime = Branded<number, 'MonotonicTime'>;
/** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z; may jump, and is a guess until the clock is synchronized. */
export type Instant = Branded<number, 'Instant'>;

export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
export const seconds = (value: number): Milliseconds => milliseconds(value * 1000);
export const monotonicTime = (value: number): MonotonicTime => value as MonotonicTime;
export const instant = (unixMilliseconds: number): Instant => unixMilliseconds as Instant;

/** The monotonic time that lies `delay` after `time`. */
export const after = (time: MonotonicTime, delay: Milliseconds): MonotonicTime => monotonicTime(time + delay);

/** RFC 3339 text in UTC with milliseconds, as it goes out in events and receipts. */
export const formatInstant = (time: Instant): string => new Date(time).toISOString();
