/** Optional fields of `T`, in place of those that may be undefined. */
export type Given<T extends object> =
  & { [K in keyof T as undefined extends T[K] ? never : K]: T[K] }
  & {
    [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<
      T[K],
      undefined
    >;
  };

/**
 * The fields that are not undefined: `{ port, ...given({ src, dst }) }` has no
 * field `dst` where `dst` is undefined, as `exactOptionalPropertyTypes` wants it.
 */
export function given<T extends object>(fields: T): Given<T> {
  const kept: Record<string, unknown> = {};
  for (const name in fields) {
    if (fields[name] !== undefined) kept[name] = fields[name];
  }
  return kept as Given<T>;
}
